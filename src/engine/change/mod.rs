//! Changes members of a group: removals, other weights and states, others in their place. All of a request or nothing.
//!
//! What is asked is lowered to [`Moves`], pure; they are carried out so that there is no gap: what comes first is added, then
//! changed, then removed. What was done has a way back, which is gone when a later move fails; a removal or a replacement
//! whose answer got lost has none, and is told of as such.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::time::sleep;
use tracing::{error, warn};

pub(in crate::engine) mod lower;
pub(in crate::engine) mod moves;

use self::moves::{Fate, Move, Moves, results, steps};
use crate::{
    engine::{
        add::{ends::End, plan::Item, settle::LOOKS},
        execute::Execution,
        pair::GroupPair,
    },
    model::{AddBackends, Fault, FaultKind, Member, Operation, Outcome},
    store::Remembered,
};

/// Pauses between the tries of a way back. It is tried harder than anything else, since giving up leaves a trace.
const PAUSES: [Duration; 3] =
    [Duration::from_millis(200), Duration::from_millis(600), Duration::from_millis(1500)];

/// How far a move came.
#[derive(Debug)]
enum State {
    Untried,
    Done,
    Failed {
        fault: Fault,
        /// Whether the group was looked at since, where an answer got lost.
        looked: bool,
    },
}

impl State {
    fn is_doubtful(&self) -> bool {
        matches!(self, Self::Failed { fault, looked: _ } if fault.kind.leaves_doubt())
    }
}

impl Execution<'_> {
    /// Carries the moves out, and keeps what the target could not hold of them.
    ///
    /// # Errors
    /// The first failure, with what became of the rest.
    pub(in crate::engine) async fn carry(&self, pair: &GroupPair, moves: &Moves) -> Result<(), Fault> {
        let ends = if moves.adds.is_empty() { Vec::new() } else { self.add_all(pair, &moves.adds).await? };
        let mut states: Vec<State> = moves.others.iter().map(|_| State::Untried).collect();
        let first_failure =
            |states: &[State]| states.iter().position(|state| matches!(state, State::Failed { .. }));
        self.move_on(pair, &moves.others, &mut states, false).await;
        if first_failure(&states).is_none() {
            self.move_on(pair, &moves.others, &mut states, true).await;
        }
        let failed = first_failure(&states);
        let Some(failed) = failed else {
            self.added(pair, &moves.adds, &ends);
            for step in &moves.others {
                self.note(pair, step);
            }
            return Ok(());
        };
        Err(self.go_back(pair, moves, &ends, states, failed).await)
    }

    /// Carries out the moves by which something goes, or the others.
    async fn move_on(&self, pair: &GroupPair, moves: &[Move], states: &mut [State], going: bool) {
        let removes = |step: &Operation| matches!(step, Operation::RemoveBackends(_));
        let mut again = true;
        // A lost answer stops the rest; when the change turns out to have landed, the rest goes on. When it has not, it is
        // sent once more.
        while !states.iter().any(|state| matches!(state, State::Failed { .. })) {
            let untried = |place: usize| matches!(states.get(place), Some(State::Untried));
            let mut steps = steps(self.route, pair, moves, untried);
            steps.retain(|(step, _)| removes(step) == going);
            if steps.is_empty() {
                return;
            }
            let calls: Vec<Operation> = steps.iter().map(|(step, _)| step.clone()).collect();
            let replies = self.fan_out(&calls).await;
            for ((step, places), reply) in steps.iter().zip(replies) {
                let results = results(step, places.len(), reply);
                for (place, result) in places.iter().zip(results) {
                    if let (Some(state), Some(result)) = (states.get_mut(*place), result) {
                        *state = match result {
                            Ok(()) => State::Done,
                            Err(fault) => State::Failed { fault, looked: false },
                        };
                    }
                }
            }
            let looked = self.settle_moves(pair, moves, states).await;
            if looked && std::mem::take(&mut again) {
                let mut both = moves.iter().zip(states.iter_mut());
                while let Some((step, state)) = both.find(|(_, state)| state.is_doubtful()) {
                    // A replacement that lands late, after its repeat, finds nothing to replace.
                    if !step.replaces(self.route) {
                        *state = State::Untried;
                    }
                }
            }
        }
    }

    /// A lost answer says nothing: a look tells whether the change has landed. Whether the last look told anything.
    async fn settle_moves(&self, pair: &GroupPair, moves: &[Move], states: &mut [State]) -> bool {
        let mut looked = false;
        for pause in LOOKS {
            if !states.iter().any(State::is_doubtful) {
                return looked;
            }
            sleep(pause).await;
            match self.group(pair).await {
                Ok(group) => {
                    looked = true;
                    for (step, state) in moves.iter().zip(states.iter_mut()) {
                        if state.is_doubtful() && step.has_landed(&group.members) {
                            *state = State::Done;
                        }
                    }
                }
                Err(fault) => {
                    looked = false;
                    warn!(%fault, "the group cannot be looked at to settle a doubt");
                }
            }
        }
        for state in states.iter_mut() {
            if let State::Failed { looked: told, fault: _ } = state {
                *told = looked;
            }
        }
        looked
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
    /// `before` is what was kept of each member; `unseen` is as for [`rest`].
    pub(in crate::engine) async fn take_back_moves(
        &self,
        pair: &GroupPair,
        moves: &Moves,
        before: Vec<Remembered>,
        unseen: bool,
    ) -> String {
        let done: Vec<&Move> = moves.others.iter().collect();
        let stuck = self.change_back(pair, &done).await;
        for (step, kept) in done.iter().zip(before).filter(|(step, _)| !stuck.contains(&step.what)) {
            self.forget(pair, &step.after().backend);
            self.parts.memory.remember(pair.entry(self.route, &step.old.backend), kept);
        }
        rest(moves.others.len(), &stuck, unseen)
    }

    /// What is kept of each member before it is moved.
    pub(in crate::engine) fn kept_before(&self, pair: &GroupPair, moves: &Moves) -> Vec<Remembered> {
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
            .filter(|(step, state)| match state {
                State::Done => true,
                // What it was before is right whether the change has landed or not.
                State::Failed { fault, looked: _ } => fault.kind.leaves_doubt() && step.is_update(self.route),
                State::Untried => false,
            })
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
        let (fault, looked) = match states.into_iter().nth(failed) {
            Some(State::Failed { fault, looked }) => (fault, looked),
            Some(State::Done | State::Untried) | None => (Fault::new(FaultKind::Internal, ""), false),
        };
        let doubt = match (fault.kind.leaves_doubt(), looked) {
            (false, _) => "",
            (true, true) => "; the group did not show this change afterwards",
            (true, false) => "; it could NOT be found out whether this was done",
        };
        let rest = rest(ours.len() + done.len(), &stuck, fault.kind.leaves_doubt() && !looked);
        let detail = format!("{what}: {}{doubt}. {rest}", fault.detail.trim_end_matches('.'));
        Fault { field: Some(self.field_at_fault(fault.kind, pair)), detail: detail.into(), ..fault }
    }

    /// Undoes moves that were done; what cannot be undone is named.
    async fn change_back(&self, pair: &GroupPair, done: &[&Move]) -> Vec<String> {
        let mut stuck = Vec::new();
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
            stuck.push(step.what);
        }
        let back: Vec<Move> = changed.iter().filter_map(|step| step.reversed()).collect();
        for (call, places) in steps(self.route, pair, &back, |_| true) {
            let back = places.iter().filter_map(|place| back.get(*place));
            match self.surely(&call).await {
                Ok(_) => back.for_each(|step| self.parts.recents.is(self.route, pair, &step.after())),
                Err(fault) => {
                    error!(%fault, "what a failed call had changed cannot be changed back");
                    stuck.extend(back.map(|step| step.what.clone()));
                }
            }
        }
        stuck
    }

    /// Puts back a member that was removed; why, if that cannot be done.
    async fn put_back(&self, pair: &GroupPair, step: &Move) -> Option<Fault> {
        let backends = vec![step.old.backend.clone()];
        let add = Operation::AddBackends(AddBackends { group: pair.there.clone(), backends });
        self.parts.recents.gone(self.route, pair, &step.old);
        match self.surely(&add).await {
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

    /// Sends a step until it works, or until it is clear that it does not.
    pub(in crate::engine) async fn surely(&self, step: &Operation) -> Result<Outcome, Fault> {
        for pause in PAUSES {
            match self.call(step).await.and_then(whole) {
                Ok(outcome) => return Ok(outcome),
                Err(fault) if fault.kind == FaultKind::AlreadyPresent => return Err(fault),
                Err(_) => sleep(pause).await,
            }
        }
        self.call(step).await.and_then(whole)
    }
}

/// An outcome of which no item was refused.
fn whole(outcome: Outcome) -> Result<Outcome, Fault> {
    let Outcome::Updated(items) = &outcome else { return Ok(outcome) };
    match items.iter().find_map(|item| item.refusal.clone()) {
        Some(refusal) => Err(Fault::new(refusal.kind, refusal.detail)),
        None => Ok(outcome),
    }
}

/// What became of everything but the change that failed.
/// `unseen` if nobody could look whether that one was made: then it is not said that nothing was.
fn rest(done: usize, stuck: &[String], unseen: bool) -> String {
    let undone = match done.saturating_sub(stuck.len()) {
        0 if stuck.is_empty() && unseen => return "Nothing else was changed".to_owned(),
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
