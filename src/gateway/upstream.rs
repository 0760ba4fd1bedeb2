//! Signs and sends one call, and reads its reply.

use std::{collections::HashMap, sync::Arc, time::Duration};

use http::{HeaderMap, HeaderName, header};
use tracing::{debug, warn};

use crate::{
    auth::Stamps,
    config::{Config, Target},
    dialect::{Arrival, BoxFuture, Invocation, Provider, Receipt, Scheme},
    engine::Upstream,
    http::{Client, SendError, TlsError},
    mapping::Cloud,
    model::{Fault, FaultKind, Operation, Outcome, Place, RegionId},
    telemetry::{Account, Calling, Telemetry, Told},
    wire::{Call, Params, Reply},
};

/// The longest reply that is read: a full group of 200 backends is some 60 kB.
const MAX_REPLY_BYTES: usize = 4 * 1024 * 1024;

/// Targets reached over HTTP.
#[derive(Debug)]
pub struct HttpUpstream {
    stamps: Stamps,
    telemetry: Arc<Telemetry>,
    within: Duration,
    reached: HashMap<Arc<str>, Reached>,
}

/// One target with everything that it takes to call it, found once.
#[derive(Debug)]
struct Reached {
    provider: &'static Provider,
    cloud: Arc<Cloud>,
    scheme: &'static dyn Scheme,
    client: Client,
    /// The authority that the client trusts.
    ca: Option<Vec<u8>>,
}

impl HttpUpstream {
    /// Connects to nothing yet; makes a pool of connections for each target.
    ///
    /// # Errors
    /// [`TlsError`] for a target's authority that cannot be used.
    pub fn new(
        config: &Config,
        providers: &'static [Provider],
        stamps: Stamps,
        telemetry: Arc<Telemetry>,
    ) -> Result<Self, TlsError> {
        let nobody = Self { stamps, telemetry, within: Duration::ZERO, reached: HashMap::new() };
        nobody.succeeded_by(config, providers)
    }

    /// The same for another config. Connections to a target that trusts the same authority are kept.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn succeeded_by(&self, config: &Config, providers: &'static [Provider]) -> Result<Self, TlsError> {
        let mut reached = HashMap::new();
        for target in &config.targets {
            let known = self.reached.get(&target.name).filter(|known| known.ca == target.ca);
            let client = match known {
                Some(known) => known.client.clone(),
                None => Client::new(target.ca.as_deref())?,
            };
            let provider = providers.iter().find(|provider| provider.id == target.provider);
            let parts = provider.and_then(|provider| {
                let cloud = Arc::clone(config.tables.cloud(provider.id)?);
                let scheme = target_scheme(provider, target)?;
                Some(Reached { provider, cloud, scheme, client, ca: target.ca.clone() })
            });
            reached.extend(parts.map(|parts| (target.name.clone(), parts)));
        }
        let (stamps, telemetry) = (self.stamps.clone(), Arc::clone(&self.telemetry));
        Ok(Self { stamps, telemetry, within: config.limits.upstream_timeout, reached })
    }

    fn reached(&self, target: &Target) -> Result<&Reached, Fault> {
        let nowhere =
            || Fault::new(FaultKind::Internal, format!("the target `{}` is not set up", target.name));
        self.reached.get(&target.name).ok_or_else(nowhere)
    }

    async fn carry_out(
        &self,
        target: &Target,
        step: &Operation,
        account: &Account,
    ) -> Result<Outcome, Fault> {
        let Reached { provider, cloud, scheme, client, ca: _ } = self.reached(target)?;
        let invocation = provider.egress.write_call(step, cloud)?;
        let call = signed(&invocation, step, target, *scheme, &self.stamps);
        let Invocation { action, version: _, params } = invocation;
        let calling = account.calls(&target.name, &action, params);
        let sent = client.send(call, self.within, MAX_REPLY_BYTES).await;
        let receipt = receipt(provider, &sent);
        let (counted_as, outcome) = (counted_as(cloud, &sent, &receipt), read(provider, cloud, step, sent));
        self.told(target, &action, calling, receipt, &counted_as, outcome.as_ref().err());
        outcome
    }

    async fn hand_on(&self, target: &Target, arrival: &Arrival, account: &Account) -> Result<Reply, Fault> {
        let Reached { provider, cloud, scheme, client, ca: _ } = self.reached(target)?;
        let (origin, invocation) = passed_on(provider, cloud, target, arrival);
        let mut call = scheme.sign(&invocation, &origin, &target.credential, &self.stamps.next());
        add_headers(&mut call.headers, &target.headers);
        // Nobody knows what is secret among the parameters of a call that no table has.
        let calling = account.calls(&target.name, &invocation.action, Params::default());
        let sent = client.send(call, self.within, MAX_REPLY_BYTES).await;
        let receipt = receipt(provider, &sent);
        let counted_as = counted_as(cloud, &sent, &receipt);
        let reply = sent.map_err(|error| unsent(cloud, error)).and_then(|reply| {
            let refused = provider.egress.own_fault(&reply, cloud).map(own_key_refused);
            refused.map_or(Ok(reply), Err)
        });
        self.told(target, &invocation.action, calling, receipt, &counted_as, reply.as_ref().err());
        let mut reply = reply?;
        // What these say is about the connection to the target.
        for name in [header::CONNECTION, HeaderName::from_static("keep-alive")] {
            reply.headers.remove(name);
        }
        Ok(reply)
    }

    /// Takes down what came of a call: for the request's account, for the metrics, and for who debugs it.
    fn told(
        &self,
        target: &Target,
        action: &str,
        calling: Calling<'_>,
        receipt: Receipt,
        counted_as: &str,
        fault: Option<&Fault>,
    ) {
        let Receipt { request_id, code } = receipt;
        let (outcome, target) = (fault.map_or("done", |fault| fault.kind.name()), &target.name);
        debug!(target_name = %target, action, outcome, code, request_id, "called");
        if let Some(fault) = fault.filter(|fault| is_the_operators(fault.kind)) {
            warn!(target_name = %target, action, request_id, detail = ?fault.to_string(), cause = fault.causes(), "call failed");
        }
        let took = calling.ends(Told { outcome, code, request_id });
        self.telemetry.metrics.called(target, counted_as, took);
    }
}

/// What a reply says of itself, if there is one.
fn receipt(provider: &Provider, sent: &Result<Reply, SendError>) -> Receipt {
    sent.as_ref().map(|reply| provider.egress.receipt(reply)).unwrap_or_default()
}

/// What metrics call the end of a call.
fn counted_as(cloud: &Cloud, sent: &Result<Reply, SendError>, receipt: &Receipt) -> String {
    let word = match (sent, &receipt.code) {
        (Err(SendError::Unreachable(_)), _) => "unreachable",
        (Err(SendError::TimedOut), _) => "timed_out",
        (Err(SendError::Lost(_) | SendError::ReplyTooLarge), _) => "lost",
        (Ok(_), Some(code)) => return cloud.faults.known_code(code).unwrap_or_else(|| "other".to_owned()),
        (Ok(reply), None) if reply.status.is_success() => "ok",
        (Ok(_), None) => "other",
    };
    word.to_owned()
}

/// Whether a failure is one that no caller can do anything about.
fn is_the_operators(kind: FaultKind) -> bool {
    matches!(
        kind,
        FaultKind::TargetDenied
            | FaultKind::TargetFailed
            | FaultKind::TargetLost
            | FaultKind::TargetUnreachable
            | FaultKind::TargetTimedOut
    )
}

/// A caller's call as a target of the caller's own cloud gets it, and where it goes. A place that the call leaves open is
/// the target's own.
#[must_use]
pub(super) fn passed_on(
    provider: &Provider,
    cloud: &Cloud,
    target: &Target,
    arrival: &Arrival,
) -> (String, Invocation) {
    let mut invocation = provider.ingress.invocation(arrival);
    let told = invocation.params.filled(&cloud.group.region).map(str::to_owned);
    let region = told.and_then(RegionId::new).or_else(|| target.region.clone());
    let project = cloud.group.project.as_ref().zip(target.project.as_ref());
    let own = [
        region.as_ref().map(|region| (&cloud.group.region, region.as_str())),
        project.map(|(name, project)| (name, project.as_str())),
    ];
    for (name, value) in own.into_iter().flatten() {
        if invocation.params.filled(name).is_none() {
            invocation.params.retain(|known| known != name);
            invocation.params.push(name, value);
        }
    }
    let place = Place { region, project: None };
    (origin_of(target, Some(&place)), invocation)
}

impl Upstream for HttpUpstream {
    fn call<'a>(
        &'a self,
        target: &'a Target,
        step: &'a Operation,
        account: &'a Account,
    ) -> BoxFuture<'a, Result<Outcome, Fault>> {
        Box::pin(self.carry_out(target, step, account))
    }

    fn pass<'a>(
        &'a self,
        target: &'a Target,
        arrival: &'a Arrival,
        account: &'a Account,
    ) -> BoxFuture<'a, Result<Reply, Fault>> {
        Box::pin(self.hand_on(target, arrival, account))
    }
}

/// The scheme that calls to a target are signed with.
#[must_use]
pub fn target_scheme(provider: &Provider, target: &Target) -> Option<&'static dyn Scheme> {
    provider.schemes.iter().copied().find(|scheme| scheme.id() == target.scheme)
}

/// Where a call goes: the target's endpoint, with the region of what the call concerns where it has a place for one.
#[must_use]
pub fn origin_of(target: &Target, place: Option<&Place>) -> String {
    let region = place.and_then(|place| place.region.as_ref()).or(target.region.as_ref());
    target.endpoint.replace("{region}", region.map_or("", |region| region.as_str()))
}

fn signed(
    invocation: &Invocation,
    step: &Operation,
    target: &Target,
    scheme: &dyn Scheme,
    stamps: &Stamps,
) -> Call {
    let mut call =
        scheme.sign(invocation, &origin_of(target, step.place()), &target.credential, &stamps.next());
    add_headers(&mut call.headers, &target.headers);
    call
}

fn add_headers(headers: &mut HeaderMap, extra: &HeaderMap) {
    for (name, value) in extra {
        headers.insert(name, value.clone());
    }
}

fn read(
    provider: &Provider,
    cloud: &Cloud,
    step: &Operation,
    sent: Result<Reply, SendError>,
) -> Result<Outcome, Fault> {
    match sent {
        Ok(reply) => provider.egress.read_reply(step, &reply, cloud).map_err(own_key_refused),
        Err(error) => Err(unsent(cloud, error)),
    }
}

/// A target that refuses the gateway's own key says so to the operator, in the log. The caller's key is not to blame, and
/// a caller who is told of a wrong signature looks for it in the wrong place.
fn own_key_refused(fault: Fault) -> Fault {
    if fault.kind != FaultKind::TargetDenied {
        return fault;
    }
    let told = fault.detail.clone();
    Fault::new(
        FaultKind::TargetDenied,
        "the target does not accept the gateway's own key or project; the gateway's log says why",
    )
    .caused_by(told.into_owned())
}

fn unsent(cloud: &Cloud, error: SendError) -> Fault {
    let (kind, what) = match &error {
        SendError::Unreachable(_) => (FaultKind::TargetUnreachable, "cannot be reached"),
        SendError::TimedOut => (FaultKind::TargetTimedOut, "did not answer in time"),
        SendError::Lost(_) => (FaultKind::TargetLost, "closed the connection without an answer"),
        SendError::ReplyTooLarge => (FaultKind::TargetLost, "sent an answer that is too long to be one"),
    };
    Fault::new(kind, format!("{} {what}", cloud.title)).caused_by(error)
}
