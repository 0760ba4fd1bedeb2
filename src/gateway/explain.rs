//! What would become of a request: the calls that the target would get, where each field went, what is lost. The same
//! code as serving, up to the first byte sent.

use super::upstream::origin_of;
use crate::{
    auth::Stamp,
    config::Config,
    dialect::{Arrival, Invocation, Provider},
    engine::{Item, Plan, Route, Work, plan},
    front::{Speaker, detect, unrecognised},
    mapping::{Trace, trace},
    model::{Fault, FaultKind, GroupRef, Loss, Operation},
    providers::PROVIDERS,
    wire::{Call, Reply},
};

/// What would become of one request.
#[derive(Debug)]
pub struct Explanation<'c> {
    /// The caller's cloud, its client and the target.
    pub route: Route<'c>,
    /// The action that was asked for.
    pub action: String,
    /// What it asks for, in the caller's ids.
    pub operation: Operation,
    /// The same backends in the caller's ids and in the target's.
    pub items: Vec<Item>,
    /// The group, as the target names it.
    pub group: GroupRef,
    /// The calls that the target would get, in order.
    pub calls: Vec<ExplainedCall>,
    /// Where each field of each backend went.
    pub fields: Vec<(String, Vec<Trace>)>,
    /// What would be reported as lost.
    pub losses: Vec<Loss>,
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
pub fn explain<'c>(config: &'c Config, call: Call, stamp: &Stamp) -> Result<Explanation<'c>, Box<Reply>> {
    let speaker = detect(&call, PROVIDERS, &config.tables).ok_or_else(|| Box::new(unrecognised(None)))?;
    let Speaker { provider, cloud } = &speaker;
    let mut envelope = provider.ingress.envelope(&call, None, stamp, cloud);
    let mut operation = None;
    let explained = provider.ingress.unpack(call).and_then(|arrival| {
        envelope = provider.ingress.envelope(&arrival.call, Some(&arrival), stamp, cloud);
        let route = Route::of(config, client_of(config, provider, &arrival)?)?;
        envelope.shape = route.client.replies;
        let asked = provider.ingress.read(&arrival, cloud)?;
        operation = Some(asked.operation.clone());
        explained(config, route, &asked.operation, &asked.ineffective, &envelope.action)
    });
    explained.map_err(|fault| {
        Box::new(provider.ingress.write_reply(&envelope, operation.as_ref(), Err(&fault), cloud))
    })
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

fn explained<'c>(
    config: &'c Config,
    route: Route<'c>,
    operation: &Operation,
    ineffective: &[Loss],
    action: &str,
) -> Result<Explanation<'c>, Fault> {
    let plan = plan(&route, operation, ineffective)?;
    let nowhere = || Fault::new(FaultKind::Internal, "the target's cloud is not known");
    let target = PROVIDERS.iter().find(|known| known.id == route.target.provider).ok_or_else(nowhere)?;
    let cloud = config.tables.cloud(target.id).ok_or_else(nowhere)?;
    let call = |step: &Operation| {
        let invocation = target.egress.write_call(step, cloud)?;
        Ok(ExplainedCall { origin: origin_of(route.target, step), invocation })
    };
    let calls = plan.steps(&route).iter().map(call).collect::<Result<Vec<_>, Fault>>()?;
    let Plan { asked: _, group, work, losses } = plan;
    let items = match work {
        Work::Add(items) => items,
        Work::List => Vec::new(),
    };
    let fields = items.iter().map(|item| fields(&route, item)).collect::<Result<Vec<_>, Fault>>()?;
    let (action, operation) = (action.to_owned(), operation.clone());
    Ok(Explanation { route, action, operation, items, group, calls, fields, losses })
}

fn fields(route: &Route<'_>, item: &Item) -> Result<(String, Vec<Trace>), Fault> {
    let traces = trace(&route.here.backend, &item.here, &route.there.backend, &item.there)?;
    Ok((item.here.to_string(), traces))
}
