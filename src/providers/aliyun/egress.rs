//! Writes requests to this cloud and reads its replies.

use serde::Deserialize;

use super::{backends, balancers, envelope, groups, health, values};
use crate::{
    dialect::{Egress, Invocation, Receipt},
    mapping::{Cloud, Faults},
    model::{
        AddBackends, Backend, Change, CreateGroup, DescribeHealth, Fault, FaultKind, Field, Group, GroupId,
        GroupRef, ListGroups, ListLoadBalancers, LoadBalancerRef, Member, Operation, Outcome, Place,
        RemoveBackends, ReplaceBackends, Scope, Target, UpdateBackends, UpdateGroup, Updated,
    },
    wire::{Document, Params, Reply},
};

/// Alibaba Cloud SLB as a target.
#[derive(Debug)]
pub(super) struct Slb;

impl Egress for Slb {
    fn write_call(&self, step: &Operation, cloud: &Cloud) -> Result<Invocation, Fault> {
        let params = write_params(step, cloud)?;
        let action = cloud.actions.calling(step.name())?;
        Ok(Invocation { action: action.name.clone(), version: cloud.version.clone(), params })
    }

    fn own_fault(&self, reply: &Reply, cloud: &Cloud) -> Option<Fault> {
        let body = Document::from_json(&reply.body).ok()?;
        told_fault(reply, &body, cloud).filter(|fault| fault.kind == FaultKind::TargetDenied)
    }

    fn receipt(&self, reply: &Reply) -> Receipt {
        let Head { request_id, code } = serde_json::from_slice(&reply.body).unwrap_or_default();
        // A reply in XML, to a call that was passed on, still has this header.
        let header = || reply.header("x-acs-request-id").map(str::to_owned);
        Receipt { request_id: request_id.or_else(header), code }
    }

    fn read_reply(&self, step: &Operation, reply: &Reply, cloud: &Cloud) -> Result<Outcome, Fault> {
        let body = Document::from_json(&reply.body).map_err(|error| {
            let detail = format!("{} answered HTTP {} with no JSON", cloud.title, reply.status.as_u16());
            Fault::new(Faults::kind_without_code(reply.status), detail).caused_by(error)
        })?;
        match told_fault(reply, &body, cloud) {
            Some(fault) => Err(seen_by(step, fault)),
            None => read_success(step, &body, cloud),
        }
    }
}

/// What every reply has at its top.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Head {
    request_id: Option<String>,
    code: Option<String>,
}

/// The parameters of the call that carries a step out.
fn write_params(step: &Operation, cloud: &Cloud) -> Result<Params, Fault> {
    let mut params = Params::default();
    match step {
        Operation::AddBackends(AddBackends { group, backends }) => {
            name(&mut params, group, cloud);
            params.push(backends::LIST, backends::write_list(backends, &Field::ALL, &cloud.backend)?);
        }
        Operation::RemoveBackends(RemoveBackends { scope, backends }) => {
            let (group, place) = within(scope)?;
            groups::name(&mut params, group, place, cloud);
            let named = backends.iter().map(backends::named).collect::<Result<Vec<_>, _>>()?;
            let list = backends::write_list(&named, &backends::IDENTITY, &cloud.backend)?;
            params.push(backends::LIST, list);
        }
        Operation::UpdateBackends(UpdateBackends { scope, changes }) => {
            let (group, place) = within(scope)?;
            groups::name(&mut params, group, place, cloud);
            push_list(&mut params, backends::LIST, &changed(changes)?, &Field::ALL, cloud)?;
        }
        Operation::ReplaceBackends(ReplaceBackends { group, old, new }) => {
            name(&mut params, group, cloud);
            let old = old.iter().map(backends::named).collect::<Result<Vec<_>, _>>()?;
            push_list(&mut params, backends::OLD_LIST, &old, &backends::IDENTITY, cloud)?;
            push_list(&mut params, backends::NEW_LIST, new, &Field::ALL, cloud)?;
        }
        Operation::DescribeGroup(group) | Operation::DeleteGroup(group) => name(&mut params, group, cloud),
        Operation::DescribeHealth(DescribeHealth { load_balancer, port, protocol }) => {
            balancers::name(&mut params, load_balancer, cloud);
            if let Some(port) = port {
                params.push(health::PORT, port.to_string());
            }
            if let Some(protocol) = protocol {
                params.push(health::PROTOCOL, cloud.group.protocol_word(*protocol));
            }
        }
        Operation::ListGroups(ListGroups { load_balancer, listeners, page: _, members: _ }) => {
            balancers::name(&mut params, load_balancer, cloud);
            if *listeners {
                params.push(groups::WITH_LISTENERS, "true");
            }
        }
        Operation::CreateGroup(CreateGroup { load_balancer, name, listener: _, options: _, backends }) => {
            balancers::name(&mut params, load_balancer, cloud);
            if let Some(name) = name {
                params.push(&cloud.group.name, name);
            }
            push_list(&mut params, backends::LIST, backends, &Field::ALL, cloud)?;
        }
        Operation::UpdateGroup(UpdateGroup { group, name: new_name, options: _, changes }) => {
            name(&mut params, group, cloud);
            if let Some(new_name) = new_name {
                params.push(&cloud.group.name, new_name);
            }
            push_list(&mut params, backends::LIST, &changed(changes)?, &Field::ALL, cloud)?;
        }
        Operation::ListLoadBalancers(ListLoadBalancers { place, filter, page, detail: _ }) => {
            groups::locate(&mut params, place, cloud);
            balancers::write_filter(&mut params, filter);
            balancers::write_page(&mut params, *page);
        }
        Operation::DescribeLoadBalancer(balancer) => balancers::name(&mut params, balancer, cloud),
        Operation::ListRegions | Operation::ListProjects => return Err(no_step(step)),
    }
    Ok(params)
}

/// What came of a step whose reply tells of no fault.
fn read_success(step: &Operation, body: &Document, cloud: &Cloud) -> Result<Outcome, Fault> {
    let listed = || backends::read_members(body, cloud);
    Ok(match step {
        Operation::AddBackends(add) => added(add, &listed()?.unwrap_or_default(), cloud)?,
        Operation::RemoveBackends(RemoveBackends { backends, .. }) => {
            let named = backends.iter().map(backends::named).collect::<Result<Vec<_>, _>>()?;
            let was_named = |member: &Member| named.iter().any(|named| named.same_entry(&member.backend));
            Outcome::Removed(listed()?.unwrap_or_default().into_iter().filter(was_named).collect())
        }
        Operation::UpdateBackends(UpdateBackends { changes, .. }) => {
            confirmed(&changed(changes)?, listed()?, cloud)?;
            let updated = |change: &Change| Updated { backend: change.backend.clone(), refusal: None };
            Outcome::Updated(changes.iter().map(updated).collect())
        }
        Operation::ReplaceBackends(ReplaceBackends { new, .. }) => {
            Outcome::Replaced(confirmed(new, listed()?, cloud)?)
        }
        Operation::DescribeGroup(group) => Outcome::Group(groups::read_described(body, group, cloud)?),
        Operation::DescribeHealth(_) => Outcome::Health(health::read(body, cloud)?),
        Operation::ListGroups(ListGroups { load_balancer, .. }) => {
            let groups = groups::read_list(body, load_balancer, cloud)?;
            let total = groups.len();
            Outcome::Groups(groups, total)
        }
        Operation::CreateGroup(create) => Outcome::Created(created(create, body, cloud)?),
        Operation::UpdateGroup(UpdateGroup { group, name, changes, options: _ }) => {
            let members = match changes.as_slice() {
                [] => listed()?.unwrap_or_default(),
                changes => confirmed(&changed(changes)?, listed()?, cloud)?,
            };
            let name = values::told(body, &cloud.group.name).or_else(|| name.clone());
            Outcome::GroupUpdated(Group { name, ..Group::of(group.clone(), members) })
        }
        Operation::DeleteGroup(_) => Outcome::Deleted,
        Operation::ListLoadBalancers(ListLoadBalancers { place, .. }) => {
            let (balancers, total) = balancers::read_list(body, place, cloud)?;
            Outcome::LoadBalancers(balancers, total)
        }
        Operation::DescribeLoadBalancer(balancer) => {
            Outcome::LoadBalancer(Box::new(balancers::read_described(body, balancer, cloud)?))
        }
        Operation::ListRegions | Operation::ListProjects => return Err(no_step(step)),
    })
}

/// An add has worked when the reply lists what was asked for, as asked; it may list the rest of the group too.
fn added(add: &AddBackends, members: &[Member], cloud: &Cloud) -> Result<Outcome, Fault> {
    let mut found = Vec::new();
    for wanted in &add.backends {
        match members.iter().find(|member| member.backend.same_entry(wanted)) {
            None => return Err(unlisted(wanted, cloud)),
            Some(listed) => found.push(backends::member(addressed(wanted, listed))),
        }
    }
    Ok(Outcome::Added(found))
}

/// What was wanted, with the address that the cloud has chosen where none was named; and with another weight or state if
/// that is what it lists: then it was there before.
fn addressed(wanted: &Backend, listed: &Member) -> Backend {
    let mut backend = wanted.clone();
    if !listed.backend.same_traffic(wanted) {
        backend.traffic = listed.backend.traffic;
    }
    if let Target::Resource { address, .. } = &mut backend.target {
        *address = address.or(listed.backend.target.address());
    }
    backend
}

/// The wanted backends as a reply lists them, each as it was asked for. A reply without any list is taken at its word.
fn confirmed(wanted: &[Backend], listed: Option<Vec<Member>>, cloud: &Cloud) -> Result<Vec<Member>, Fault> {
    let Some(listed) = listed else { return Ok(wanted.iter().cloned().map(backends::member).collect()) };
    let confirm = |wanted: &Backend| {
        let found = listed.iter().find(|member| member.backend.same_entry(wanted));
        match found {
            None => Err(unlisted(wanted, cloud)),
            Some(member) if !member.backend.same_traffic(wanted) => {
                let what = format!("a success that lists {wanted} with another weight");
                Err(envelope::lost(cloud, &what))
            }
            Some(member) => Ok(member.clone()),
        }
    };
    wanted.iter().map(confirm).collect()
}

/// The group that was made: its id stands in the reply alone.
fn created(create: &CreateGroup, body: &Document, cloud: &Cloud) -> Result<Group, Fault> {
    let group = values::told(body, &cloud.group.group).and_then(GroupId::new);
    let group =
        group.ok_or_else(|| envelope::lost(cloud, "a success that does not say which group was made"))?;
    let LoadBalancerRef { id, place } = create.load_balancer.clone();
    let members = confirmed(&create.backends, backends::read_members(body, cloud)?, cloud)?;
    let id = GroupRef { load_balancer: Some(id), group, place };
    Ok(Group { name: create.name.clone(), ..Group::of(id, members) })
}

/// A success that leaves out what was asked for.
fn unlisted(wanted: &Backend, cloud: &Cloud) -> Fault {
    envelope::lost(cloud, &format!("a success that does not list {wanted}"))
}

/// The fault of a reply that tells of one: by its status, or by a `Code`.
fn told_fault(reply: &Reply, body: &Document, cloud: &Cloud) -> Option<Fault> {
    let text = |name: &str| body.member(name).and_then(Document::scalar);
    let code = match text("Code") {
        Some(code) => code,
        None if reply.status.is_success() => return None,
        None => {
            let what = format!("HTTP {} without a code", reply.status.as_u16());
            return Some(envelope::lost(cloud, &what));
        }
    };
    let kind = cloud.faults.kind_of(reply.status, &code);
    let message = text("Message").unwrap_or_default();
    // What follows repeats every parameter of the call, the gateway's own token among them.
    let message = message.split("server string to sign").next().unwrap_or_default();
    let detail = format!("{} answered {code}: {message}", cloud.title);
    let request = text("RequestId").unwrap_or_default();
    Some(Fault::new(kind, detail).caused_by(format!("request {request} of {}", cloud.title)))
}

/// A fault in the light of its step: one code stands for a group and for a load balancer that does not exist.
fn seen_by(step: &Operation, fault: Fault) -> Fault {
    if fault.kind == FaultKind::UnknownGroup && step.group().is_none() {
        return Fault { kind: FaultKind::UnknownLoadBalancer, ..fault };
    }
    fault
}

/// What the gateway answers from its own tables, and no target is asked for.
fn no_step(step: &Operation) -> Fault {
    Fault::new(FaultKind::Internal, format!("{} is never asked of a target", step.name().name()))
}

/// Names a group in the parameters of a call.
fn name(params: &mut Params, group: &GroupRef, cloud: &Cloud) {
    groups::name(params, &group.group, &group.place, cloud);
}

/// The group that holds the backends of a step, and where it is.
fn within(scope: &Scope) -> Result<(&GroupId, &Place), Fault> {
    let unnamed = || Fault::new(FaultKind::Internal, "a step that names no group");
    scope.group.as_ref().map(|group| (group, &scope.place)).ok_or_else(unnamed)
}

/// What changes make of their backends.
fn changed(changes: &[Change]) -> Result<Vec<Backend>, Fault> {
    changes.iter().map(backends::changed).collect()
}

/// Adds a list that may be left out, unless it is empty.
fn push_list(
    params: &mut Params,
    list: &str,
    backends: &[Backend],
    fields: &[Field],
    cloud: &Cloud,
) -> Result<(), Fault> {
    if !backends.is_empty() {
        params.push(list, backends::write_list(backends, fields, &cloud.backend)?);
    }
    Ok(())
}
