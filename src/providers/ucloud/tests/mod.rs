//! What is written for this cloud is read back as what it was, and what callers and targets spell in many ways is read
//! as one thing.

mod random;
mod replies;
mod requests;
mod round_trips;
mod targets;

use std::sync::{Arc, LazyLock};

use http::{HeaderValue, Method, StatusCode, header};
use jiff::Timestamp;
use proptest::{collection::vec, option, prelude::*, sample::subsequence};

use super::{PROVIDER, egress, ingress, sign_sha1::Sha1};
use crate::{
    auth::{Credential, Stamps},
    crypto::Secret,
    dialect::{Arrival, Asked, Egress, Envelope, Ingress, Invocation, Scheme},
    mapping::{Cloud, Format, OptionRow, Shape, Sources, Tables},
    model::{
        AddBackends, Backend, BackendId, BackendRef, Change, CreateGroup, DescribeHealth, Detail, Fault,
        FaultKind, Group, GroupId, GroupRef, Health, Kind, ListGroups, ListLoadBalancers, Listener,
        ListenerOption, LoadBalancer, LoadBalancerFilter, LoadBalancerId, LoadBalancerRef, Member, Operation,
        Outcome, Page, Place, Port, ProjectId, Protocol, Reach, Refusal, RegionId, RemoveBackends,
        ReplaceBackends, ResourceId, Scope, SubnetId, Target, Traffic, UpdateBackends, UpdateGroup, Updated,
        VpcId, Weight,
    },
    wire::{Call, Params, Reply},
};

static CLOUD: LazyLock<Arc<Cloud>> = LazyLock::new(|| {
    let tables = Tables::compile(&Sources::embedded()).unwrap();
    Arc::clone(tables.cloud(PROVIDER.id).unwrap())
});

fn received(invocation: &Invocation) -> Arrival {
    let credential = Credential { key_id: "key".to_owned(), secret: Secret::new("secret"), token: None };
    let call = Sha1.sign(invocation, "", &credential, &Stamps::fixed(Timestamp::UNIX_EPOCH).next());
    ingress::Ulb.unpack(call).unwrap()
}

/// What this cloud's own ingress makes of the call that a step is.
fn there(step: &Operation) -> Asked {
    let arrival = received(&egress::Ulb.write_call(step, &CLOUD).unwrap());
    Asked { given: Vec::new(), ..ingress::Ulb.read(&arrival, &CLOUD).unwrap() }
}

/// What the egress makes of the reply in which this cloud's own ingress tells an outcome.
fn back(step: &Operation, outcome: &Outcome) -> Result<Outcome, Fault> {
    let action = egress::Ulb.write_call(step, &CLOUD).unwrap().action;
    let reply = ingress::Ulb.write_success(&envelope(&action), Some(step), outcome, &CLOUD).unwrap();
    egress::Ulb.read_reply(step, &reply, &CLOUD)
}

fn envelope(action: &str) -> Envelope {
    Envelope {
        action: action.to_owned(),
        format: Format::Json,
        shape: Shape::Live,
        request_id: "6d7cd3b6-3c4a-4c9b-9a57-2b7c5d6e8f90".to_owned(),
        host: String::new(),
    }
}

/// The body of a success.
fn told(action: &str, operation: Option<&Operation>, outcome: &Outcome) -> serde_json::Value {
    let reply = ingress::Ulb.write_success(&envelope(action), operation, outcome, &CLOUD).unwrap();
    serde_json::from_slice(&reply.body).unwrap()
}

/// What the egress makes of a body.
fn heard(step: &Operation, body: &str) -> Result<Outcome, Fault> {
    egress::Ulb.read_reply(step, &Reply::new(StatusCode::OK, "application/json", body.to_owned()), &CLOUD)
}

fn change(id: &str, weight: u32, enabled: bool, standby: bool) -> Change {
    let backend = BackendRef::Id(BackendId::new(id).unwrap());
    let (enabled, standby) = (Some(enabled), Some(standby));
    Change { weight: Weight::new(weight), enabled, standby, ..Change::of(backend) }
}
