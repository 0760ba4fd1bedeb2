//! Reads this cloud's requests and writes its replies.

use http::{Method, header};

use super::{envelope, replies, requests::Request};
use crate::{
    auth::Stamp,
    dialect::{Arrival, Asked, Envelope, Ingress, Invocation, Likeness},
    mapping::{Action, Cloud, Shape},
    model::{Fault, FaultKind, Operation, Outcome},
    wire::{Call, Params, Reply, excerpt},
};

/// Alibaba Cloud SLB towards its clients.
#[derive(Debug)]
pub(super) struct Slb;

impl Ingress for Slb {
    fn likeness(&self, call: &Call, cloud: &Cloud) -> Likeness {
        if call.header(header::AUTHORIZATION.as_str()).is_some_and(|value| value.starts_with("ACS3-")) {
            return Likeness::Credentials;
        }
        let mut named = call.header(envelope::ACTION_HEADER).is_some();
        let known = |name| str::from_utf8(name).is_ok_and(|name| cloud.actions.named(name).is_some());
        for (name, value) in call.raw_pairs() {
            match name {
                b"AccessKeyId" | b"SignatureNonce" | b"SignatureMethod" => return Likeness::Credentials,
                b"Action" => named |= known(value),
                _ => {}
            }
        }
        if named { Likeness::Action } else { Likeness::None }
    }

    fn unpack(&self, call: Call) -> Result<Arrival, Fault> {
        if call.method != Method::GET && call.method != Method::POST {
            let detail = format!("the method is `{}`; use GET or POST", call.method);
            return Err(Fault::new(FaultKind::UnknownMethod, detail));
        }
        let mut params = Params::decode(&call.query).map_err(envelope::bad_encoding)?;
        params.extend(body_params(&call)?);
        if let Some(name) = params.doubled() {
            let detail = format!("`{name}` stands there twice; send it once, in the query or in the body");
            return Err(Fault::of_field(FaultKind::DoubledParameter, name.to_owned(), detail));
        }
        Ok(Arrival { call, params, signed: None })
    }

    fn envelope(&self, call: &Call, stamp: &Stamp, cloud: &Cloud) -> Envelope {
        Envelope {
            action: String::new(),
            format: envelope::format(call, envelope::raw_format(call), cloud),
            shape: Shape::Live,
            request_id: stamp.uuid().to_ascii_uppercase(),
            host: call.header(header::HOST.as_str()).unwrap_or_default().to_owned(),
        }
    }

    fn complete(&self, envelope: &mut Envelope, arrival: &Arrival, cloud: &Cloud) {
        envelope::action(arrival).unwrap_or_default().clone_into(&mut envelope.action);
        envelope.format = envelope::format(&arrival.call, arrival.params.filled("Format"), cloud);
    }

    fn read(&self, arrival: &Arrival, cloud: &Cloud) -> Result<Asked, Fault> {
        let action = action(arrival, cloud)?;
        let params = &arrival.params;
        check_required(action, params)?;
        Request { action, params, cloud }.asked()
    }

    fn invocation(&self, arrival: &Arrival) -> Invocation {
        let mut params = arrival.params.clone();
        params.retain(|name| !envelope::is_envelope(name));
        Invocation {
            action: envelope::action(arrival).unwrap_or_default().to_owned(),
            version: envelope::version(arrival).map(str::to_owned),
            params,
        }
    }

    fn write_success(
        &self,
        envelope: &Envelope,
        operation: Option<&Operation>,
        outcome: &Outcome,
        cloud: &Cloud,
    ) -> Result<Reply, Fault> {
        replies::write(envelope, operation, outcome, cloud)
    }

    fn write_error(&self, envelope: &Envelope, fault: &Fault, cloud: &Cloud) -> Reply {
        envelope::error(envelope, fault, cloud)
    }
}

fn body_params(call: &Call) -> Result<Params, Fault> {
    if call.body.is_empty() {
        return Ok(Params::default());
    }
    let malformed = |detail: String| Fault::new(FaultKind::MalformedBody, detail);
    match call.media_type().as_deref() {
        Some(envelope::FORM) => {
            let text = std::str::from_utf8(&call.body);
            let text = text.map_err(|_| malformed("the form body is not UTF-8 text".to_owned()))?;
            Params::decode(text).map_err(envelope::bad_encoding)
        }
        other => Err(malformed(format!(
            "the body is `{}`; send parameters in the query or as `{}`",
            other.unwrap_or("of no content type"),
            envelope::FORM
        ))),
    }
}

fn action<'c>(arrival: &Arrival, cloud: &'c Cloud) -> Result<&'c Action, Fault> {
    let name = envelope::action(arrival)
        .ok_or_else(|| Fault::of_field(FaultKind::MissingAction, "Action", "name the action to perform"))?;
    let wanted = cloud.version.as_deref();
    if let Some(version) = envelope::version(arrival).filter(|version| wanted != Some(version)) {
        let detail = format!("it is `{version}`; write `{}`", wanted.unwrap_or_default());
        return Err(Fault::of_field(FaultKind::UnknownVersion, "Version", detail));
    }
    cloud.actions.named(name).ok_or_else(|| {
        let detail = format!("`{}` is not translated by this gateway", excerpt(name));
        Fault::of_field(FaultKind::UnknownAction, excerpt(name), detail)
    })
}

fn check_required(action: &Action, params: &Params) -> Result<(), Fault> {
    match action.required.iter().find(|name| !action.has(params, name)) {
        None => Ok(()),
        Some(name) => Err(Fault::of_field(FaultKind::MissingParameter, name.clone(), "")),
    }
}
