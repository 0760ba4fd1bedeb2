//! Reads this cloud's requests and writes its replies.

use std::collections::HashSet;

use http::{Method, StatusCode, header};

use super::{backends, envelope};
use crate::{
    auth::Stamp,
    dialect::{Arrival, Asked, Envelope, Ingress, Invocation, Likeness},
    mapping::{Action, Cloud, Reading, Shape},
    model::{
        AddBackends, BackendId, BackendRef, Fault, FaultKind, GroupId, GroupRef, LoadBalancerId, Member,
        Operation, OperationName, Outcome, Place, ProjectId, RegionId, RemoveBackends, Scope,
    },
    wire::{Call, Document, Param, Params, Reply, excerpt},
};

/// UCloud ULB towards its clients.
#[derive(Debug)]
pub(super) struct Ulb;

impl Ingress for Ulb {
    fn likeness(&self, call: &Call, cloud: &Cloud) -> Likeness {
        let body = String::from_utf8_lossy(&call.body);
        let value = |name: &str| {
            let mut raw = [call.query.as_str(), &body].into_iter().flat_map(|raw| raw.split('&'));
            raw.find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
        };
        let json = body.trim_start().starts_with('{');
        if value("PublicKey").is_some() || (json && body.contains("\"PublicKey\"")) {
            return Likeness::Credentials;
        }
        let named = value("Action").is_some_and(|name| cloud.actions.named(name).is_some());
        let in_json = |action: &Action| json && body.contains(&format!("\"{}\"", action.name));
        if named || cloud.actions.iter().any(in_json) { Likeness::Action } else { Likeness::None }
    }

    fn unpack(&self, call: Call) -> Result<Arrival, Fault> {
        if call.method != Method::GET && call.method != Method::POST {
            let detail = format!("it is `{}`; use GET or POST", call.method);
            return Err(Fault::new(FaultKind::UnknownMethod, detail));
        }
        let query = Params::decode(&call.query).map_err(envelope::bad_encoding)?;
        let (mut params, mut signed) = envelope::body_params(&call)?;
        // Go's SDK repeats `Action` in the query: the same name with the same value is the same parameter.
        let sent: HashSet<&Param> = params.iter().collect();
        let own: Vec<Param> = query.into_iter().filter(|param| !sent.contains(param)).collect();
        if let Some(signed) = &mut signed {
            signed.extend(own.clone());
        }
        params.extend(own);
        let doubled = params.doubled().or_else(|| signed.as_ref().and_then(Params::doubled));
        if let Some(name) = doubled {
            let fault = Fault::of_field(
                FaultKind::DoubledParameter,
                name.to_owned(),
                "it stands there twice; send it once",
            );
            return Err(fault);
        }
        Ok(Arrival { call, params, signed })
    }

    fn envelope(&self, call: &Call, arrival: Option<&Arrival>, stamp: &Stamp, cloud: &Cloud) -> Envelope {
        let action = arrival.and_then(|arrival| arrival.params.filled("Action"));
        Envelope {
            action: action.unwrap_or_default().to_owned(),
            format: cloud.default_format,
            shape: Shape::Live,
            request_id: stamp.uuid(),
            host: call.header(header::HOST.as_str()).unwrap_or_default().to_owned(),
        }
    }

    fn read(&self, arrival: &Arrival, cloud: &Cloud) -> Result<Asked, Fault> {
        let params = &arrival.params;
        let action = action(params, cloud)?;
        check_names(action, params, cloud)?;
        let place = place(params, cloud);
        let load_balancer = named(params, cloud.group.load_balancer.as_deref(), LoadBalancerId::new);
        let operation = match action.operation() {
            Some(OperationName::RemoveBackends) => {
                let backends = params.filled("BackendId").and_then(BackendId::new).map(BackendRef::Id);
                let backends = backends.into_iter().collect();
                let scope = Scope { load_balancer, group: None, place };
                Operation::RemoveBackends(RemoveBackends { scope, backends })
            }
            Some(OperationName::DescribeGroup) => {
                Operation::DescribeGroup(group(params, load_balancer, place, cloud)?)
            }
            Some(OperationName::AddBackends) => {
                let readings = added(action, params, cloud)?;
                let ineffective = readings.iter().flat_map(|reading| reading.ineffective.clone()).collect();
                let backends = readings.into_iter().map(|reading| reading.backend).collect();
                let group = group(params, load_balancer, place, cloud)?;
                let operation = Operation::AddBackends(AddBackends { group, backends });
                return Ok(Asked { ineffective, ..Asked::all(operation) });
            }
            _ => return Err(Fault::new(FaultKind::UnknownAction, "not yet")),
        };
        Ok(Asked::all(operation))
    }

    fn invocation(&self, arrival: &Arrival) -> Invocation {
        let mut params = arrival.params.clone();
        params.retain(|name| !envelope::is_envelope(name));
        let action = arrival.params.get("Action").unwrap_or_default().to_owned();
        Invocation { action, version: None, params }
    }

    fn write_success(
        &self,
        envelope: &Envelope,
        operation: Option<&Operation>,
        outcome: &Outcome,
        cloud: &Cloud,
    ) -> Result<Reply, Fault> {
        let members = success(envelope, operation, outcome, cloud)?;
        Ok(envelope::reply(envelope, StatusCode::OK, "0", members))
    }

    fn write_error(&self, envelope: &Envelope, fault: &Fault, cloud: &Cloud) -> Reply {
        envelope::error(envelope, fault, cloud)
    }
}

fn action<'c>(params: &Params, cloud: &'c Cloud) -> Result<&'c Action, Fault> {
    let name = params
        .filled("Action")
        .ok_or_else(|| Fault::of_field(FaultKind::MissingAction, "Action", "name the action to perform"))?;
    cloud.actions.named(name).ok_or_else(|| {
        let detail = "it is not translated by this gateway";
        Fault::of_field(FaultKind::UnknownAction, excerpt(name), detail)
    })
}

/// Every required parameter is there, and no other than the action has: the signature has no boundaries, so a
/// letter moved from a value into its name would still verify.
fn check_names(action: &Action, params: &Params, cloud: &Cloud) -> Result<(), Fault> {
    if let Some(unknown) = params.iter().find(|param| cloud.actions.refuses(action, &param.name)) {
        let detail = format!("{} has no such parameter", action.name);
        return Err(Fault::of_field(FaultKind::UnknownParameter, unknown.name.clone(), detail));
    }
    match action.required.iter().find(|name| !action.has(params, name)) {
        None => Ok(()),
        Some(name) => Err(Fault::of_field(FaultKind::MissingParameter, name.clone(), "")),
    }
}

fn added(action: &Action, params: &Params, cloud: &Cloud) -> Result<Vec<Reading>, Fault> {
    if action.required.iter().any(|name| name == backends::BATCH) {
        backends::read_batch(params, action.max_backends, cloud)
    } else {
        backends::read_single(params, cloud).map(|reading| vec![reading])
    }
}

fn place(params: &Params, cloud: &Cloud) -> Place {
    Place {
        region: named(params, Some(&cloud.group.region), RegionId::new),
        project: named(params, cloud.group.project.as_deref(), ProjectId::new),
    }
}

fn group(
    params: &Params,
    load_balancer: Option<LoadBalancerId>,
    place: Place,
    cloud: &Cloud,
) -> Result<GroupRef, Fault> {
    let name = &cloud.group.group;
    let missing = || Fault::of_field(FaultKind::MissingParameter, name.clone(), "");
    let group = named(params, Some(name), GroupId::new).ok_or_else(missing)?;
    Ok(GroupRef { load_balancer, group, place })
}

fn named<T>(params: &Params, name: Option<&str>, id: impl Fn(String) -> Option<T>) -> Option<T> {
    params.filled(name?).map(str::to_owned).and_then(id)
}

fn success(
    envelope: &Envelope,
    operation: Option<&Operation>,
    outcome: &Outcome,
    cloud: &Cloud,
) -> Result<Vec<(String, Document)>, Fault> {
    let single = cloud.actions.named(&envelope.action).is_some_and(|action| action.max_backends == 1);
    Ok(match outcome {
        Outcome::Removed(_) => Vec::new(),
        Outcome::Added(members) => match members.as_slice() {
            [Member { id, .. }] if single => {
                vec![("BackendId".to_owned(), backends::id_text(id.as_ref()))]
            }
            members => {
                let set = members.iter().map(backends::write_batch_member).collect();
                vec![("BackendSet".to_owned(), Document::List(set))]
            }
        },
        Outcome::Group(group) => described(operation, &group.members, cloud)?,
        _ => Vec::new(),
    })
}

/// DescribeVServer: a list of one `VServer`, as far as the gateway knows it.
fn described(
    operation: Option<&Operation>,
    members: &[Member],
    cloud: &Cloud,
) -> Result<Vec<(String, Document)>, Fault> {
    let Some(Operation::DescribeGroup(GroupRef { load_balancer, group, place: _ })) = operation else {
        return Err(Fault::new(FaultKind::Internal, "a description of no group"));
    };
    let set = members.iter().map(|member| backends::write_member(member, cloud)).collect::<Result<_, _>>()?;
    let load_balancer = load_balancer.as_ref().map(LoadBalancerId::as_str).unwrap_or_default();
    let vserver = Document::record([
        ("ULBId", Document::text(load_balancer)),
        ("VServerId", Document::text(group.as_str())),
        ("BackendSet", Document::List(set)),
    ]);
    let list = Document::List(vec![vserver]);
    Ok(vec![("TotalCount".to_owned(), Document::number(1)), ("DataSet".to_owned(), list)])
}
