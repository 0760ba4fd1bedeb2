//! The door: one call in, one reply out.

use std::sync::Arc;

use http::HeaderName;
use tokio::sync::Semaphore;
use tracing::{Instrument, info_span};

use super::{
    authenticate::Gate,
    detect::{Speaker, detect, unrecognised, why_unrecognised},
};
use crate::{
    auth::{Stamp, Stamps},
    config::Config,
    dialect::{Answer, Arrival, Envelope, Handler, Provider, Request, Wanted, end_of},
    http::{self as sockets, Arrived, Overrun, Service},
    mapping::{Cloud, Tables},
    model::{Fault, FaultKind},
    telemetry::{Account, End, Telemetry},
    wire::{Call, Reply},
};

const LOSS_HEADER: HeaderName = HeaderName::from_static("x-weighbridge-loss");

/// Everything between a socket and a handler. Immutable: a request sees exactly one.
pub struct Front {
    /// Whose door it is, for the log: the gateway's, or a simulated cloud's.
    pub name: Arc<str>,
    /// The clouds whose languages are understood.
    pub providers: &'static [Provider],
    /// Their vocabularies.
    pub tables: Arc<Tables>,
    /// Who is let in.
    pub gate: Gate,
    /// What stands behind.
    pub handler: Arc<dyn Handler>,
    /// Time and nonces.
    pub stamps: Stamps,
    /// How many requests may be in work at once.
    pub places: Arc<Semaphore>,
    /// What the limits are, for those who exceed one.
    pub bounds: sockets::Bounds,
    /// What is told of each request.
    pub telemetry: Arc<Telemetry>,
}

/// A call whose language is known, on its way to a reply.
struct Visit<'f> {
    front: &'f Front,
    speaker: Speaker,
    stamp: Stamp,
    envelope: Envelope,
    account: Arc<Account>,
}

impl Front {
    /// A front with the limits of `config` before a handler.
    #[must_use]
    pub fn new(
        name: &str,
        config: &Config,
        gate: Gate,
        handler: Arc<dyn Handler>,
        stamps: Stamps,
        telemetry: Arc<Telemetry>,
        providers: &'static [Provider],
    ) -> Self {
        let limits = &config.limits;
        Self {
            name: name.into(),
            providers,
            tables: Arc::clone(&config.tables),
            gate,
            handler,
            stamps,
            places: Arc::new(Semaphore::new(limits.max_in_flight)),
            bounds: limits.door,
            telemetry,
        }
    }

    /// Answers one request. Never fails: whatever goes wrong is a reply in the caller's own form, where that is known.
    pub async fn answer(&self, arrived: Arrived) -> Reply {
        let Arrived { call, overrun, peer } = arrived;
        let stamp = self.stamps.next();
        let account = Account::open(&self.telemetry, &self.name, Some(peer.ip()), stamp.now);
        let reply = match detect(&call, self.providers, &self.tables) {
            Some(speaker) => self.visit(speaker, stamp, call, overrun, &account).await,
            None => turn_away(overrun, &account),
        };
        account.answers(reply.status.as_u16());
        reply
    }

    async fn visit(
        &self,
        speaker: Speaker,
        stamp: Stamp,
        call: Call,
        overrun: Option<Overrun>,
        account: &Arc<Account>,
    ) -> Reply {
        let envelope = speaker.provider.ingress.envelope(&call, &stamp, &speaker.cloud);
        let dialect = speaker.provider.id;
        let span = info_span!("request", at = %self.name, id = %envelope.request_id, dialect);
        let visit = Visit { front: self, speaker, stamp, envelope, account: Arc::clone(account) };
        visit.answer(call, overrun).instrument(span).await
    }
}

impl Visit<'_> {
    async fn answer(mut self, call: Call, overrun: Option<Overrun>) -> Reply {
        let admitted = self.admit(call, overrun).await;
        if admitted.is_err() {
            // It may not have come as far as its parameters.
            self.tell_account();
        }
        let asked = admitted.as_ref().ok().and_then(|request| match &request.wanted {
            Wanted::Translated(asked) => Some(Arc::clone(asked)),
            Wanted::Untranslated(_) => None,
        });
        let result = match admitted {
            Ok(request) => self.front.handler.handle(request).await,
            Err(fault) => Err(fault),
        };
        self.account.ends(end_of(&result));
        let (ingress, cloud) = (self.speaker.provider.ingress, &self.speaker.cloud);
        let operation = asked.as_ref().map(|asked| &asked.operation);
        let mut reply = ingress.write_reply(&self.envelope, operation, result.as_ref(), cloud);
        report_losses(&mut reply, &result, cloud);
        reply
    }

    /// The request that a call makes.
    async fn admit(&mut self, call: Call, overrun: Option<Overrun>) -> Result<Request, Fault> {
        if let Some(overrun) = overrun {
            return Err(self.too_long(overrun));
        }
        let place = Arc::clone(&self.front.places).try_acquire_owned().map_err(|_| {
            Fault::new(FaultKind::Overloaded, "the gateway has as much in work as it may; try again")
        })?;
        let arrival = self.speaker.provider.ingress.unpack(call)?;
        self.read_envelope(&arrival);
        let admission = self.front.gate.admit(&self.speaker, &arrival, self.stamp.now).await?;
        self.envelope.shape = admission.caller.shape;
        self.account.admits(&admission.key_id, &admission.caller.target);
        let wanted = match self.speaker.provider.ingress.read(&arrival, &self.speaker.cloud) {
            Ok(asked) => Wanted::Translated(Arc::new(asked)),
            Err(fault) if fault.kind == FaultKind::UnknownAction => Wanted::Untranslated(Arc::new(fault)),
            Err(fault) => return Err(fault),
        };
        let is_read = matches!(&wanted, Wanted::Translated(asked) if asked.operation.is_read());
        if let Some(why) = admission.doubt.filter(|_| !is_read) {
            let what = "nobody can tell whether it was sent before, so nothing is changed; reads go on";
            return Err(Fault::new(FaultKind::StoreUnavailable, what).caused_by(why));
        }
        let id = self.envelope.request_id.clone();
        let (client, repeat) = (admission.caller.client, admission.repeat);
        let (place, account) = (Some(Arc::new(place)), Arc::clone(&self.account));
        Ok(Request {
            id,
            at: self.stamp.now,
            client,
            wanted,
            arrival: Arc::new(arrival),
            place,
            repeat,
            account,
        })
    }

    fn read_envelope(&mut self, arrival: &Arrival) {
        let Speaker { provider, cloud } = &self.speaker;
        provider.ingress.complete(&mut self.envelope, arrival, cloud);
        self.tell_account();
    }

    fn tell_account(&self) {
        let (Speaker { provider, cloud }, Envelope { action, request_id, .. }) =
            (&self.speaker, &self.envelope);
        let known = cloud.actions.named(action).map(|action| action.name.as_str());
        self.account.speaks(provider.id, action, known, request_id);
    }

    fn too_long(&self, overrun: Overrun) -> Fault {
        let bounds = self.front.bounds;
        let (kind, limit) = match overrun {
            Overrun::Body => (FaultKind::BodyTooLarge, bounds.max_body_bytes),
            Overrun::RequestLine => (FaultKind::RequestLineTooLong, bounds.max_request_line_bytes),
        };
        Fault::new(kind, format!("it may have {limit} bytes"))
    }
}

/// Answers what is of neither cloud.
fn turn_away(overrun: Option<Overrun>, account: &Account) -> Reply {
    let (_, message) = why_unrecognised(overrun);
    let message = Some(message.to_owned());
    account.ends(End { outcome: "unrecognised", message, cause: String::new(), losses: Vec::new() });
    unrecognised(overrun)
}

/// "A report is a log line, a metric, and the reply header": this is the header.
fn report_losses(reply: &mut Reply, result: &Result<Answer, Fault>, cloud: &Cloud) {
    for loss in result.iter().flat_map(Answer::losses) {
        reply.append(LOSS_HEADER, &format!("{}={}", cloud.name_of(&loss.field), loss.reason));
    }
}

impl Service for Front {
    fn answer(&self, arrived: Arrived) -> sockets::Answer<'_> {
        Box::pin(self.answer(arrived))
    }
}

impl std::fmt::Debug for Front {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Front").finish_non_exhaustive()
    }
}
