//! Changes a group: adds, removals, other weights and states, others in their place, another name. All of it or nothing.
//!
//! What is asked is an [`Aim`], of which `lower` makes the moves, pure. It is carried out so that there is no gap: what comes
//! first is added, then changed, then removed, then the group gets its name. What takes several calls stands in the journal
//! before the first of them. What was done has a way back (`undo`), which is gone when a later call fails; or, from what
//! the group shows, by the next process (`recover`).

use serde::{Deserialize, Serialize};
use tokio::time::sleep;
use tracing::warn;

pub(in crate::engine) mod lower;
pub(in crate::engine) mod moves;
mod name;
pub(in crate::engine) mod recover;
mod surely;
mod undo;

use self::moves::{Fate, Move, Moves, results, steps};
pub(in crate::engine) use self::name::Renaming;
use crate::{
    engine::{
        add::{ends::End, plan::looks_first, settle::LOOKS},
        execute::Execution,
        journal::{Deed, Intent},
        pair::GroupPair,
    },
    model::{Fault, Member, Operation},
    store::{Remembered, RememberedGroup},
};

/// What is to become of a group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::engine) struct Aim {
    /// The group.
    pub(in crate::engine) pair: GroupPair,
    /// What is to become of its members.
    pub(in crate::engine) moves: Moves,
    /// Its other name.
    pub(in crate::engine) name: Option<Renaming>,
    /// What the target has no place for of the group itself; none leaves what is kept.
    pub(in crate::engine) settings: Option<RememberedGroup>,
    /// Which of the adds the group held before, by their places; none if it was not looked at.
    pub(in crate::engine) before: Option<Vec<usize>>,
}

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

    fn is_failed(&self) -> bool {
        matches!(self, Self::Failed { .. })
    }
}

impl Aim {
    /// To change members of a group.
    pub(in crate::engine) fn of(pair: &GroupPair, moves: Moves) -> Self {
        Self { pair: pair.clone(), moves, name: None, settings: None, before: None }
    }
}

impl Execution<'_> {
    /// Reaches an aim, and keeps what the target could not hold of it. Tells of the adds as members of the group.
    ///
    /// # Errors
    /// The first failure, with what became of the rest: nothing that this call had done is left.
    pub(in crate::engine) async fn achieve(&self, mut aim: Aim) -> Result<Vec<Member>, Fault> {
        let mut ends = self.ends_before(&mut aim).await?;
        if ends.iter().all(|end| end.fault().is_none()) && self.has_parts(&aim) {
            let intent = Intent::on(self.route, Deed::Change(Box::new(aim.clone())));
            self.begin(&aim.pair.key(self.route), &intent).await?;
        }
        self.reach(&aim, &mut ends).await?;
        Ok(self.reached(&aim, &ends))
    }

    /// What is known of the adds before anything is sent.
    async fn ends_before(&self, aim: &mut Aim) -> Result<Vec<End>, Fault> {
        let items = &aim.moves.adds;
        if aim.before.is_some() || !looks_first(self.route, items.len()) {
            return Ok(items.iter().map(|_| End::Untried).collect());
        }
        let members = self.group(&aim.pair).await?.members;
        let ends: Vec<End> = items.iter().map(|item| self.end_before(&members, item)).collect();
        let there = ends.iter().enumerate().filter(|(_, end)| !end.is_untried());
        aim.before = Some(there.map(|(place, _)| place).collect());
        Ok(ends)
    }

    /// Whether an aim can be reached by half: it takes several calls, or one and something that the gateway keeps.
    pub(in crate::engine) fn has_parts(&self, aim: &Aim) -> bool {
        let Moves { adds: items, others } = &aim.moves;
        let calls = items.len().div_ceil(self.route.there.capability.backends_per_call)
            + steps(self.route, &aim.pair, others, |_| true).len()
            + usize::from(aim.name.is_some());
        let keeps = aim.settings.is_some()
            || items.iter().any(|item| item.remembered != Remembered::default())
            || others.iter().any(|step| self.keeps_more(&aim.pair, step));
        calls > 1 || (calls == 1 && keeps && !self.route.same_cloud())
    }

    /// Whether a move leaves something to keep that is not kept yet.
    fn keeps_more(&self, pair: &GroupPair, step: &Move) -> bool {
        let Fate::Becomes { kept, new: _, named: _ } = &step.fate else { return false };
        let known = self.kept(pair, &step.old.backend);
        *kept != Remembered { rank: kept.rank.clone(), ..known } && *kept != Remembered::default()
    }

    /// Reaches an aim that stands in the journal where it has to.
    ///
    /// # Errors
    /// As [`achieve`](Self::achieve).
    pub(in crate::engine) async fn reach(&self, aim: &Aim, ends: &mut [End]) -> Result<(), Fault> {
        let Moves { adds: items, others } = &aim.moves;
        let mut states: Vec<State> = others.iter().map(|_| State::Untried).collect();
        self.add_all(&aim.pair, items, aim.before.is_some(), ends).await;
        if ends.iter().any(|end| end.fault().is_some()) {
            return Err(Box::pin(self.go_back_from_adds(aim, ends)).await);
        }
        if !others.is_empty() {
            Box::pin(self.move_on(&aim.pair, others, &mut states, false)).await;
            if !states.iter().any(State::is_failed) {
                Box::pin(self.move_on(&aim.pair, others, &mut states, true)).await;
            }
        }
        if let Some(failed) = states.iter().position(State::is_failed) {
            return Err(Box::pin(self.go_back_from_moves(aim, ends, states, failed)).await);
        }
        let Some(name) = &aim.name else { return Ok(()) };
        match self.rename(&aim.pair, name).await {
            Ok(()) => Ok(()),
            Err(state) => Err(Box::pin(self.go_back_from_name(aim, ends, state)).await),
        }
    }

    /// What the target could not hold of an aim that is reached is kept, and what was written shows in the reads that come.
    /// Tells of the adds as members of the group, in their order and in the caller's ids.
    pub(in crate::engine) fn reached(&self, aim: &Aim, ends: &[End]) -> Vec<Member> {
        let added = self.added(&aim.pair, &aim.moves.adds, ends);
        for step in &aim.moves.others {
            self.follow(&aim.pair, step);
        }
        if let Some(name) = &aim.name {
            self.parts.recents.named(self.route, &aim.pair, &name.to);
        }
        if let Some(settings) = &aim.settings {
            self.keep_group(aim.pair.key(self.route), settings.clone());
        }
        added
    }

    /// Carries out the moves by which something goes, or the others.
    async fn move_on(&self, pair: &GroupPair, moves: &[Move], states: &mut [State], going: bool) {
        let removes = |step: &Operation| matches!(step, Operation::RemoveBackends(_));
        let mut again = true;
        // A lost answer stops the rest; when the change turns out to have landed, the rest goes on. When it has not, it is
        // sent once more.
        while !states.iter().any(State::is_failed) {
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
    fn follow(&self, pair: &GroupPair, step: &Move) {
        let recents = &self.parts.recents;
        let rank = self.kept(pair, &step.old.backend).rank;
        self.forget(pair, &step.old.backend);
        match &step.fate {
            Fate::Goes => {
                recents.gone(self.route, pair, &step.old);
            }
            Fate::Becomes { new, kept, named: _ } => {
                let kept = Remembered { rank, ..kept.clone() };
                self.keep(pair.entry(self.route, new), kept);
                if step.old.id.is_none() && new.port != step.old.backend.port {
                    recents.gone(self.route, pair, &step.old);
                }
                recents.is(self.route, pair, &Member { backend: new.clone(), ..step.old.clone() });
            }
        }
    }
}
