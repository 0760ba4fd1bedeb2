//! Writes requests to this cloud and reads its replies.

use super::backends;
use crate::{
    dialect::{Egress, Invocation},
    mapping::{Cloud, Faults},
    model::{
        AddBackends, Backend, BackendRef, Fault, FaultKind, Field, Group, GroupId, Health, Member, Operation,
        Outcome, Place, RemoveBackends, Scope,
    },
    wire::{Document, Params, Reply},
};

/// Alibaba Cloud SLB as a target.
#[derive(Debug)]
pub(super) struct Slb;

impl Egress for Slb {
    fn write_call(&self, step: &Operation, cloud: &Cloud) -> Result<Invocation, Fault> {
        let mut params = Params::default();
        match step {
            Operation::AddBackends(AddBackends { group, backends }) => {
                name_group(&mut params, &group.group, &group.place, cloud);
                params.push(backends::LIST, backends::write_list(backends, &Field::ALL, &cloud.backend)?);
            }
            Operation::RemoveBackends(RemoveBackends { scope: Scope { group, place, .. }, backends }) => {
                let Some(group) = group else {
                    return Err(Fault::new(FaultKind::Internal, "a removal that names no group"));
                };
                name_group(&mut params, group, place, cloud);
                let named = backends.iter().map(identity).collect::<Result<Vec<_>, _>>()?;
                params.push(backends::LIST, backends::write_list(&named, &IDENTITY, &cloud.backend)?);
            }
            Operation::DescribeGroup(group) => name_group(&mut params, &group.group, &group.place, cloud),
            _ => return Err(Fault::new(FaultKind::Internal, "not yet")),
        }
        let action = cloud.actions.calling(step.name())?;
        Ok(Invocation { action: action.name.clone(), version: cloud.version.clone(), params })
    }

    fn own_fault(&self, reply: &Reply, cloud: &Cloud) -> Option<Fault> {
        let body = Document::from_json(&reply.body).ok()?;
        told_fault(reply, &body, cloud).filter(|fault| fault.kind == FaultKind::TargetDenied)
    }

    fn read_reply(&self, step: &Operation, reply: &Reply, cloud: &Cloud) -> Result<Outcome, Fault> {
        let body = Document::from_json(&reply.body).map_err(|error| {
            let detail = format!("{} answered HTTP {} with no JSON", cloud.title, reply.status.as_u16());
            Fault::new(Faults::kind_without_code(reply.status), detail).caused_by(error)
        })?;
        if let Some(fault) = told_fault(reply, &body, cloud) {
            return Err(fault);
        }
        let members = backends::read_members(&body, &cloud.backend)
            .map_err(|fault| lost(cloud, "a list of backends that cannot be read").caused_by(fault))?;
        match step {
            Operation::AddBackends(add) => added(add, &members, cloud),
            Operation::RemoveBackends(_) => Ok(Outcome::Removed(Vec::new())),
            Operation::DescribeGroup(group) => Ok(Outcome::Group(Group::of(group.clone(), members))),
            _ => Err(Fault::new(FaultKind::Internal, "not yet")),
        }
    }
}

/// The fields that name a backend without saying anything else of it.
const IDENTITY: [Field; 4] = [Field::Resource, Field::Kind, Field::Address, Field::Port];

/// An add has worked when the reply lists what was asked for, as asked; it may list the rest of the group too.
fn added(add: &AddBackends, members: &[Member], cloud: &Cloud) -> Result<Outcome, Fault> {
    for wanted in &add.backends {
        match members.iter().find(|member| member.backend.same_entry(wanted)) {
            None => return Err(lost(cloud, &format!("a success that does not list {wanted}"))),
            Some(listed) if !listed.backend.same_traffic(wanted) => {
                let detail =
                    format!("{} lists {wanted} with another weight: it was there before", cloud.title);
                return Err(Fault::new(FaultKind::AlreadyPresent, detail));
            }
            Some(_) => {}
        }
    }
    let member = |backend: &Backend| Member { backend: backend.clone(), id: None, health: Health::Unknown };
    Ok(Outcome::Added(add.backends.iter().map(member).collect()))
}

/// The fault of a reply that tells of one: by its status, or by a `Code`.
fn told_fault(reply: &Reply, body: &Document, cloud: &Cloud) -> Option<Fault> {
    let text = |name: &str| body.member(name).and_then(Document::scalar);
    let code = match text("Code") {
        Some(code) => code,
        None if reply.status.is_success() => return None,
        None => return Some(lost(cloud, &format!("HTTP {} without a code", reply.status.as_u16()))),
    };
    let kind = cloud.faults.kind_of(reply.status, &code);
    let message = text("Message").unwrap_or_default();
    // What follows repeats every parameter of the call, the gateway's own token among them.
    let message = message.split("server string to sign").next().unwrap_or_default();
    let detail = format!("{} answered {code}: {message}", cloud.title);
    let request = text("RequestId").unwrap_or_default();
    Some(Fault::new(kind, detail).caused_by(format!("request {request} of {}", cloud.title)))
}

fn lost(cloud: &Cloud, what: &str) -> Fault {
    Fault::new(FaultKind::TargetLost, format!("{} answered {what}", cloud.title))
}

fn name_group(params: &mut Params, group: &GroupId, place: &Place, cloud: &Cloud) {
    if let Some(region) = &place.region {
        params.push(&cloud.group.region, region.as_str());
    }
    params.push(&cloud.group.group, group.as_str());
}

fn identity(named: &BackendRef) -> Result<Backend, Fault> {
    match named {
        BackendRef::At { target, port } => Ok(backends::identity(target, *port)),
        BackendRef::Id(id) => Err(Fault::new(
            FaultKind::UnknownBackend,
            format!("`{id}` does not say which server and port it is"),
        )),
    }
}
