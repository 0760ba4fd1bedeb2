//! What would become of a request: the calls that the target would get, where each field went, what is lost. The same
//! code as serving, before a target that is only supposed.

mod contents;
mod json;
mod tables;
mod ways;

use std::sync::Arc;

use tokio_util::task::TaskTracker;

pub use self::ways::{Fate, Said, Way, Ways};
use self::{contents::Contents, tables::Tables, ways::End};
use super::{
    supposed::Supposed,
    upstream::{origin_of, passed_on},
};
use crate::{
    auth::Stamp,
    config::{Config, Target},
    dialect::{Answer, Arrival, Asked, Envelope, Handler, Invocation, Provider, Request, Wanted},
    engine::{Engine, Item, Route, items},
    front::{Speaker, detect, unrecognised},
    model::{Fault, FaultKind, GroupRef, Loss, Operation},
    providers::PROVIDERS,
    store::Memory,
    telemetry::Account,
    wire::{Call, Params, Reply},
};

/// What would become of one request.
#[derive(Debug)]
pub struct Explanation<'c> {
    /// The caller's cloud, its client and the target.
    pub route: Route<'c>,
    /// The target that gets the calls: the route's, or the one for what is not translated.
    pub target: &'c Target,
    /// The action that was asked for.
    pub action: String,
    /// What it asks for, in the caller's ids; none of an action that is not translated.
    pub operation: Option<Operation>,
    /// The same backends in the caller's ids and in the target's.
    pub items: Vec<Item>,
    /// The group that the backends go to, as the target names it.
    pub group: Option<GroupRef>,
    /// The calls that the target would get, in order. Ids that only an earlier call's answer can tell stand in `<>`.
    pub calls: Vec<ExplainedCall>,
    /// Where each thing went that the request says: of the request as a whole, then of each backend that it names.
    pub tables: Vec<Ways>,
    /// What would be reported as lost.
    pub losses: Vec<Loss>,
    /// Whether the call goes on as it came, signed anew.
    pub passed: bool,
}

/// What a request that is refused would be answered.
#[derive(Debug)]
pub struct Refusal {
    /// The reply, as the caller would see it.
    pub reply: Reply,
    /// What is wrong, in the words of the log and the metrics.
    pub kind: FaultKind,
    /// Who speaks so; none where nobody could tell.
    pub caller: Option<Caller>,
    /// What is known of where things would have gone, and what it is refused for.
    pub tables: Vec<Ways>,
}

/// Who asked for what, of a request that is refused.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The provider id of the cloud whose language it is.
    pub dialect: String,
    /// What that cloud is called.
    pub title: String,
    /// What the target's cloud is called, where there is one.
    pub there: Option<String>,
    /// The action that was asked for; empty where none is named.
    pub action: String,
}

/// One call that the target would get. Its signature is left out: it would be a usable one.
#[derive(Debug)]
pub struct ExplainedCall {
    /// Where it goes.
    pub origin: String,
    /// What it says.
    pub invocation: Invocation,
}

/// Explains a request. No signature is needed; the client is the one whose key id the request names, or the first who
/// speaks its language.
///
/// # Errors
/// The refusal that the caller would get instead.
pub async fn explain<'c>(
    config: &'c Arc<Config>,
    call: Call,
    stamp: &Stamp,
) -> Result<Explanation<'c>, Box<Refusal>> {
    let Some(speaker) = detect(&call, PROVIDERS, &config.tables) else {
        let (reply, kind) = (unrecognised(None), FaultKind::MissingCredential);
        return Err(Box::new(Refusal { reply, kind, caller: None, tables: Vec::new() }));
    };
    let Speaker { provider, cloud } = &speaker;
    let mut envelope = provider.ingress.envelope(&call, stamp, cloud);
    let explained = match provider.ingress.unpack(call) {
        Ok(arrival) => {
            provider.ingress.complete(&mut envelope, &arrival, cloud);
            explained(config, &speaker, arrival, stamp, &mut envelope).await
        }
        Err(fault) => Err(fault.into()),
    };
    explained.map_err(|Refused { fault, there, tables }| {
        let (dialect, title) = (cloud.id.clone(), cloud.title.clone());
        let caller = Some(Caller { dialect, title, there, action: envelope.action.clone() });
        let reply = provider.ingress.write_error(&envelope, &fault, cloud);
        Box::new(Refusal { reply, kind: fault.kind, caller, tables })
    })
}

/// A fault, and where things would have gone.
struct Refused {
    fault: Fault,
    there: Option<String>,
    tables: Vec<Ways>,
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self { fault, there: None, tables: Vec::new() }
    }
}

fn client_of(config: &Config, provider: &Provider, arrival: &Arrival) -> Result<usize, Fault> {
    let named = provider.schemes.iter().find_map(|scheme| scheme.key_id(arrival));
    let speaks = |at: &usize| config.clients.get(*at).is_some_and(|client| client.dialect == provider.id);
    let owns = |at: &usize| {
        let key_id = config.clients.get(*at).map(|client| client.credential.key_id.as_str());
        named.is_some() && named == key_id
    };
    let mut speakers = (0..config.clients.len()).filter(speaks);
    speakers.clone().find(owns).or_else(|| speakers.next()).ok_or_else(|| {
        let detail = format!("no client of the config speaks the dialect `{}`", provider.id);
        Fault::new(FaultKind::UnknownKey, detail)
    })
}

async fn explained<'c>(
    config: &'c Arc<Config>,
    speaker: &Speaker,
    arrival: Arrival,
    stamp: &Stamp,
    envelope: &mut Envelope,
) -> Result<Explanation<'c>, Refused> {
    let Speaker { provider, cloud } = speaker;
    let client = client_of(config, provider, &arrival)?;
    let route = Route::of(config, client)?;
    envelope.shape = route.client.replies;
    let arrival = Arc::new(arrival);
    let own = provider.ingress.invocation(&arrival).params;
    let action = envelope.action.clone();
    let tables = |asked: Option<&Asked>, steps: &[Operation], calls: &[ExplainedCall], end: End<'_>| {
        let calls: Vec<&Params> = calls.iter().map(|call| &call.invocation.params).collect();
        Tables { route: &route, action: &action, own: &own, asked, steps, calls: &calls, end }.all()
    };
    let refused = |fault: Fault, asked: Option<&Asked>| {
        let tables = tables(asked, &[], &[], End { losses: &[], fault: Some(&fault) });
        Refused { fault, there: Some(route.there.title.clone()), tables }
    };
    let wanted = match provider.ingress.read(&arrival, cloud) {
        Ok(asked) => Wanted::Translated(Arc::new(asked)),
        Err(fault) if fault.kind == FaultKind::UnknownAction => Wanted::Untranslated(Arc::new(fault)),
        Err(fault) => return Err(refused(fault, None)),
    };
    let asked = match &wanted {
        Wanted::Translated(asked) => Some(Asked::clone(asked)),
        Wanted::Untranslated(_) => None,
    };
    let operation = asked.as_ref().map(|asked| asked.operation.clone());
    let supposed = Arc::new(Supposed::of(&route, operation.as_ref()));
    let upstream = Arc::clone(&supposed);
    let engine = Engine::new(Arc::clone(config), upstream, Arc::new(Memory::new()), TaskTracker::new());
    let (id, arrived) = (envelope.request_id.clone(), Arc::clone(&arrival));
    let account = Account::unread();
    let (at, place, repeat) = (stamp.now, None, None);
    let request = Request { id, at, client, wanted, arrival: arrived, place, repeat, account };
    let answer = engine.handle(request).await.map_err(|fault| refused(fault, asked.as_ref()))?;
    let backends = operation.as_ref().map_or(&[][..], |operation| Contents::of(operation).coming);
    let items = items(&route, backends, &mut Vec::new())?;
    let nowhere = || Fault::new(FaultKind::Internal, "the target's cloud is not known");
    let other = route.client.untranslated.filter(|_| operation.is_none());
    let target = match other {
        Some(place) => config.targets.get(place).ok_or_else(nowhere)?,
        None => route.target,
    };
    let calls = calls(config, target, &supposed, &arrival)?;
    let losses = answer.losses().to_vec();
    let passed = matches!(answer, Answer::Passed(_));
    let group = supposed.group_added_to();
    let (steps, _) = supposed.taken_down();
    let translated = asked.as_ref().filter(|_| !passed);
    let tables = tables(translated, &steps, &calls, End { losses: &losses, fault: None });
    Ok(Explanation { route, target, action, operation, items, group, calls, tables, losses, passed })
}

/// What the target was asked, as the calls that it would get.
fn calls(
    config: &Config,
    target: &Target,
    supposed: &Supposed,
    arrival: &Arrival,
) -> Result<Vec<ExplainedCall>, Fault> {
    let nowhere = || Fault::new(FaultKind::Internal, "the target's cloud is not known");
    let provider = PROVIDERS.iter().find(|known| known.id == target.provider).ok_or_else(nowhere)?;
    let cloud = config.tables.cloud(provider.id).ok_or_else(nowhere)?;
    let (steps, passed) = supposed.taken_down();
    let call = |step: &Operation| {
        let invocation = provider.egress.write_call(step, cloud)?;
        Ok(ExplainedCall { origin: origin_of(target, step.place()), invocation })
    };
    let mut calls = steps.iter().map(call).collect::<Result<Vec<_>, Fault>>()?;
    if passed {
        let (origin, invocation) = passed_on(provider, cloud, target, arrival);
        calls.push(ExplainedCall { origin, invocation });
    }
    Ok(calls)
}
