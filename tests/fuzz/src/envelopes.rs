//! Both clouds' envelopes: whatever a call looks like, it is read the same way twice, or refused in its own cloud's form
//! and as a fault of the caller's.

use std::fmt::Debug;

use weighbridge::{
    dialect::{Arrival, Provider},
    mapping::Cloud,
    model::Fault,
    wire::Call,
};

use super::{checks, clouds, message::read_call};

pub fn run_aliyun(input: &[u8]) {
    run("aliyun", input);
}

pub fn run_ucloud(input: &[u8]) {
    run("ucloud", input);
}

fn run(id: &str, input: &[u8]) {
    let Some(call) = read_call(input) else { return };
    let (provider, cloud) = clouds::cloud(id);
    let likeness = || provider.ingress.likeness(&call, cloud);
    assert_eq!(likeness(), likeness(), "it looks the same twice");
    let arrival = unpack(provider, &call);
    let mut envelope = provider.ingress.envelope(&call, &clouds::stamp(), cloud);
    if let Ok(arrival) = &arrival {
        provider.ingress.complete(&mut envelope, arrival, cloud);
    }
    for fault in faults(provider, cloud, arrival) {
        let reply = checks::refusal(provider, cloud, &envelope, &fault);
        assert_eq!(checks::well_formed(&reply), envelope.format, "{fault}");
        assert!(!reply.status.is_server_error(), "{}: {fault}", reply.status);
    }
}

fn unpack(provider: &Provider, call: &Call) -> Result<Arrival, Fault> {
    let arrival = provider.ingress.unpack(call.clone());
    let again = provider.ingress.unpack(call.clone());
    let parts = |arrival: &Arrival| (arrival.params.clone(), arrival.signed.clone());
    same_twice(arrival.as_ref().map(parts), again.as_ref().map(parts));
    if let Ok(arrival) = &arrival {
        assert_eq!(arrival.params.doubled(), None, "no parameter stands there twice");
        assert_eq!(arrival.signed().doubled(), None, "nor in what is signed");
    }
    arrival
}

/// Everything that the call may be refused for.
fn faults(provider: &Provider, cloud: &Cloud, arrival: Result<Arrival, Fault>) -> Vec<Fault> {
    let arrival = match arrival {
        Ok(arrival) => arrival,
        Err(fault) => return vec![fault],
    };
    let asked = provider.ingress.read(&arrival, cloud);
    same_twice(asked.as_ref(), provider.ingress.read(&arrival, cloud).as_ref());
    let claims = provider.schemes.iter().filter_map(|scheme| scheme.claim(&arrival));
    claims.filter_map(Result::err).chain(asked.err()).collect()
}

/// Faults carry no `==`, and are told apart by what they say.
fn same_twice<T: PartialEq + Debug>(one: Result<T, &Fault>, two: Result<T, &Fault>) {
    assert_eq!(one.map_err(Fault::to_string), two.map_err(Fault::to_string), "it reads the same twice");
}
