//! Writes requests to this cloud and reads its replies.

use super::backends;
use crate::{
    dialect::{Egress, Invocation},
    mapping::{Cloud, Faults},
    model::{
        AddBackends, BackendId, BackendRef, Fault, FaultKind, Group, GroupRef, Health, LoadBalancerId,
        Member, Operation, Outcome, Place, RemoveBackends, Scope,
    },
    wire::{Document, Params, Reply},
};

/// UCloud ULB as a target.
#[derive(Debug)]
pub(super) struct Ulb;

impl Egress for Ulb {
    fn write_call(&self, step: &Operation, cloud: &Cloud) -> Result<Invocation, Fault> {
        let mut params = Params::default();
        match step {
            Operation::AddBackends(AddBackends { group, backends }) => {
                name_group(&mut params, group, cloud)?;
                let [backend] = backends.as_slice() else { return Err(not_one(backends.len())) };
                for (_, name, text) in cloud.backend.write(backend)?.cells {
                    params.push(name, text);
                }
            }
            Operation::RemoveBackends(RemoveBackends {
                scope: Scope { load_balancer, place, .. },
                backends,
            }) => {
                name_place(&mut params, load_balancer.as_ref(), place, cloud)?;
                let [BackendRef::Id(id)] = backends.as_slice() else { return Err(not_one(backends.len())) };
                params.push("BackendId", id.as_str());
            }
            Operation::DescribeGroup(group) => name_group(&mut params, group, cloud)?,
            _ => return Err(Fault::new(FaultKind::Internal, "not yet")),
        }
        let action = cloud.actions.calling(step.name())?;
        Ok(Invocation { action: action.name.clone(), version: None, params })
    }

    fn own_fault(&self, reply: &Reply, cloud: &Cloud) -> Option<Fault> {
        let body = Document::from_json(&reply.body).ok()?;
        let code = body.member("RetCode").and_then(Document::scalar)?;
        let kind = cloud.faults.kind_of(reply.status, &code);
        (kind == FaultKind::TargetDenied).then(|| told_fault(kind, &code, reply, &body, cloud))
    }

    fn read_reply(&self, step: &Operation, reply: &Reply, cloud: &Cloud) -> Result<Outcome, Fault> {
        let body = Document::from_json(&reply.body).map_err(|error| {
            let detail = format!("{} answered HTTP {} with no JSON", cloud.title, reply.status.as_u16());
            Fault::new(Faults::kind_without_code(reply.status), detail).caused_by(error)
        })?;
        let code = body.member("RetCode").and_then(Document::scalar);
        match (code.as_deref(), step) {
            (Some("0"), _) => done(step, &body, cloud),
            (Some(code), _) => match (cloud.faults.kind_of(reply.status, code), step) {
                // "One that is absent is no fault" holds for a removal on every cloud.
                (FaultKind::UnknownBackend, Operation::RemoveBackends(_)) => Ok(Outcome::Removed(Vec::new())),
                (kind, _) => Err(told_fault(kind, code, reply, &body, cloud)),
            },
            (None, _) => Err(lost(cloud, &format!("HTTP {} without a RetCode", reply.status.as_u16()))),
        }
    }
}

fn done(step: &Operation, body: &Document, cloud: &Cloud) -> Result<Outcome, Fault> {
    match step {
        Operation::AddBackends(add) => {
            let id = body.member("BackendId").and_then(Document::scalar).and_then(BackendId::new);
            let id = id.ok_or_else(|| lost(cloud, "a success without a BackendId"))?;
            let member = |backend: &crate::model::Backend| Member {
                backend: backend.clone(),
                id: Some(id.clone()),
                health: Health::Unknown,
            };
            Ok(Outcome::Added(add.backends.iter().map(member).collect()))
        }
        Operation::RemoveBackends(_) => Ok(Outcome::Removed(Vec::new())),
        Operation::DescribeGroup(group) => {
            members_of(group, body, cloud).map(|members| Outcome::Group(Group::of(group.clone(), members)))
        }
        _ => Err(Fault::new(FaultKind::Internal, "not yet")),
    }
}

/// The `BackendSet` of the `VServer` asked for. "Not there" is an empty `DataSet`.
fn members_of(group: &GroupRef, body: &Document, cloud: &Cloud) -> Result<Vec<Member>, Fault> {
    let listed = body.member("DataSet").map_or(&[][..], Document::items);
    let id = |item: &&Document| {
        item.member("VServerId").and_then(Document::scalar).is_none_or(|id| id == group.group.as_str())
    };
    let Some(vserver) = listed.iter().find(id) else {
        return Err(Fault::new(
            FaultKind::UnknownGroup,
            format!("{} does not list `{}`", cloud.title, group.group),
        ));
    };
    let set = vserver.member("BackendSet").map_or(&[][..], Document::items);
    let unreadable = |fault| lost(cloud, "a list of backends that cannot be read").caused_by(fault);
    set.iter().map(|item| backends::read_member(item, cloud).map_err(unreadable)).collect()
}

fn told_fault(kind: FaultKind, code: &str, reply: &Reply, body: &Document, cloud: &Cloud) -> Fault {
    let message = body.member("Message").and_then(Document::scalar).unwrap_or_default();
    let request = reply.header("x-ucloud-request-uuid").unwrap_or_default();
    Fault::new(kind, format!("{} answered {code}: {message}", cloud.title))
        .caused_by(format!("request {request} of {}", cloud.title))
}

fn lost(cloud: &Cloud, what: &str) -> Fault {
    Fault::new(FaultKind::TargetLost, format!("{} answered {what}", cloud.title))
}

fn not_one(count: usize) -> Fault {
    Fault::new(FaultKind::Internal, format!("one call takes one backend by its id, not {count}"))
}

fn name_group(params: &mut Params, group: &GroupRef, cloud: &Cloud) -> Result<(), Fault> {
    name_place(params, group.load_balancer.as_ref(), &group.place, cloud)?;
    params.push(&cloud.group.group, group.group.as_str());
    Ok(())
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
