//! Takes back what a failed call had added, and tells what came of it.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::time::sleep;
use tracing::error;

use super::{ends::End, plan::Item};
use crate::{
    engine::{execute::Execution, pair::GroupPair},
    mapping::{Capability, NamesBackends},
    model::{BackendRef, Fault, FaultKind, GroupRef, Member, Operation, RemoveBackends},
};

/// Pauses between the tries of a removal. It is tried harder than anything else, since giving up leaves a trace.
const PAUSES: [Duration; 3] =
    [Duration::from_millis(200), Duration::from_millis(600), Duration::from_millis(1500)];

impl Execution<'_> {
    /// Takes back what this call had added, never what was there before, and tells the first failure with what came of
    /// the rest.
    pub(in crate::engine) async fn take_back(
        &self,
        pair: &GroupPair,
        items: &[Item],
        ends: Vec<End>,
    ) -> Fault {
        let ours: Vec<(&Item, &Member)> = items
            .iter()
            .zip(&ends)
            .filter_map(|(item, end)| if let End::Added(member) = end { Some((item, member)) } else { None })
            .collect();
        let stuck = self.remove(pair, &ours).await;
        let rest = rest(ours.len(), &stuck, items, &ends);
        let first = items.iter().zip(ends).find(|(_, end)| end.fault().is_some());
        match first {
            Some((item, End::Failed(fault) | End::Duplicate(fault) | End::Doubtful { fault, looked: _ })) => {
                self.told(fault, item, pair, &rest)
            }
            Some(_) | None => Fault::new(FaultKind::Internal, rest),
        }
    }

    /// Removes what this call had added; what cannot be removed is named.
    pub(in crate::engine) async fn remove(&self, pair: &GroupPair, ours: &[(&Item, &Member)]) -> Vec<String> {
        let capability = &self.route.there.capability;
        let chunks: Vec<_> = ours.chunks(capability.backends_per_call).collect();
        let steps: Vec<Operation> =
            chunks.iter().map(|chunk| removal(&pair.there, chunk, capability)).collect();
        let sent = stream::iter(steps).map(|step| self.remove_surely(step));
        let faults: Vec<Option<Fault>> = sent.buffered(self.width()).collect().await;
        for (chunk, _) in chunks.iter().zip(&faults).filter(|(_, fault)| fault.is_none()) {
            chunk.iter().for_each(|(_, member)| self.parts.recents.gone(self.route, pair, member));
        }
        let failed = chunks.into_iter().zip(faults).filter_map(|(chunk, fault)| Some((chunk, fault?)));
        let mut stuck = Vec::new();
        for (chunk, fault) in failed {
            error!(%fault, group = %pair.there.group, "what a failed call had added cannot be taken back");
            stuck.extend(chunk.iter().map(|(item, _)| item.here.to_string()));
        }
        stuck
    }

    async fn remove_surely(&self, step: Operation) -> Option<Fault> {
        for pause in PAUSES {
            if self.call(&step).await.is_ok() {
                return None;
            }
            sleep(pause).await;
        }
        self.call(&step).await.err()
    }

    /// The fault in the caller's words: which server, why, and what became of the rest.
    fn told(&self, fault: Fault, item: &Item, pair: &GroupPair, rest: &str) -> Fault {
        let field = self.field_at_fault(fault.kind, pair);
        let detail = format!("{}: {}. {rest}", item.here, fault.detail.trim_end_matches('.'));
        Fault { field: Some(field), detail: detail.into(), ..fault }
    }
}

/// The removal of `chunk` from `group`, named the way the target names backends.
fn removal(group: &GroupRef, chunk: &[(&Item, &Member)], capability: &Capability) -> Operation {
    let name = |(_, member): &(&Item, &Member)| {
        let at = BackendRef::At { target: member.backend.target.clone(), port: member.backend.port };
        match capability.names_backends {
            NamesBackends::Address => at,
            NamesBackends::Id => member.id.clone().map_or(at, BackendRef::Id),
        }
    };
    Operation::RemoveBackends(RemoveBackends {
        scope: group.clone().into(),
        backends: chunk.iter().map(name).collect(),
    })
}

/// What became of the backends that did not fail themselves.
fn rest(added: usize, stuck: &[String], items: &[Item], ends: &[End]) -> String {
    let named = |wanted: fn(&End) -> bool| {
        let names =
            items.iter().zip(ends).filter(|(_, end)| wanted(end)).map(|(item, _)| item.here.to_string());
        names.collect::<Vec<_>>().join(", ")
    };
    let taken_back = match added.saturating_sub(stuck.len()) {
        0 => String::new(),
        1 => "the one backend that this call had added was taken back".to_owned(),
        count => format!("the {count} backends that this call had added were taken back"),
    };
    let parts = [
        taken_back,
        told("these could NOT be taken back and are still in the group", &stuck.join(", ")),
        told(
            "the group did not show these afterwards",
            &named(|end| matches!(end, End::Doubtful { fault: _, looked: true })),
        ),
        told(
            "it could NOT be found out whether these were added",
            &named(|end| matches!(end, End::Doubtful { fault: _, looked: false })),
        ),
        told(
            "these are in the group, added by this call or before it, and were left there",
            &named(|end| matches!(end, End::Landed(_))),
        ),
    ];
    let parts: Vec<&str> = parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    if parts.is_empty() {
        "Nothing was added".to_owned()
    } else {
        format!("What became of the call: {}", parts.join("; "))
    }
}

fn told(what: &str, names: &str) -> String {
    if names.is_empty() { String::new() } else { format!("{what}: {names}") }
}
