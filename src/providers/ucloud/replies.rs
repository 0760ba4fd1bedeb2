//! What came of a request, as the members of its reply.

use super::{accounts, backends, balancers, changes, envelope::data, groups};
use crate::{
    mapping::Cloud,
    model::{
        Detail, Fault, FaultKind, Group, GroupRef, ListGroups, ListLoadBalancers, LoadBalancer,
        LoadBalancerId, Member, Operation, Outcome, Updated,
    },
    wire::{Document, NamedValue},
};

/// The members of a reply to a call of `action` that asked for `operation`, where that is known.
pub(super) fn write(
    action: &str,
    operation: Option<&Operation>,
    outcome: &Outcome,
    cloud: &Cloud,
) -> Result<Vec<NamedValue>, Fault> {
    let alone = cloud.actions.named(action).is_some_and(|action| action.max_backends == 1);
    match outcome {
        Outcome::Added(members) => Ok(added(members, alone)),
        Outcome::Updated(updates) if alone => updated(updates),
        Outcome::Updated(updates) => changes::write_results(updates, action, cloud),
        Outcome::Removed(_) | Outcome::GroupUpdated(_) | Outcome::Deleted => Ok(Vec::new()),
        Outcome::Group(group) => vservers(std::slice::from_ref(group), 1, operation, cloud),
        Outcome::Groups(groups, count) => vservers(groups, *count, operation, cloud),
        Outcome::Created(group) => {
            let id = Document::text(group.id.group.as_str());
            Ok(vec![(cloud.group.group.as_str().into(), id)])
        }
        Outcome::LoadBalancers(balancers, count) => {
            let detail = operation.map_or(Detail::Groups, detail_of);
            ulbs(balancers.iter(), *count, detail, cloud)
        }
        Outcome::LoadBalancer(balancer) => ulbs(std::iter::once(&**balancer), 1, Detail::Groups, cloud),
        Outcome::Regions(regions) => Ok(accounts::write_regions(regions)),
        Outcome::Projects(projects) => Ok(accounts::write_projects(projects)),
        Outcome::Replaced(_) | Outcome::Health(_) => {
            Err(Fault::new(FaultKind::Internal, "no action of this cloud has such an outcome"))
        }
    }
}

fn added(members: &[Member], alone: bool) -> Vec<NamedValue> {
    match members {
        [Member { id, .. }] if alone => vec![(changes::BACKEND.into(), backends::id_text(id.as_ref()))],
        members => {
            let set = members.iter().map(backends::write_batch_member).collect();
            vec![(backends::SET.into(), Document::List(set))]
        }
    }
}

/// A call for one backend has no place to say that this one was refused: it is refused as a whole.
fn updated(updates: &[Updated]) -> Result<Vec<NamedValue>, Fault> {
    match updates.iter().find_map(|update| update.refusal.as_ref()) {
        Some(refusal) => Err(changes::fault_of(refusal)),
        None => Ok(Vec::new()),
    }
}

fn vservers(
    groups: &[Group],
    count: usize,
    operation: Option<&Operation>,
    cloud: &Cloud,
) -> Result<Vec<NamedValue>, Fault> {
    let within = operation.and_then(load_balancer_of);
    let items = groups.iter().map(|group| groups::write(group, within, cloud));
    Ok(data(items.collect::<Result<_, _>>()?, count))
}

fn ulbs<'b>(
    balancers: impl Iterator<Item = &'b LoadBalancer>,
    count: usize,
    detail: Detail,
    cloud: &Cloud,
) -> Result<Vec<NamedValue>, Fault> {
    let items = balancers.map(|balancer| balancers::write(balancer, detail, cloud));
    Ok(data(items.collect::<Result<_, _>>()?, count))
}

/// How much of each load balancer was asked for.
fn detail_of(operation: &Operation) -> Detail {
    if let Operation::ListLoadBalancers(ListLoadBalancers { detail, .. }) = operation {
        *detail
    } else {
        Detail::Groups
    }
}

/// The load balancer whose groups were asked for.
fn load_balancer_of(operation: &Operation) -> Option<&LoadBalancerId> {
    if let Operation::DescribeGroup(GroupRef { load_balancer, .. }) = operation {
        load_balancer.as_ref()
    } else if let Operation::ListGroups(ListGroups { load_balancer, .. }) = operation {
        Some(&load_balancer.id)
    } else {
        None
    }
}
