//! How what came of a request is answered: each action's members of a success.

use super::{backends, balancers, envelope, groups, health};
use crate::{
    dialect::Envelope,
    mapping::{Cloud, Shape},
    model::{Fault, FaultKind, Field, GroupId, ListGroups, Member, Operation, Outcome, Page, RegionId},
    wire::{Document, NamedValue, Reply},
};

/// Writes what came of an operation that succeeded.
pub(super) fn write(
    envelope: &Envelope,
    operation: Option<&Operation>,
    outcome: &Outcome,
    cloud: &Cloud,
) -> Result<Reply, Fault> {
    let documented = envelope.shape == Shape::Documented;
    let answer = Answer { envelope, operation, documented, cloud };
    Ok(envelope::success(envelope, answer.members(outcome)?))
}

/// What an answer is written by.
#[derive(Debug, Clone, Copy)]
struct Answer<'a> {
    envelope: &'a Envelope,
    operation: Option<&'a Operation>,
    documented: bool,
    cloud: &'a Cloud,
}

impl Answer<'_> {
    /// What an action answers of its own, beside the request id.
    fn members(self, outcome: &Outcome) -> Result<Vec<NamedValue>, Fault> {
        let Self { documented, cloud, .. } = self;
        let asked = || self.operation.and_then(Operation::group);
        Ok(match outcome {
            Outcome::Added(list) | Outcome::Replaced(list) => {
                let group = asked().map(|group| self.group(group));
                group.into_iter().chain([self.backends(list, &Field::ALL)?]).collect()
            }
            Outcome::Removed(list) => {
                let group = asked().map(|group| self.group(group));
                group.into_iter().chain([self.backends(list, &backends::UNDESCRIBED)?]).collect()
            }
            Outcome::Group(group) => {
                let id = self.group(asked().unwrap_or(&group.id.group));
                let described = groups::write_described(group, documented, cloud)?;
                std::iter::once(id).chain(described).collect()
            }
            Outcome::GroupUpdated(group) => {
                let id = self.group(asked().unwrap_or(&group.id.group));
                let name =
                    group.name.as_ref().map(|name| (cloud.group.name.as_str().into(), Document::text(name)));
                let list = self.backends(&group.members, &Field::ALL)?;
                std::iter::once(id).chain(name).chain([list]).collect()
            }
            Outcome::Created(group) => {
                vec![self.group(&group.id.group), self.backends(&group.members, &Field::ALL)?]
            }
            Outcome::Deleted => Vec::new(),
            Outcome::Health(checked) => health::write(checked, documented, cloud)?,
            Outcome::Groups(groups, _) => {
                groups::write_list(groups, self.with_listeners(), documented, cloud)
            }
            Outcome::LoadBalancers(balancers, total) => {
                balancers::write_list(balancers, self.page(), *total, documented, cloud)
            }
            Outcome::LoadBalancer(balancer) => balancers::write_described(balancer, documented, cloud),
            Outcome::Regions(regions) => vec![self.regions(regions)],
            Outcome::Updated(_) => return Err(wordless("what became of each change")),
            Outcome::Projects(_) => return Err(wordless("projects")),
        })
    }

    /// The member that names a group.
    fn group(self, group: &GroupId) -> NamedValue {
        (self.cloud.group.group.as_str().into(), Document::text(group.as_str()))
    }

    /// The member that lists backends, so many fields of each.
    fn backends(self, members: &[Member], fields: &[Field]) -> Result<NamedValue, Fault> {
        let list = backends::write_members(members, fields, self.documented, &self.cloud.backend)?;
        Ok((backends::LIST.into(), list))
    }

    /// Each region, reached where this one was: some clients call on there.
    fn regions(self, regions: &[RegionId]) -> NamedValue {
        let item = |region: &RegionId| {
            Document::record([
                (self.cloud.group.region.as_str(), Document::text(region.as_str())),
                ("RegionEndpoint", Document::text(&self.envelope.host)),
                ("LocalName", Document::text(region.as_str())),
            ])
        };
        ("Regions".into(), envelope::list("Region", regions.iter().map(item).collect()))
    }

    /// Whether the request asked for the listeners of groups.
    fn with_listeners(self) -> bool {
        match self.operation {
            Some(Operation::ListGroups(ListGroups { listeners, .. })) => *listeners,
            Some(_) | None => true,
        }
    }

    /// The part of the list that the request asked for.
    fn page(self) -> Page {
        match self.operation {
            Some(Operation::ListLoadBalancers(list)) => list.page,
            Some(_) | None => Page::FIRST,
        }
    }
}

/// An outcome that no request of this cloud has.
fn wordless(what: &str) -> Fault {
    Fault::new(FaultKind::Internal, format!("this cloud's replies have no words for {what}"))
}
