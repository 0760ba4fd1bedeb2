//! What clouds answer, and how it is told on: any reply to any step is read the same way twice, and what came of it is told
//! to callers of either cloud in documents that are whole, JSON as well as XML.

use std::collections::HashSet;

use http::StatusCode;
use weighbridge::{
    dialect::{Answer, Envelope, Provider},
    mapping::{Cloud, Format, Shape},
    model::{Fault, Operation, Outcome},
    wire::{Document, Reply},
};

use super::{checks, clouds, message::read_reply, steps};

const FORMS: [(Format, Shape); 4] = [
    (Format::Json, Shape::Live),
    (Format::Xml, Shape::Live),
    (Format::Json, Shape::Documented),
    (Format::Xml, Shape::Documented),
];

pub fn run(input: &[u8]) {
    let Some(reply) = read_reply(input) else { return };
    reads_as_it_is_written(&reply.body);
    for (provider, cloud) in clouds::all() {
        let own = || provider.egress.own_fault(&reply, cloud).map(|fault| fault.to_string());
        assert_eq!(own(), own(), "it reads the same twice");
        let mut faults = HashSet::new();
        for step in steps::of(provider.id) {
            match answered(provider, cloud, &step, &reply) {
                Err(fault) if !faults.insert(fault.to_string()) => {}
                result => told_to_everybody(provider, cloud, &step, result),
            }
        }
    }
}

/// A document that was read is written as the text of just that document.
fn reads_as_it_is_written(body: &[u8]) {
    if let Ok(document) = Document::from_json(body) {
        assert_eq!(
            Document::from_json(document.to_json().as_bytes()),
            Ok(document),
            "it is written as it was read"
        );
    }
}

fn answered(provider: &Provider, cloud: &Cloud, step: &Operation, reply: &Reply) -> Result<Outcome, Fault> {
    let result = provider.egress.read_reply(step, reply, cloud);
    let again = provider.egress.read_reply(step, reply, cloud);
    let told = |result: &Result<Outcome, Fault>| result.as_ref().map_err(Fault::to_string).cloned();
    assert_eq!(told(&result), told(&again), "it reads the same twice");
    result
}

/// The front tells the caller what came of a request, whichever cloud's target it came from.
fn told_to_everybody(target: &Provider, cloud: &Cloud, step: &Operation, result: Result<Outcome, Fault>) {
    if let Ok(outcome) = &result {
        settles(target, cloud, step, outcome);
    }
    let answer = result.map(|outcome| Answer::Translated { outcome, losses: Vec::new() });
    for (provider, cloud) in clouds::all() {
        for (format, shape) in FORMS {
            let Some(envelope) = envelope(step, cloud, format, shape) else { continue };
            checks::well_formed(&provider.ingress.write_reply(&envelope, Some(step), answer.as_ref(), cloud));
        }
    }
}

/// What the reply to a caller of this cloud is written by; none where its callers cannot ask for such a thing.
fn envelope(step: &Operation, cloud: &Cloud, format: Format, shape: Shape) -> Option<Envelope> {
    let action = cloud.actions.calling(step.name()).ok()?.name.clone();
    let (request_id, host) = (clouds::stamp().uuid(), "slb.cn-hangzhou.aliyuncs.com".to_owned());
    Some(Envelope { action, format, shape, request_id, host })
}

/// An outcome that its own cloud writes and reads again may have lost what that cloud does not tell. From then on it stays as
/// it is.
fn settles(provider: &Provider, cloud: &Cloud, step: &Operation, outcome: &Outcome) {
    let once = |outcome: &Outcome| {
        let envelope = envelope(step, cloud, Format::Json, Shape::Live)?;
        let reply = provider.ingress.write_success(&envelope, Some(step), outcome, cloud).ok()?;
        assert_eq!(reply.status, StatusCode::OK);
        provider.egress.read_reply(step, &reply, cloud).ok()
    };
    let Some(settled) = once(outcome) else { return };
    assert_eq!(once(&settled), Some(settled), "it stays as it is, having been {outcome:?}");
}
