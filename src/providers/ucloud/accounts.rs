//! What an account sees: the regions of GetRegion and the projects of GetProjectList. Only the command line client's
//! set-up asks for them.

use super::envelope::whole_number;
use crate::{
    model::{ProjectId, RegionId},
    wire::{Document, NamedValue},
};

/// The members of a reply that lists regions; the first is the default one.
pub(super) fn write_regions(regions: &[RegionId]) -> Vec<NamedValue> {
    let region = |(at, region): (usize, &RegionId)| {
        Document::record([
            ("Region", Document::text(region.as_str())),
            // A zone is told for each region, though nothing here is asked by zone.
            ("Zone", Document::text(format!("{region}-01"))),
            ("IsDefault", Document::Bool(at == 0)),
            ("RegionId", whole_number(at + 1)),
            ("RegionName", Document::text(region.as_str())),
            ("BitMaps", Document::text("")),
        ])
    };
    let regions = regions.iter().enumerate().map(region).collect();
    vec![("Regions".into(), Document::List(regions))]
}

/// The members of a reply that lists projects; the first is the default one.
pub(super) fn write_projects(projects: &[ProjectId]) -> Vec<NamedValue> {
    let project = |(at, project): (usize, &ProjectId)| {
        Document::record([
            ("ProjectId", Document::text(project.as_str())),
            ("ProjectName", Document::text(project.as_str())),
            ("IsDefault", Document::Bool(at == 0)),
            ("CreateTime", Document::number(0)),
            ("ResourceCount", Document::number(0)),
            ("MemberCount", Document::number(1)),
        ])
    };
    let count = whole_number(projects.len());
    let projects = projects.iter().enumerate().map(project).collect();
    vec![("ProjectCount".into(), count), ("ProjectSet".into(), Document::List(projects))]
}
