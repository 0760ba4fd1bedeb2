//! Changes members of a group: removals, other weights and states, others in their place. All of a request or nothing.
//!
//! What is asked is lowered to [`Moves`], pure; they are carried out so that there is no gap: what comes first is added, then
//! changed, then removed. Every move has a way back, which is gone when a later one fails.

use std::time::Duration;

use tokio::time::sleep;
use tracing::{error, warn};

use super::{ends::End, execute::Execution, pair::GroupPair, plan::Item, resolve::Route, settle::LOOKS};
use crate::{
    mapping::NamesBackends,
    model::{
        AddBackends, Backend, BackendRef, Change, Fault, FaultKind, Field, Member, Operation, Outcome,
        RemoveBackends, ReplaceBackends, Traffic, UpdateBackends,
    },
    store::Remembered,
};

/// Pauses between the tries of a way back. It is tried harder than anything else, since giving up leaves a trace.
const PAUSES: [Duration; 3] =
    [Duration::from_millis(200), Duration::from_millis(600), Duration::from_millis(1500)];

/// What is to become of the members of a group.
#[derive(Debug, Default)]
pub(super) struct Moves {
    /// What comes.
    pub(super) adds: Vec<Item>,
    /// What changes, then what goes.
    pub(super) others: Vec<Move>,
}

/// One change of one member.
#[derive(Debug, Clone)]
pub(super) struct Move {
    /// The member, in the caller's words.
    pub(super) what: String,
    /// The member as it was, as the target names it.
    pub(super) old: Member,
    /// What becomes of it.
    pub(super) fate: Fate,
}

/// What becomes of a member.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "a request has forty of them at most, and for a moment")]
pub(super) enum Fate {
    /// It becomes this.
    Becomes {
        /// As the target names it.
        new: Backend,
        /// The change in the target's words, where the target leaves alone what is not named.
        named: Change,
        /// What the target has no place for.
        kept: Remembered,
    },
    /// It goes.
    Goes,
}

/// How far a move came.
#[derive(Debug)]
enum State {
    Untried,
    Done,
    Failed(Fault),
}

impl Execution<'_> {
    /// Carries the moves out; `added` are the adds as members, in the caller's ids.
    ///
    /// # Errors
    /// The first failure, with what became of the rest.
    pub(super) async fn carry(&self, pair: &GroupPair, moves: &Moves) -> Result<Vec<Member>, Fault> {
        let ends = if moves.adds.is_empty() { Vec::new() } else { self.add_all(pair, &moves.adds).await? };
        let mut states: Vec<State> = moves.others.iter().map(|_| State::Untried).collect();
        let first_failure =
            |states: &[State]| states.iter().position(|state| matches!(state, State::Failed(_)));
        self.move_on(pair, &moves.others, &mut states, false).await;
        if first_failure(&states).is_none() {
            self.move_on(pair, &moves.others, &mut states, true).await;
        }
        let failed = first_failure(&states);
        let Some(failed) = failed else {
            let added = self.added(pair, &moves.adds, &ends);
            for step in &moves.others {
                self.note(pair, step);
            }
            return Ok(added);
        };
        Err(self.go_back(pair, moves, &ends, states, failed).await)
    }

    /// Carries out the moves by which something goes, or the others.
    async fn move_on(&self, pair: &GroupPair, moves: &[Move], states: &mut [State], going: bool) {
        let removes = |step: &Operation| matches!(step, Operation::RemoveBackends(_));
        let mut steps = steps(self.route, pair, moves);
        steps.retain(|(step, _)| removes(step) == going);
        let calls: Vec<Operation> = steps.iter().map(|(step, _)| step.clone()).collect();
        let replies = self.fan_out(&calls).await;
        for ((step, places), reply) in steps.iter().zip(replies) {
            let results = results(step, places.len(), reply);
            for (place, result) in places.iter().zip(results) {
                if let (Some(state), Some(result)) = (states.get_mut(*place), result) {
                    *state = result.map_or_else(State::Failed, |()| State::Done);
                }
            }
        }
        self.settle_moves(pair, moves, states).await;
    }

    /// A lost answer says nothing: a look tells whether the change has landed.
    async fn settle_moves(&self, pair: &GroupPair, moves: &[Move], states: &mut [State]) {
        for pause in LOOKS {
            let doubtful = |state: &State| matches!(state, State::Failed(fault) if fault.kind.leaves_doubt());
            if !states.iter().any(doubtful) {
                return;
            }
            sleep(pause).await;
            match self.look(pair).await {
                Ok(group) => {
                    for (step, state) in moves.iter().zip(states.iter_mut()) {
                        if doubtful(state) && step.has_landed(&group.members) {
                            *state = State::Done;
                        }
                    }
                }
                Err(fault) => warn!(%fault, "the group cannot be looked at to settle a doubt"),
            }
        }
    }

    /// What was kept of a member follows it; what was written shows in the reads that come.
    fn note(&self, pair: &GroupPair, step: &Move) {
        let (memory, recents) = (&self.parts.memory, &self.parts.recents);
        let rank = self.kept(pair, &step.old.backend).rank;
        self.forget(pair, &step.old.backend);
        match &step.fate {
            Fate::Goes => {
                recents.gone(self.route, pair, &step.old);
            }
            Fate::Becomes { new, kept, named: _ } => {
                let kept = Remembered { rank, ..kept.clone() };
                memory.remember(pair.entry(self.route, new), kept);
                if step.old.id.is_none() && new.port != step.old.backend.port {
                    recents.gone(self.route, pair, &step.old);
                }
                recents.is(self.route, pair, &Member { backend: new.clone(), ..step.old.clone() });
            }
        }
    }

    /// Takes back moves that had all been made, and tells what came of it.
    /// `before` is what was kept of each member.
    pub(super) async fn take_back_moves(
        &self,
        pair: &GroupPair,
        moves: &Moves,
        before: Vec<Remembered>,
    ) -> String {
        let done: Vec<&Move> = moves.others.iter().collect();
        let stuck = self.change_back(pair, &done).await;
        for (step, kept) in done.iter().zip(before) {
            self.forget(pair, &step.after().backend);
            self.parts.memory.remember(pair.entry(self.route, &step.old.backend), kept);
            self.parts.recents.is(self.route, pair, &step.old);
        }
        rest(moves.others.len(), &stuck)
    }

    /// What is kept of each member before it is moved.
    pub(super) fn kept_before(&self, pair: &GroupPair, moves: &Moves) -> Vec<Remembered> {
        moves.others.iter().map(|step| self.kept(pair, &step.old.backend)).collect()
    }

    /// Goes every way back, and tells the first failure with what came of it.
    async fn go_back(
        &self,
        pair: &GroupPair,
        moves: &Moves,
        ends: &[End],
        states: Vec<State>,
        failed: usize,
    ) -> Fault {
        let done: Vec<&Move> = moves
            .others
            .iter()
            .zip(&states)
            .filter(|(_, state)| matches!(state, State::Done))
            .map(|(step, _)| step)
            .collect();
        let mut stuck = self.change_back(pair, &done).await;
        let ours: Vec<(&Item, &Member)> = moves
            .adds
            .iter()
            .zip(ends)
            .filter_map(|(item, end)| if let End::Added(member) = end { Some((item, member)) } else { None })
            .collect();
        stuck.extend(self.remove(pair, &ours).await);
        let what = moves.others.get(failed).map_or("", |step| &step.what);
        let fault = match states.into_iter().nth(failed) {
            Some(State::Failed(fault)) => fault,
            Some(State::Done | State::Untried) | None => Fault::new(FaultKind::Internal, ""),
        };
        let rest = rest(ours.len() + done.len(), &stuck);
        let doubt =
            if fault.kind.leaves_doubt() { "; the group did not show this change afterwards" } else { "" };
        let detail = format!("{what}: {}{doubt}. {rest}", fault.detail.trim_end_matches('.'));
        Fault { field: Some(self.field_at_fault(fault.kind, pair)), detail: detail.into(), ..fault }
    }

    /// Undoes moves that were done; what cannot be undone is named.
    async fn change_back(&self, pair: &GroupPair, done: &[&Move]) -> Vec<String> {
        let mut stuck = Vec::new();
        let (gone, changed): (Vec<&Move>, Vec<&Move>) =
            done.iter().copied().partition(|step| matches!(step.fate, Fate::Goes));
        for step in gone {
            let backends = vec![step.old.backend.clone()];
            let add = Operation::AddBackends(AddBackends { group: pair.there.clone(), backends });
            if let Some(fault) = self.surely(&add).await {
                error!(%fault, what = step.what, "what a failed call had removed cannot be put back");
                stuck.push(step.what.clone());
            }
        }
        let back: Vec<Move> = changed.iter().filter_map(|step| step.reversed()).collect();
        for (call, places) in steps(self.route, pair, &back) {
            if let Some(fault) = self.surely(&call).await {
                error!(%fault, "what a failed call had changed cannot be changed back");
                stuck.extend(places.iter().filter_map(|place| Some(back.get(*place)?.what.clone())));
            }
        }
        stuck
    }

    /// Sends a step until it works, or until it is clear that it does not.
    pub(super) async fn surely(&self, step: &Operation) -> Option<Fault> {
        let refused = |outcome: Outcome| {
            let Outcome::Updated(items) = outcome else { return None };
            items.into_iter().find_map(|item| item.refusal)
        };
        for pause in PAUSES.map(Some).into_iter().chain([None]) {
            let fault = match self.call(step).await {
                Ok(outcome) => refused(outcome).map(|refusal| Fault::new(refusal.kind, refusal.detail))?,
                Err(fault) => fault,
            };
            let Some(pause) = pause else { return Some(fault) };
            sleep(pause).await;
        }
        None
    }
}

impl Move {
    /// The member after it.
    pub(super) fn after(&self) -> Member {
        match &self.fate {
            Fate::Becomes { new, .. } => Member { backend: new.clone(), ..self.old.clone() },
            Fate::Goes => self.old.clone(),
        }
    }

    /// The same way back.
    fn reversed(&self) -> Option<Self> {
        let Fate::Becomes { new, .. } = &self.fate else { return None };
        let (from, to) = (new, &self.old.backend);
        let differs = from.traffic != to.traffic;
        let weight = match to.traffic {
            Traffic::On(weight) => Some(weight),
            Traffic::Off(weight) => weight,
        };
        let named = Change {
            port: (from.port != to.port).then_some(to.port),
            weight: weight.filter(|_| differs),
            enabled: differs.then_some(matches!(to.traffic, Traffic::On(_))),
            standby: (from.standby != to.standby).then_some(to.standby),
            ..Change::of(BackendRef::At { target: from.target.clone(), port: from.port })
        };
        let old = Member { backend: new.clone(), ..self.old.clone() };
        let fate = Fate::Becomes { new: to.clone(), named, kept: Remembered::default() };
        Some(Self { what: self.what.clone(), old, fate })
    }

    /// Whether a group that holds `members` shows what was to become of this one.
    fn has_landed(&self, members: &[Member]) -> bool {
        let same = |member: &&Member| match (&member.id, &self.old.id) {
            (Some(one), Some(other)) => one == other,
            (None, _) | (_, None) => false,
        };
        match &self.fate {
            Fate::Goes => !members.iter().any(|member| {
                same(&member) || (member.id.is_none() && member.backend.same_entry(&self.old.backend))
            }),
            Fate::Becomes { new, .. } => members.iter().any(|member| {
                (same(&member) || member.id.is_none())
                    && member.backend.same_entry(new)
                    && member.backend.same_traffic(new)
            }),
        }
    }

    /// The member as the target's calls name it.
    fn name(&self, route: &Route<'_>) -> BackendRef {
        let at = || BackendRef::At { target: self.old.backend.target.clone(), port: self.old.backend.port };
        match (route.there.capability.names_backends, &self.old.id) {
            (NamesBackends::Id, Some(id)) => BackendRef::Id(id.clone()),
            (NamesBackends::Id, None) | (NamesBackends::Address, _) => at(),
        }
    }

    /// Whether it takes another in its place on this target, since a port cannot change there.
    fn replaces(&self, route: &Route<'_>) -> bool {
        match &self.fate {
            Fate::Becomes { new, .. } => {
                !route.there.capability.changes_ports && new.port != self.old.backend.port
            }
            Fate::Goes => false,
        }
    }

    /// Whether the target gets a call for it at all: a change that only the gateway keeps needs none.
    fn is_written(&self, route: &Route<'_>) -> bool {
        match &self.fate {
            Fate::Goes => true,
            Fate::Becomes { new, named, kept: _ } => {
                let Change { backend: _, port, weight, enabled, standby, description } = named;
                let in_part = route.there.capability.updates_in_part;
                if in_part {
                    return port.is_some() || weight.is_some() || enabled.is_some() || standby.is_some();
                }
                let hidden_weight = matches!(new.traffic, Traffic::Off(_))
                    && matches!(self.old.backend.traffic, Traffic::Off(_))
                    && enabled.is_none();
                port.is_some()
                    || enabled.is_some()
                    || (weight.is_some() && !hidden_weight)
                    || (description.is_some() && route.there.backend.row(Field::Description).is_some())
                    || (standby.is_some() && route.there.backend.row(Field::Standby).is_some())
            }
        }
    }

    /// The change as the target is told of it.
    fn told(&self, route: &Route<'_>) -> Option<Change> {
        let Fate::Becomes { new, named, .. } = &self.fate else { return None };
        let backend = self.name(route);
        if route.there.capability.updates_in_part {
            let description = None;
            return Some(Change { backend, description, ..named.clone() });
        }
        let (enabled, weight) = match new.traffic {
            Traffic::On(weight) => (true, Some(weight)),
            Traffic::Off(weight) => (false, weight),
        };
        let description = new.description.clone();
        Some(Change { weight, enabled: Some(enabled), description, ..Change::of(backend) })
    }
}

/// The calls that carry moves out, each with the places of its moves.
pub(super) fn steps(route: &Route<'_>, pair: &GroupPair, moves: &[Move]) -> Vec<(Operation, Vec<usize>)> {
    let capability = &route.there.capability;
    let places = |wanted: &dyn Fn(&Move) -> bool| -> Vec<usize> {
        let wanted = moves.iter().enumerate().filter(|(_, step)| step.is_written(route) && wanted(step));
        wanted.map(|(place, _)| place).collect()
    };
    let goes = |step: &Move| matches!(step.fate, Fate::Goes);
    let updated = places(&|step| !goes(step) && !step.replaces(route));
    let replaced = places(&|step| step.replaces(route));
    let removed = places(&goes);
    let at = |chunk: &[usize]| -> Vec<&Move> { chunk.iter().filter_map(|place| moves.get(*place)).collect() };
    let scope = || pair.there.clone().into();

    let changes = updated.chunks(capability.updates_per_call).map(|chunk| {
        let changes = at(chunk).iter().filter_map(|step| step.told(route)).collect();
        (Operation::UpdateBackends(UpdateBackends { scope: scope(), changes }), chunk.to_vec())
    });
    let replacements = replaced.chunks(capability.backends_per_call).map(|chunk| {
        let old = at(chunk).iter().map(|step| step.name(route)).collect();
        let new = at(chunk)
            .iter()
            .filter_map(|step| match &step.fate {
                Fate::Becomes { new, .. } => Some(new.clone()),
                Fate::Goes => None,
            })
            .collect();
        let group = pair.there.clone();
        (Operation::ReplaceBackends(ReplaceBackends { group, old, new }), chunk.to_vec())
    });
    let removals = removed.chunks(capability.backends_per_call).map(|chunk| {
        let backends = at(chunk).iter().map(|step| step.name(route)).collect();
        (Operation::RemoveBackends(RemoveBackends { scope: scope(), backends }), chunk.to_vec())
    });
    changes.chain(replacements).chain(removals).collect()
}

/// What a reply says of each of the moves of its step; none of one that was never sent.
fn results(
    step: &Operation,
    count: usize,
    reply: Option<Result<Outcome, Fault>>,
) -> Vec<Option<Result<(), Fault>>> {
    match reply {
        None => (0..count).map(|_| None).collect(),
        Some(Err(fault)) => (0..count).map(|_| Some(Err(fault.again()))).collect(),
        Some(Ok(Outcome::Updated(items))) if items.len() == count => {
            let result = |refusal: Option<crate::model::Refusal>| match refusal {
                None => Ok(()),
                Some(refusal) => Err(Fault::new(refusal.kind, refusal.detail)),
            };
            items.into_iter().map(|item| Some(result(item.refusal))).collect()
        }
        Some(Ok(_)) => {
            // A set that does not tell of each item has changed all of them.
            let fits = !matches!(step, Operation::UpdateBackends(_));
            let lost = || Fault::new(FaultKind::TargetLost, "the target's reply does not fit the change");
            (0..count).map(|_| Some(if fits { Ok(()) } else { Err(lost()) })).collect()
        }
    }
}

/// What became of everything but the change that failed.
fn rest(done: usize, stuck: &[String]) -> String {
    let undone = match done.saturating_sub(stuck.len()) {
        0 if stuck.is_empty() => return "Nothing was changed".to_owned(),
        0 => String::new(),
        1 => "the one change that this call had made was taken back".to_owned(),
        count => format!("the {count} changes that this call had made were taken back"),
    };
    let left = if stuck.is_empty() {
        String::new()
    } else {
        format!("these could NOT be put back as they were: {}", stuck.join(", "))
    };
    let parts: Vec<String> = [undone, left].into_iter().filter(|part| !part.is_empty()).collect();
    format!("What became of the call: {}", parts.join("; "))
}
