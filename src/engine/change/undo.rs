//! The way back: takes back what a failed call has done of an aim, and tells what came of it.

use futures_util::{StreamExt, stream};
use tracing::error;

use super::{
    Aim, State,
    moves::{Fate, Move, steps},
};
use crate::{
    engine::{
        add::{ends::End, plan::Item},
        execute::Execution,
        look::is_momentary,
        pair::GroupPair,
    },
    mapping::{Capability, NamesBackends},
    model::{
        AddBackends, BackendRef, Fault, FaultKind, GroupRef, Member, Operation, Outcome, RemoveBackends,
    },
};

/// What could not be taken back.
#[derive(Debug, Default)]
pub(in crate::engine) struct Stuck {
    /// Each, in the caller's words.
    pub(in crate::engine) names: Vec<String>,
    /// Whether trying again may help.
    pub(in crate::engine) for_now: bool,
}

impl Stuck {
    fn with(&mut self, fault: &Fault, names: impl IntoIterator<Item = String>) {
        self.names.extend(names);
        self.for_now |= is_momentary(fault.kind);
    }
}

impl Execution<'_> {
    /// Takes back what failed adds had added, never what was there before, and tells the first failure with what came of
    /// the rest.
    pub(in crate::engine) async fn go_back_from_adds(&self, aim: &Aim, ends: &mut [End]) -> Fault {
        let (pair, items) = (&aim.pair, &aim.moves.adds);
        let stuck = self.undo(aim, ends, &[]).await;
        let unseen = ends.iter().any(|end| matches!(end, End::Doubtful { fault: _, looked: false }));
        let added = ours(items, ends).len();
        let rest = rest_of_adds(added, &stuck, items, ends) + self.goes_on(stuck.for_now || unseen);
        let first = items.iter().zip(ends).find_map(|(item, end)| Some((item, end.fault()?.again())));
        match first {
            Some((item, fault)) => self.told(fault, &item.here.to_string(), "", pair, &rest),
            None => Fault::new(FaultKind::Internal, rest),
        }
    }

    /// Goes every way back, and tells the first failure with what came of it.
    pub(super) async fn go_back_from_moves(
        &self,
        aim: &Aim,
        ends: &[End],
        states: Vec<State>,
        failed: usize,
    ) -> Fault {
        let both = aim.moves.others.iter().zip(&states);
        let done = both.filter(|(step, state)| match state {
            State::Done => true,
            // What it was before is right whether the change has landed or not.
            State::Failed { fault, looked: _ } => fault.kind.leaves_doubt() && step.is_update(self.route),
            State::Untried => false,
        });
        let done: Vec<&Move> = done.map(|(step, _)| step).collect();
        let stuck = self.undo(aim, ends, &done).await;
        let count = ours(&aim.moves.adds, ends).len() + done.len();
        let what = aim.moves.others.get(failed).map_or("", |step| &step.what);
        let state = states.into_iter().nth(failed).unwrap_or(State::Untried);
        let doubts = [
            "; the group did not show this change afterwards",
            "; it could NOT be found out whether this was done",
        ];
        self.told_with_doubt(aim, state, what, doubts, count, &stuck)
    }

    /// What was changed before goes back if the name could not be changed.
    pub(super) async fn go_back_from_name(&self, aim: &Aim, ends: &[End], state: State) -> Fault {
        let done: Vec<&Move> = aim.moves.others.iter().collect();
        let stuck = self.undo(aim, ends, &done).await;
        let doubts = ["; the group did not show it afterwards", "; it could NOT be found out whether it was"];
        let count = ours(&aim.moves.adds, ends).len() + done.len();
        self.told_with_doubt(aim, state, "the name could not be changed", doubts, count, &stuck)
    }

    fn told_with_doubt(
        &self,
        aim: &Aim,
        state: State,
        what: &str,
        [not_shown, not_seen]: [&str; 2],
        count: usize,
        stuck: &Stuck,
    ) -> Fault {
        let (fault, looked) = match state {
            State::Failed { fault, looked } => (fault, looked),
            State::Done | State::Untried => (Fault::new(FaultKind::Internal, ""), false),
        };
        let doubt = match (fault.kind.leaves_doubt(), looked) {
            (false, _) => "",
            (true, true) => not_shown,
            (true, false) => not_seen,
        };
        let unseen = fault.kind.leaves_doubt() && !looked;
        let rest = rest_of_moves(count, stuck, unseen) + self.goes_on(stuck.for_now || unseen);
        self.told(fault, what, doubt, &aim.pair, &rest)
    }

    /// The fault in the caller's words: which server, why, and what became of the rest.
    fn told(&self, fault: Fault, what: &str, doubt: &str, pair: &GroupPair, rest: &str) -> Fault {
        let field = self.field_at_fault(fault.kind, pair);
        let detail = format!("{what}: {}{doubt}. {rest}", fault.detail.trim_end_matches('.'));
        Fault { field: Some(field), detail: detail.into(), ..fault }
    }

    /// Leaves open in the journal what trying again may still put right; and the words for that.
    pub(in crate::engine) fn goes_on(&self, may_help: bool) -> &'static str {
        if may_help && self.leave_open() {
            "; the gateway goes on trying to put this right, and lets no other change of the group in before"
        } else {
            ""
        }
    }

    /// Undoes what was done of an aim, the last first.
    pub(super) async fn undo(&self, aim: &Aim, ends: &[End], done: &[&Move]) -> Stuck {
        let mut stuck = Stuck::default();
        self.change_back(&aim.pair, done, &mut stuck).await;
        self.remove(&aim.pair, &ours(&aim.moves.adds, ends), &mut stuck).await;
        stuck
    }

    /// Removes what this call had added; what cannot be removed is named.
    async fn remove(&self, pair: &GroupPair, ours: &[(&Item, &Member)], stuck: &mut Stuck) {
        let capability = &self.route.there.capability;
        let chunks: Vec<_> = ours.chunks(capability.backends_per_call).collect();
        let steps: Vec<Operation> =
            chunks.iter().map(|chunk| removal(&pair.there, chunk, capability)).collect();
        let sent = stream::iter(steps).map(|step| async move { self.surely(pair, &step).await.err() });
        let faults: Vec<Option<Fault>> = sent.buffered(self.width()).collect().await;
        for (chunk, fault) in chunks.into_iter().zip(faults) {
            let Some(fault) = fault else {
                for (_, member) in chunk {
                    self.parts.recents.gone(self.route, pair, member);
                }
                continue;
            };
            error!(%fault, group = %pair.there.group, "what a failed call had added cannot be taken back");
            stuck.with(&fault, chunk.iter().map(|(item, _)| item.here.to_string()));
        }
    }

    /// Undoes moves that were done; what cannot be undone is named.
    async fn change_back(&self, pair: &GroupPair, done: &[&Move], stuck: &mut Stuck) {
        let (gone, changed): (Vec<&Move>, Vec<&Move>) =
            done.iter().copied().partition(|step| matches!(step.fate, Fate::Goes));
        let put_back = |step: Move| async move {
            let fault = self.put_back(pair, &step).await;
            (step, fault)
        };
        let gone: Vec<Move> = gone.into_iter().cloned().collect();
        let faults: Vec<(Move, Option<Fault>)> =
            stream::iter(gone).map(put_back).buffered(self.width()).collect().await;
        for (step, fault) in faults.into_iter().filter_map(|(step, fault)| Some((step, fault?))) {
            error!(%fault, what = step.what, "what a failed call had removed cannot be put back");
            stuck.with(&fault, [step.what]);
        }
        let back: Vec<Move> = changed.iter().filter_map(|step| step.reversed()).collect();
        for (call, places) in steps(self.route, pair, &back, |_| true) {
            let back = places.iter().filter_map(|place| back.get(*place));
            match self.surely(pair, &call).await {
                Ok(_) => back.for_each(|step| self.came_back(pair, step)),
                Err(fault) => {
                    error!(%fault, "what a failed call had changed cannot be changed back");
                    stuck.with(&fault, back.map(|step| step.what.clone()));
                }
            }
        }
    }

    /// A member that is where it was goes by what it went by there: a look meanwhile may have learnt its id elsewhere.
    fn came_back(&self, pair: &GroupPair, step: &Move) {
        let (away, back) = (&step.old.backend, step.after());
        if back.backend.port != away.port {
            let kept = self.kept(pair, &back.backend);
            self.forget(pair, away);
            self.keep(pair.entry(self.route, &back.backend), kept);
        }
        self.parts.recents.is(self.route, pair, &back);
    }

    /// Puts back a member that was removed; why, if that cannot be done.
    async fn put_back(&self, pair: &GroupPair, step: &Move) -> Option<Fault> {
        let backends = vec![step.old.backend.clone()];
        let add = Operation::AddBackends(AddBackends { group: pair.there.clone(), backends });
        self.parts.recents.gone(self.route, pair, &step.old);
        match self.surely(pair, &add).await {
            Ok(Outcome::Added(members)) => {
                for member in &members {
                    self.parts.recents.is(self.route, pair, member);
                }
                None
            }
            Ok(_) => None,
            // An earlier try whose answer got lost has put it back.
            Err(fault) if fault.kind == FaultKind::AlreadyPresent => {
                let member = Member { id: None, ..step.old.clone() };
                self.parts.recents.is(self.route, pair, &member);
                None
            }
            Err(fault) => Some(fault),
        }
    }
}

/// What this call had added.
fn ours<'a>(items: &'a [Item], ends: &'a [End]) -> Vec<(&'a Item, &'a Member)> {
    let added = |(item, end): (&'a Item, &'a End)| {
        if let End::Added(member) = end { Some((item, member)) } else { None }
    };
    items.iter().zip(ends).filter_map(added).collect()
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
fn rest_of_adds(added: usize, stuck: &Stuck, items: &[Item], ends: &[End]) -> String {
    let named = |wanted: fn(&End) -> bool| {
        let names =
            items.iter().zip(ends).filter(|(_, end)| wanted(end)).map(|(item, _)| item.here.to_string());
        names.collect::<Vec<_>>().join(", ")
    };
    let taken_back = match added.saturating_sub(stuck.names.len()) {
        0 => String::new(),
        1 => "the one backend that this call had added was taken back".to_owned(),
        count => format!("the {count} backends that this call had added were taken back"),
    };
    let parts = [
        taken_back,
        listed("these could NOT be taken back and are still in the group", &stuck.names.join(", ")),
        listed(
            "the group did not show these afterwards",
            &named(|end| matches!(end, End::Doubtful { fault: _, looked: true })),
        ),
        listed(
            "it could NOT be found out whether these were added",
            &named(|end| matches!(end, End::Doubtful { fault: _, looked: false })),
        ),
        listed(
            "these are in the group, added by this call or before it, and were left there",
            &named(|end| matches!(end, End::Landed(_))),
        ),
    ];
    summed(&parts).unwrap_or_else(|| "Nothing was added".to_owned())
}

/// What became of everything but the change that failed.
/// `unseen` if nobody could look whether that one was made: then it is not said that nothing was.
fn rest_of_moves(done: usize, stuck: &Stuck, unseen: bool) -> String {
    let undone = match done.saturating_sub(stuck.names.len()) {
        0 if stuck.names.is_empty() && unseen => return "Nothing else was changed".to_owned(),
        0 if stuck.names.is_empty() => return "Nothing was changed".to_owned(),
        0 => String::new(),
        1 => "the one change that this call had made was taken back".to_owned(),
        count => format!("the {count} changes that this call had made were taken back"),
    };
    let left = listed("these could NOT be put back as they were", &stuck.names.join(", "));
    summed(&[undone, left]).unwrap_or_default()
}

fn listed(what: &str, names: &str) -> String {
    if names.is_empty() { String::new() } else { format!("{what}: {names}") }
}

fn summed(parts: &[String]) -> Option<String> {
    let parts: Vec<&str> = parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    (!parts.is_empty()).then(|| format!("What became of the call: {}", parts.join("; ")))
}
