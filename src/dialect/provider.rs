//! What a cloud publishes: a struct of parts, each replaceable, none knowing the others.

use super::{
    arrival::Arrival,
    asked::Asked,
    handler::Answer,
    scheme::{Invocation, Scheme},
};
use crate::{
    auth::Stamp,
    mapping::{Cloud, Format, Shape},
    model::{Fault, Operation, Outcome},
    wire::{Call, Reply},
};

/// One cloud.
#[derive(Debug, Clone, Copy)]
pub struct Provider {
    /// The provider id: the name in the config and of the folder of mapping files.
    pub id: &'static str,
    /// Reads its requests and writes its replies.
    pub ingress: &'static dyn Ingress,
    /// Writes requests to it and reads its replies.
    pub egress: &'static dyn Egress,
    /// Its signature schemes, in the order in which a request is tried against them.
    pub schemes: &'static [&'static dyn Scheme],
    /// What to show a newcomer.
    pub showcase: Showcase,
}

/// A request to try, and how to point the cloud's own SDK at a gateway.
#[derive(Debug, Clone, Copy)]
pub struct Showcase {
    /// The query of a request that adds one backend of the embedded resource map, unsigned.
    pub request: &'static str,
    /// A Python snippet for the vendor's SDK; `{address}`, `{key_id}` and `{secret}` stand for the gateway's.
    pub snippet: &'static str,
}

/// The cloud's side of a conversation with its own clients.
pub trait Ingress: Sync + std::fmt::Debug {
    /// How much a call looks like one of this cloud's. Cheap, and lenient towards a body that was cut off.
    fn likeness(&self, call: &Call, cloud: &Cloud) -> Likeness;

    /// Decodes the parameters, wherever they travel.
    ///
    /// # Errors
    /// Broken encodings, a body that cannot be read, a parameter that stands there twice, a method other than GET
    /// and POST.
    fn unpack(&self, call: Call) -> Result<Arrival, Fault>;

    /// What a reply has to be written by, as far as a call says that has not been unpacked, or cannot be.
    fn envelope(&self, call: &Call, stamp: &Stamp, cloud: &Cloud) -> Envelope;

    /// Completes the envelope by what the unpacked call says.
    fn complete(&self, envelope: &mut Envelope, arrival: &Arrival, cloud: &Cloud);

    /// Reads what a call asks for.
    ///
    /// # Errors
    /// A fault that names the parameter as the caller wrote it, and what is allowed;
    /// [`UnknownAction`](crate::model::FaultKind::UnknownAction) for an action that no table has.
    fn read(&self, arrival: &Arrival, cloud: &Cloud) -> Result<Asked, Fault>;

    /// The call without anything that authenticates it: what is left to be signed anew.
    fn invocation(&self, arrival: &Arrival) -> Invocation;

    /// Writes what came of an operation that succeeded.
    ///
    /// # Errors
    /// An outcome that this cloud has no words for.
    fn write_success(
        &self,
        envelope: &Envelope,
        operation: Option<&Operation>,
        outcome: &Outcome,
        cloud: &Cloud,
    ) -> Result<Reply, Fault>;

    /// Writes a fault as the error that this cloud answers.
    fn write_error(&self, envelope: &Envelope, fault: &Fault, cloud: &Cloud) -> Reply;

    /// Writes either.
    fn write_reply(
        &self,
        envelope: &Envelope,
        operation: Option<&Operation>,
        result: Result<&Answer, &Fault>,
        cloud: &Cloud,
    ) -> Reply {
        let written = match result {
            Ok(Answer::Translated { outcome, losses: _ }) => {
                self.write_success(envelope, operation, outcome, cloud)
            }
            Ok(Answer::Passed(reply)) => return reply.clone(),
            Err(fault) => return self.write_error(envelope, fault, cloud),
        };
        written.unwrap_or_else(|fault| self.write_error(envelope, &fault, cloud))
    }
}

/// The cloud's side of a conversation with the gateway.
pub trait Egress: Sync + std::fmt::Debug {
    /// Writes the one call that carries a step out. A step asks no more than the cloud's capability says.
    ///
    /// # Errors
    /// A step that this cloud has no words for.
    fn write_call(&self, step: &Operation, cloud: &Cloud) -> Result<Invocation, Fault>;

    /// The fault that a reply to a call that was passed on as it came tells of, if it concerns the gateway and not the
    /// caller: the gateway's own key, signature or project.
    fn own_fault(&self, reply: &Reply, cloud: &Cloud) -> Option<Fault>;

    /// What a reply says of itself, whatever came of the call: for who looks into it later.
    fn receipt(&self, reply: &Reply) -> Receipt;

    /// Reads what came of it.
    ///
    /// # Errors
    /// The fault that the reply tells of; [`TargetLost`](crate::model::FaultKind::TargetLost) for one that makes no sense.
    fn read_reply(&self, step: &Operation, reply: &Reply, cloud: &Cloud) -> Result<Outcome, Fault>;
}

/// What a reply says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Receipt {
    /// The cloud's id of the call.
    pub request_id: Option<String>,
    /// The cloud's code of an error; none of a success.
    pub code: Option<String>,
}

/// How much a call looks like one of a cloud's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likeness {
    /// Not at all.
    None,
    /// It names an action that this cloud has.
    Action,
    /// It carries one of this cloud's authentication parameters.
    Credentials,
}

/// What a reply has to be written by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The action, empty if the request names none.
    pub action: String,
    /// The format that the request asks for.
    pub format: Format,
    /// The shape that the client is configured for.
    pub shape: Shape,
    /// The request id, in the cloud's own spelling.
    pub request_id: String,
    /// The host that the client called.
    pub host: String,
}
