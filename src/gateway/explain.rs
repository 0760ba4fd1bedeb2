//! What would become of a request: the calls that the target would get, where each field went, what is lost. The same
//! code as serving, before a target that is only supposed.

use std::sync::Arc;

use tokio_util::task::TaskTracker;

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
    mapping::{Trace, trace},
    model::{Backend, Fault, FaultKind, GroupRef, Loss, Operation},
    providers::PROVIDERS,
    store::Memory,
    telemetry::Account,
    wire::{Call, Reply},
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
    /// Where each field of each backend went.
    pub fields: Vec<(String, Vec<Trace>)>,
    /// What would be reported as lost.
    pub losses: Vec<Loss>,
    /// Whether the call goes on as it came, signed anew.
    pub passed: bool,
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
/// The reply that the caller would get instead.
pub async fn explain<'c>(
    config: &'c Arc<Config>,
    call: Call,
    stamp: &Stamp,
) -> Result<Explanation<'c>, Box<Reply>> {
    let speaker = detect(&call, PROVIDERS, &config.tables).ok_or_else(|| Box::new(unrecognised(None)))?;
    let Speaker { provider, cloud } = &speaker;
    let mut envelope = provider.ingress.envelope(&call, None, stamp, cloud);
    let explained = match provider.ingress.unpack(call) {
        Ok(arrival) => {
            envelope = provider.ingress.envelope(&arrival.call, Some(&arrival), stamp, cloud);
            explained(config, &speaker, arrival, stamp, &mut envelope).await
        }
        Err(fault) => Err(fault),
    };
    explained.map_err(|fault| Box::new(provider.ingress.write_error(&envelope, &fault, cloud)))
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
) -> Result<Explanation<'c>, Fault> {
    let Speaker { provider, cloud } = speaker;
    let client = client_of(config, provider, &arrival)?;
    let route = Route::of(config, client)?;
    envelope.shape = route.client.replies;
    let arrival = Arc::new(arrival);
    let wanted = match provider.ingress.read(&arrival, cloud) {
        Ok(asked) => Wanted::Translated(asked),
        Err(fault) if fault.kind == FaultKind::UnknownAction => Wanted::Untranslated(Arc::new(fault)),
        Err(fault) => return Err(fault),
    };
    let operation = match &wanted {
        Wanted::Translated(Asked { operation, .. }) => Some(operation.clone()),
        Wanted::Untranslated(_) => None,
    };
    let supposed = Supposed::of(&route, operation.as_ref());
    let supposed = Arc::new(supposed);
    let upstream = Arc::clone(&supposed);
    let engine = Engine::new(Arc::clone(config), upstream, Arc::new(Memory::new()), TaskTracker::new());
    let (id, arrived) = (envelope.request_id.clone(), Arc::clone(&arrival));
    let request = Request {
        id,
        at: stamp.now,
        client,
        wanted,
        arrival: arrived,
        place: None,
        repeat: None,
        account: Account::unread(),
    };
    let answer = engine.handle(request).await?;
    let items = operation.as_ref().map_or_else(|| Ok(Vec::new()), |asked| items_of(&route, asked))?;
    let fields = items.iter().map(|item| fields(&route, item)).collect::<Result<Vec<_>, Fault>>()?;
    let nowhere = || Fault::new(FaultKind::Internal, "the target's cloud is not known");
    let other = route.client.untranslated.filter(|_| operation.is_none());
    let target = match other {
        Some(place) => config.targets.get(place).ok_or_else(nowhere)?,
        None => route.target,
    };
    let calls = calls(config, target, &supposed, &arrival)?;
    let (action, losses) = (envelope.action.clone(), answer.losses().to_vec());
    let passed = matches!(answer, Answer::Passed(_));
    let group = supposed.group_added_to();
    Ok(Explanation { route, target, action, operation, items, group, calls, fields, losses, passed })
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

/// The backends that a request puts into a group.
fn items_of(route: &Route<'_>, operation: &Operation) -> Result<Vec<Item>, Fault> {
    let backends: &[Backend] = match operation {
        Operation::AddBackends(add) => &add.backends,
        Operation::ReplaceBackends(replace) => &replace.new,
        Operation::CreateGroup(create) => &create.backends,
        Operation::RemoveBackends(_)
        | Operation::UpdateBackends(_)
        | Operation::DescribeGroup(_)
        | Operation::DescribeHealth(_)
        | Operation::ListGroups(_)
        | Operation::UpdateGroup(_)
        | Operation::DeleteGroup(_)
        | Operation::ListLoadBalancers(_)
        | Operation::DescribeLoadBalancer(_)
        | Operation::ListRegions
        | Operation::ListProjects => &[],
    };
    items(route, backends, &mut Vec::new())
}

fn fields(route: &Route<'_>, item: &Item) -> Result<(String, Vec<Trace>), Fault> {
    let traces = trace(&route.here.backend, &item.here, &route.there.backend, &item.there)?;
    Ok((item.here.to_string(), traces))
}
