//! Writes requests to this cloud and reads its replies.

use http::StatusCode;
use serde::Deserialize;

use super::{
    balancers, changes,
    envelope::{count_of, data_of, lost, text_of},
    groups,
};
use crate::{
    dialect::{Egress, Invocation, Receipt},
    mapping::{Action, Cloud, Faults},
    model::{
        AddBackends, Backend, BackendId, CreateGroup, Fault, FaultKind, Group, GroupId, GroupRef, Health,
        ListGroups, ListLoadBalancers, LoadBalancer, LoadBalancerId, LoadBalancerRef, Member, Operation,
        Outcome, Page, Place, RemoveBackends, Scope, UpdateBackends, UpdateGroup,
    },
    wire::{Document, Params, Reply},
};

/// UCloud ULB as a target.
#[derive(Debug)]
pub(super) struct Ulb;

impl Egress for Ulb {
    fn write_call(&self, step: &Operation, cloud: &Cloud) -> Result<Invocation, Fault> {
        let action = action_of(step, cloud)?;
        let mut params = Params::default();
        match step {
            Operation::AddBackends(AddBackends { group, backends }) => {
                name_group(&mut params, group, cloud)?;
                let [backend] = backends.as_slice() else { return Err(not_one(backends.len())) };
                for (_, name, text) in cloud.backend.write(backend)?.cells {
                    params.push(name, text);
                }
            }
            Operation::RemoveBackends(RemoveBackends { scope, backends }) => {
                name_scope(&mut params, scope, cloud)?;
                let [backend] = backends.as_slice() else { return Err(not_one(backends.len())) };
                params.push(changes::BACKEND, changes::id_of(backend)?.as_str());
            }
            Operation::UpdateBackends(UpdateBackends { scope, changes }) => {
                name_scope(&mut params, scope, cloud)?;
                changes::write(&mut params, action, changes, cloud)?;
            }
            Operation::DescribeGroup(group) | Operation::DeleteGroup(group) => {
                name_group(&mut params, group, cloud)?;
            }
            Operation::ListGroups(ListGroups { load_balancer, page, listeners: _, members: _ }) => {
                name_load_balancer(&mut params, load_balancer, cloud)?;
                name_page(&mut params, *page);
            }
            Operation::CreateGroup(create) => write_group(&mut params, create, cloud)?,
            Operation::UpdateGroup(update) => write_group_changes(&mut params, update, cloud)?,
            Operation::ListLoadBalancers(ListLoadBalancers { place, filter, page, detail: _ }) => {
                name_place(&mut params, None, place, cloud)?;
                name_page(&mut params, *page);
                balancers::write_filter(&mut params, filter);
            }
            Operation::DescribeLoadBalancer(load_balancer) => {
                name_load_balancer(&mut params, load_balancer, cloud)?;
                name_page(&mut params, Page::FIRST);
            }
            Operation::ReplaceBackends(_)
            | Operation::DescribeHealth(_)
            | Operation::ListRegions
            | Operation::ListProjects => return Err(no_step(step)),
        }
        Ok(Invocation { action: action.name.clone(), version: None, params })
    }

    fn own_fault(&self, reply: &Reply, cloud: &Cloud) -> Option<Fault> {
        let body = Document::from_json(&reply.body).ok()?;
        let code = body.member("RetCode").and_then(Document::scalar)?;
        let kind = cloud.faults.kind_of(reply.status, &code);
        (kind == FaultKind::TargetDenied).then(|| told_fault(kind, &code, reply, &body, cloud))
    }

    fn receipt(&self, reply: &Reply) -> Receipt {
        let Head { ret_code } = serde_json::from_slice(&reply.body).unwrap_or_default();
        let code = ret_code.filter(|code| *code != 0).map(|code| code.to_string());
        Receipt { request_id: reply.header("x-ucloud-request-uuid").map(str::to_owned), code }
    }

    fn read_reply(&self, step: &Operation, reply: &Reply, cloud: &Cloud) -> Result<Outcome, Fault> {
        let body = Document::from_json(&reply.body).map_err(|error| {
            let detail = format!("{} answered HTTP {} with no JSON", cloud.title, reply.status.as_u16());
            Fault::new(Faults::kind_without_code(reply.status), detail).caused_by(error)
        })?;
        let code = body.member("RetCode").and_then(Document::scalar);
        match code.as_deref() {
            Some("0") => done(step, &body, reply.status, cloud),
            Some(code) => {
                let kind = kind_of(step, cloud.faults.kind_of(reply.status, code));
                let gone = kind == FaultKind::UnknownBackend;
                // "One that is absent is no fault" holds for a removal on every cloud.
                if gone && matches!(step, Operation::RemoveBackends(_)) {
                    return Ok(Outcome::Removed(Vec::new()));
                }
                Err(told_fault(kind, code, reply, &body, cloud))
            }
            None => Err(lost(cloud, &format!("HTTP {} without a RetCode", reply.status.as_u16()))),
        }
    }
}

/// What every reply has at its top.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Head {
    ret_code: Option<i64>,
}

/// What a kind of fault means for a step: the codes for a VServer that is not there stand for the ULB as well.
fn kind_of(step: &Operation, kind: FaultKind) -> FaultKind {
    let names_no_group = matches!(
        step,
        Operation::ListGroups(_)
            | Operation::CreateGroup(_)
            | Operation::ListLoadBalancers(_)
            | Operation::DescribeLoadBalancer(_)
    );
    if names_no_group && kind == FaultKind::UnknownGroup { FaultKind::UnknownLoadBalancer } else { kind }
}

fn action_of<'c>(step: &Operation, cloud: &'c Cloud) -> Result<&'c Action, Fault> {
    if let Operation::UpdateBackends(UpdateBackends { changes, .. }) = step {
        changes::action_for(changes.len(), cloud)
    } else {
        cloud.actions.calling(step.name())
    }
}

fn write_group(params: &mut Params, create: &CreateGroup, cloud: &Cloud) -> Result<(), Fault> {
    let CreateGroup { load_balancer, name, listener, options, backends } = create;
    name_load_balancer(params, load_balancer, cloud)?;
    let (Some(listener), Some(names), []) = (listener, &cloud.group.listener, backends.as_slice()) else {
        let detail = "a group is made here as a listener, and without backends";
        return Err(Fault::new(FaultKind::Internal, detail));
    };
    params.push(&cloud.group.name, name.as_ref().unwrap_or(&cloud.group.default_name));
    groups::write_listener(params, listener, names, cloud);
    groups::write_options(params, options);
    Ok(())
}

fn write_group_changes(params: &mut Params, update: &UpdateGroup, cloud: &Cloud) -> Result<(), Fault> {
    let UpdateGroup { group, name, options, changes } = update;
    name_group(params, group, cloud)?;
    if !changes.is_empty() {
        return Err(Fault::new(FaultKind::Internal, "one call changes a group or its backends, not both"));
    }
    if let Some(name) = name {
        params.push(&cloud.group.name, name);
    }
    groups::write_options(params, options);
    Ok(())
}

fn done(step: &Operation, body: &Document, status: StatusCode, cloud: &Cloud) -> Result<Outcome, Fault> {
    match step {
        Operation::AddBackends(add) => added(add, body, cloud),
        Operation::RemoveBackends(_) => Ok(Outcome::Removed(Vec::new())),
        Operation::UpdateBackends(UpdateBackends { scope: _, changes }) => {
            let action = action_of(step, cloud)?;
            changes::read_results(changes, action, body, status, cloud).map(Outcome::Updated)
        }
        Operation::DescribeGroup(group) => described(group, body, cloud).map(Outcome::Group),
        Operation::ListGroups(ListGroups { load_balancer: LoadBalancerRef { id, place }, .. }) => {
            let asked = Scope { load_balancer: Some(id.clone()), group: None, place: place.clone() };
            let groups = data_of(body, cloud)?.iter().map(|item| groups::read(item, &asked, cloud));
            Ok(Outcome::Groups(groups.collect::<Result<_, _>>()?, count_of(body, cloud)?))
        }
        Operation::CreateGroup(create) => created(create, body, cloud).map(Outcome::Created),
        Operation::UpdateGroup(UpdateGroup { group, name, options, changes: _ }) => {
            let group = Group::of(group.clone(), Vec::new());
            Ok(Outcome::GroupUpdated(Group { name: name.clone(), options: options.clone(), ..group }))
        }
        Operation::DeleteGroup(_) => Ok(Outcome::Deleted),
        Operation::ListLoadBalancers(ListLoadBalancers { place, .. }) => {
            let count = count_of(body, cloud)?;
            Ok(Outcome::LoadBalancers(balancers_of(body, place, cloud)?, count))
        }
        Operation::DescribeLoadBalancer(LoadBalancerRef { id, place }) => {
            let listed = balancers_of(body, place, cloud)?.into_iter().find(|balancer| balancer.id == *id);
            let unknown = || not_listed(FaultKind::UnknownLoadBalancer, id.as_str(), cloud);
            listed.map(|balancer| Outcome::LoadBalancer(Box::new(balancer))).ok_or_else(unknown)
        }
        Operation::ReplaceBackends(_)
        | Operation::DescribeHealth(_)
        | Operation::ListRegions
        | Operation::ListProjects => Err(no_step(step)),
    }
}

fn added(add: &AddBackends, body: &Document, cloud: &Cloud) -> Result<Outcome, Fault> {
    let id = BackendId::new(text_of(body, changes::BACKEND));
    let id = id.ok_or_else(|| lost(cloud, "a success without a BackendId"))?;
    let member = |backend: &Backend| Member {
        backend: backend.clone(),
        id: Some(id.clone()),
        health: Health::Unknown,
        also: None,
    };
    Ok(Outcome::Added(add.backends.iter().map(member).collect()))
}

/// The VServer that was asked for. "Not there" is an empty `DataSet`.
fn described(group: &GroupRef, body: &Document, cloud: &Cloud) -> Result<Group, Fault> {
    let wanted = |item: &&Document| {
        let id = text_of(item, &cloud.group.group);
        id.is_empty() || id == group.group.as_str()
    };
    let listed = data_of(body, cloud)?.iter().find(wanted);
    let unknown = || not_listed(FaultKind::UnknownGroup, group.group.as_str(), cloud);
    groups::read(listed.ok_or_else(unknown)?, &Scope::from(group.clone()), cloud)
}

fn created(create: &CreateGroup, body: &Document, cloud: &Cloud) -> Result<Group, Fault> {
    let CreateGroup { load_balancer: LoadBalancerRef { id, place }, name, listener, options, backends: _ } =
        create;
    let group = GroupId::new(text_of(body, &cloud.group.group));
    let group = group.ok_or_else(|| lost(cloud, "a success without a VServerId"))?;
    let id = GroupRef { load_balancer: Some(id.clone()), group, place: place.clone() };
    let listeners = listener.iter().cloned().collect();
    Ok(Group { name: name.clone(), listeners, options: options.clone(), ..Group::of(id, Vec::new()) })
}

fn balancers_of(body: &Document, place: &Place, cloud: &Cloud) -> Result<Vec<LoadBalancer>, Fault> {
    data_of(body, cloud)?.iter().map(|item| balancers::read(item, place, cloud)).collect()
}

fn told_fault(kind: FaultKind, code: &str, reply: &Reply, body: &Document, cloud: &Cloud) -> Fault {
    let message = text_of(body, "Message");
    let request = reply.header("x-ucloud-request-uuid").unwrap_or_default();
    Fault::new(kind, format!("{} answered {code}: {message}", cloud.title))
        .caused_by(format!("request {request} of {}", cloud.title))
}

fn not_listed(kind: FaultKind, id: &str, cloud: &Cloud) -> Fault {
    Fault::new(kind, format!("{} does not list `{id}`", cloud.title))
}

fn not_one(count: usize) -> Fault {
    Fault::new(FaultKind::Internal, format!("one call takes one backend by its id, not {count}"))
}

fn no_step(step: &Operation) -> Fault {
    Fault::new(FaultKind::Internal, format!("{} is no call to this target", step.name().name()))
}

fn name_group(params: &mut Params, group: &GroupRef, cloud: &Cloud) -> Result<(), Fault> {
    name_place(params, group.load_balancer.as_ref(), &group.place, cloud)?;
    params.push(&cloud.group.group, group.group.as_str());
    Ok(())
}

/// A backend's own id is enough here; the group that holds it is not named.
fn name_scope(params: &mut Params, scope: &Scope, cloud: &Cloud) -> Result<(), Fault> {
    name_place(params, scope.load_balancer.as_ref(), &scope.place, cloud)
}

fn name_load_balancer(params: &mut Params, named: &LoadBalancerRef, cloud: &Cloud) -> Result<(), Fault> {
    name_place(params, Some(&named.id), &named.place, cloud)
}

fn name_page(params: &mut Params, page: Page) {
    params.push("Limit", page.limit.to_string());
    params.push("Offset", page.offset.to_string());
}

fn name_place(
    params: &mut Params,
    load_balancer: Option<&LoadBalancerId>,
    place: &Place,
    cloud: &Cloud,
) -> Result<(), Fault> {
    let Place { region, project } = place;
    let no_region = || Fault::new(FaultKind::UnknownRegion, "no region is known for the call");
    params.push(&cloud.group.region, region.as_ref().ok_or_else(no_region)?.as_str());
    if let (Some(project), Some(name)) = (project, &cloud.group.project) {
        params.push(name, project.as_str());
    }
    if let (Some(load_balancer), Some(name)) = (load_balancer, &cloud.group.load_balancer) {
        params.push(name, load_balancer.as_str());
    }
    Ok(())
}
