//! Reads this cloud's requests and writes its replies.

use std::{borrow::Cow, collections::HashSet};

use http::{Method, StatusCode, header};

use super::{
    envelope, replies,
    requests::{Reader, Request},
};
use crate::{
    auth::Stamp,
    dialect::{Arrival, Asked, Envelope, Ingress, Invocation, Likeness},
    mapping::{Action, Cloud, Shape},
    model::{Fault, FaultKind, Operation, Outcome},
    wire::{Call, Param, Params, Reply, excerpt},
};

/// UCloud ULB towards its clients.
#[derive(Debug)]
pub(super) struct Ulb;

impl Ingress for Ulb {
    fn likeness(&self, call: &Call, cloud: &Cloud) -> Likeness {
        let mut named = false;
        let known = |name| str::from_utf8(name).is_ok_and(|name| cloud.actions.named(name).is_some());
        for (name, value) in call.raw_pairs() {
            match name {
                b"PublicKey" => return Likeness::Credentials,
                b"Action" => named |= known(value),
                _ => {}
            }
        }
        let json = call.body.trim_ascii_start().starts_with(b"{");
        let body = if json { String::from_utf8_lossy(&call.body) } else { Cow::Borrowed("") };
        if body.contains("\"PublicKey\"") {
            return Likeness::Credentials;
        }
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
        let sent: HashSet<&Param> = params.iter().filter(|_| !query.is_empty()).collect();
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

    fn envelope(&self, call: &Call, stamp: &Stamp, cloud: &Cloud) -> Envelope {
        Envelope {
            action: String::new(),
            format: cloud.default_format,
            shape: Shape::Live,
            request_id: stamp.uuid(),
            host: call.header(header::HOST.as_str()).unwrap_or_default().to_owned(),
        }
    }

    fn complete(&self, envelope: &mut Envelope, arrival: &Arrival, _cloud: &Cloud) {
        arrival.params.filled("Action").unwrap_or_default().clone_into(&mut envelope.action);
    }

    fn read(&self, arrival: &Arrival, cloud: &Cloud) -> Result<Asked, Fault> {
        let params = &arrival.params;
        let (action, reader) = action(params, cloud)?;
        check_names(action, params, cloud)?;
        let asked = reader(&Request { action, params, cloud })?;
        Ok(Asked { untranslated: action.untranslated_in(params), ..asked })
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
        let members = replies::write(&envelope.action, operation, outcome, cloud)?;
        Ok(envelope::reply(envelope, StatusCode::OK, "0", members))
    }

    fn write_error(&self, envelope: &Envelope, fault: &Fault, cloud: &Cloud) -> Reply {
        envelope::error(envelope, fault, cloud)
    }
}

/// The action that a call names, and who reads its requests. An action that is not translated is told as such whatever
/// its parameters: it may still be passed on as it came.
fn action<'c>(params: &Params, cloud: &'c Cloud) -> Result<(&'c Action, Reader<'c>), Fault> {
    let name = params
        .filled("Action")
        .ok_or_else(|| Fault::of_field(FaultKind::MissingAction, "Action", "name the action to perform"))?;
    let action = cloud.actions.named(name);
    let reader = action.and_then(Action::operation).and_then(Request::reader);
    action.zip(reader).ok_or_else(|| {
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
