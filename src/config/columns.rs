//! What a row of the resource map says of one cloud: a group, or a server.

use std::net::IpAddr;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    raw::Word,
    report::Report,
    rows::{Column, Unique},
    section::{Form, Section, formed},
    servers::ServerColumn,
    words::instead,
};
use crate::{
    mapping::{Cloud, Rule},
    model::{
        Field, GroupId, GroupRef, Kind, LoadBalancerId, LoadBalancerRef, Place, ProjectId, RegionId,
        ResourceId, SubnetId, Target, VpcId,
    },
};

impl Column for GroupRef {
    fn read(cloud: &Cloud, value: Spanned<DeValue<'_>>, report: &mut Report) -> Option<Self> {
        let mut section =
            Section::new(format!("the group of `{}`", cloud.id), formed(&cloud.id, value, report)?);
        if cloud.group.load_balancer.is_some() {
            section.require("load_balancer", "load_balancer = \"ID\"", report);
        }
        section.require("group", "group = \"ID\"", report);
        let load_balancer = section.made("load_balancer", ID, LoadBalancerId::new, report);
        let group = section.made("group", ID, GroupId::new, report);
        let region = section.made("region", ID, RegionId::new, report);
        let project = section.made("project", ID, ProjectId::new, report);
        warn_of_project(cloud, project.as_ref(), report);
        section.close(report);
        let place = Place { region: inner(region), project: inner(project) };
        Some(Self { load_balancer: inner(load_balancer), group: inner(group)?, place })
    }
}

impl Unique for GroupRef {
    /// Where requests name no load balancer, the group's id alone has to tell which group is meant.
    type Identity = (GroupId, Option<LoadBalancerId>);

    fn identity(&self, cloud: &Cloud) -> Self::Identity {
        let named = cloud.group.load_balancer.as_ref().and(self.load_balancer.as_ref());
        (self.group.clone(), named.cloned())
    }
}

impl Column for LoadBalancerRef {
    fn read(cloud: &Cloud, value: Spanned<DeValue<'_>>, report: &mut Report) -> Option<Self> {
        let mut section =
            Section::new(format!("the load balancer of `{}`", cloud.id), formed(&cloud.id, value, report)?);
        section.require("id", "id = \"ID\"", report);
        let id = section.made("id", ID, LoadBalancerId::new, report);
        let region = section.made("region", ID, RegionId::new, report);
        let project = section.made("project", ID, ProjectId::new, report);
        warn_of_project(cloud, project.as_ref(), report);
        section.close(report);
        Some(Self { id: inner(id)?, place: Place { region: inner(region), project: inner(project) } })
    }
}

impl Unique for LoadBalancerRef {
    type Identity = LoadBalancerId;

    fn identity(&self, _: &Cloud) -> LoadBalancerId {
        self.id.clone()
    }
}

impl Column for ServerColumn {
    fn read(cloud: &Cloud, value: Spanned<DeValue<'_>>, report: &mut Report) -> Option<Self> {
        let typed: Spanned<Typed<'_>> = formed(&cloud.id, value, report)?;
        let at = typed.span();
        match typed.into_inner() {
            Typed::Table(table) => {
                let section = Section::new(format!("the server of `{}`", cloud.id), Spanned::new(at, table));
                described(cloud, section, report)
            }
            Typed::Id(id) => {
                let id = ResourceId::new(id);
                if id.is_none() {
                    report.error(at, format!("`{}` is ``; write {ID}", cloud.id));
                }
                resource(id?, None, None).ok()
            }
        }
    }
}

const ID: &str = "an id";

/// The two forms of a server's column.
enum Typed<'t> {
    Id(String),
    Table(DeTable<'t>),
}

impl<'t> Form<'t> for Typed<'t> {
    const WANTED: &'static str = "an id in quotes, or a table";

    fn of(value: Spanned<DeValue<'t>>) -> Option<Self> {
        if value.get_ref().is_str() {
            String::of(value).map(Self::Id)
        } else {
            DeTable::of(value).map(Self::Table)
        }
    }
}

/// A column in the form of a table.
fn described(cloud: &Cloud, mut section: Section<'_>, report: &mut Report) -> Option<ServerColumn> {
    let at = section.at();
    let id = section.made("id", ID, ResourceId::new, report);
    let ip = section.made("ip", "an IP address such as 10.0.0.5", |text| text.parse().ok(), report);
    let vpc = section.made("vpc", ID, VpcId::new, report);
    let subnet = section.made("subnet", ID, SubnetId::new, report);
    let typed: Option<Word> = section.take("type", report);
    if !section.close(report) {
        return None;
    }
    let at_type = typed.as_ref().map_or(at.clone(), Word::span);
    let kind = typed.map(|word| kind(cloud, &word, report)).transpose().ok()?;
    let column = match (inner(id), inner(ip), inner(vpc), inner(subnet)) {
        (Some(id), ip, None, None) => resource(id, ip, kind).map_err(|flaw| (at_type, flaw)),
        (None, Some(ip), Some(vpc), Some(subnet)) => address(
            cloud,
            Target::Address { kind: kind.unwrap_or(Kind::Address), ip, vpc: Some(vpc), subnet: Some(subnet) },
        )
        .map_err(|flaw| (at_type, flaw)),
        _ => Err((at, "this names no server; write { id, type?, ip? } or { ip, vpc, subnet, type? }")),
    };
    column.map_err(|(at, flaw)| report.error(at, flaw)).ok()
}

/// A project leads nowhere on a cloud that has none.
fn warn_of_project(cloud: &Cloud, project: Option<&Spanned<ProjectId>>, report: &mut Report) {
    if let (Some(project), None) = (project, &cloud.group.project) {
        report.warn(project.span(), format!("`{}` has no projects; leave `project` out", cloud.id));
    }
}

/// The kind that a cloud has this word for.
fn kind(cloud: &Cloud, word: &Word, report: &mut Report) -> Result<Kind, ()> {
    let found = kinds(cloud).iter().find(|(name, _)| name == word.get_ref());
    found.map(|(_, kind)| *kind).ok_or_else(|| {
        let words: Vec<&str> = kinds(cloud).iter().map(|(name, _)| name.as_str()).collect();
        let instead = instead(word.get_ref(), &words);
        report.error(word.span(), format!("`{}` is no `type` of `{}`; {instead}", word.get_ref(), cloud.id));
    })
}

fn kinds(cloud: &Cloud) -> &[(String, Kind)] {
    match cloud.backend.row(Field::Kind).map(|row| &row.rule) {
        Some(Rule::Kinds { values, told: _, fallback: _ }) => values,
        Some(Rule::Text | Rule::Length(..) | Rule::Range(..) | Rule::Address | Rule::YesNo(_)) | None => &[],
    }
}

/// A server by its id. Where the row names no kind, [`Kind::Instance`] stands in for the caller's.
fn resource(
    id: ResourceId,
    address: Option<IpAddr>,
    kind: Option<Kind>,
) -> Result<ServerColumn, &'static str> {
    if kind.is_some_and(Kind::is_address) {
        return Err("a server of this type is named by its address; write { ip, vpc, subnet, type }");
    }
    if address.is_some() && kind.is_some_and(|kind| !kind.has_addresses()) {
        return Err("a server of this type has no address to choose; leave `ip` out");
    }
    let target = Target::Resource { kind: kind.unwrap_or(Kind::Instance), id, address };
    Ok(ServerColumn { target, kind })
}

/// A server by its address, on a cloud that has a word for such a one.
fn address(cloud: &Cloud, target: Target) -> Result<ServerColumn, &'static str> {
    let kind = target.kind();
    if kind.is_address() && kinds(cloud).iter().any(|(_, known)| *known == kind) {
        Ok(ServerColumn { target, kind: Some(kind) })
    } else {
        Err("this cloud knows no server of this type by its address; write its `id`")
    }
}

fn inner<T>(value: Option<Spanned<T>>) -> Option<T> {
    value.map(Spanned::into_inner)
}
