//! What a request holds while it works, and what it has to write down before it lets go.
//!
//! Turns, notes and entries of the journal belong together: an entry ends in the same write that keeps what is to be kept of
//! it, and only then does the next writer's turn begin.

use std::{
    mem,
    sync::{Arc, MutexGuard, PoisonError, atomic::Ordering},
};

use tokio::time::Instant;
use tracing::error;

use super::{
    Parts,
    execute::Execution,
    journal::Intent,
    lanes::{NoTurn, Patience, Turn},
    pair::GroupPair,
};
use crate::{
    model::{Fault, FaultKind, LoadBalancerRef},
    store::{Entry, GroupKey, Intention, Keepsake, Remembered, RememberedGroup, Unavailable, Write},
};

impl Parts {
    /// Waits for a turn in a lane, in no longer a line than the config allows.
    pub(super) async fn turn(&self, lane: &GroupKey, alone: bool, until: Instant) -> Result<Turn, NoTurn> {
        let patience = Patience { most: self.config.limits.max_waiting, until };
        self.lanes.turn(&self.store, lane, alone, patience).await
    }
}

/// What a request holds.
#[derive(Debug, Default)]
pub(super) struct Work {
    turns: Vec<Turn>,
    notes: Vec<Write>,
    begun: Vec<Intention>,
}

impl Execution<'_> {
    /// Waits for a turn to change what a group holds already. What was recorded of adds to it is not so any more, whatever
    /// comes of the change.
    pub(super) async fn turn_to_change(&self, pair: &GroupPair, alone: bool) -> Result<(), Fault> {
        self.parts.merges.part(&pair.key(self.route));
        self.turn(pair, alone).await?;
        let group = pair.key(self.route);
        self.parts.repeats.forget(&group);
        if self.parts.tells_again() {
            // At once: a kill right after the change would leave a record of what is not so any more.
            self.parts.store.write(vec![Write::ForgetAnswers(group)]).await.map_err(unavailable)?;
        }
        Ok(())
    }

    /// What was recorded of adds to a group is not so any more.
    pub(super) fn forget_answers(&self, pair: &GroupPair) {
        let group = pair.key(self.route);
        self.parts.repeats.forget(&group);
        if self.parts.tells_again() {
            self.note(Write::ForgetAnswers(group));
        }
    }

    /// Waits for a turn to make a group on a load balancer of the target.
    pub(super) async fn turn_to_make(&self, balancer: &LoadBalancerRef) -> Result<(), Fault> {
        self.turn_in(&self.lane_of(balancer), true).await
    }

    /// The lane in which groups of a load balancer are made.
    pub(super) fn lane_of(&self, balancer: &LoadBalancerRef) -> GroupKey {
        GroupKey {
            cloud: Arc::clone(&self.route.target.name),
            group: format!("the groups of {}", balancer.id).into(),
        }
    }

    /// Waits for a turn to write to a group: `alone`, or beside others where the target takes several changes at once.
    pub(super) async fn turn(&self, pair: &GroupPair, alone: bool) -> Result<(), Fault> {
        let alone = alone || self.route.there.capability.one_writer_per_group;
        self.turn_in(&pair.key(self.route), alone).await
    }

    /// Waits for a turn. What an earlier process has left half done in this lane is put right first.
    async fn turn_in(&self, lane: &GroupKey, alone: bool) -> Result<(), Fault> {
        let parts = self.parts;
        let mut alone = alone;
        loop {
            let waiting = self.account.waits();
            let turn = parts.turn(lane, alone, self.deadline).await.map_err(no_turn)?;
            drop(waiting);
            parts.refresh(Some(lane)).await.map_err(unavailable)?;
            let left = parts.left_open(lane).await.map_err(unavailable)?;
            if left.is_empty() || alone {
                if !left.is_empty() {
                    Box::pin(self.put_all_right(&left)).await?;
                }
                for watched in parts.open.end_watches(lane) {
                    self.note(Write::Ended(watched.id));
                }
                self.work().turns.push(turn);
                return Ok(());
            }
            drop(turn);
            alone = true;
        }
    }

    async fn put_all_right(&self, left: &[Intention]) -> Result<(), Fault> {
        for intention in left {
            if !self.parts.put_right(intention).await {
                let what =
                    "what an earlier call has left half done in this group is not put right yet; try again";
                return Err(Fault::new(FaultKind::Busy, what));
            }
        }
        Ok(())
    }

    /// Writes down what is about to be done.
    ///
    /// # Errors
    /// [`FaultKind::StoreUnavailable`]: then nothing may be begun.
    pub(super) async fn begin(&self, lane: &GroupKey, intent: &Intent) -> Result<(), Fault> {
        let number = self.parts.begun.fetch_add(1, Ordering::Relaxed);
        let id = format!("{}/{number}", self.id);
        let begun = self.begin_as(id.clone(), lane, intent).await;
        // A store that fails to say that it has written something may have written it.
        begun.inspect_err(|_| self.parts.open.leave_unheard(vec![id]))
    }

    /// Writes down that what was begun last has come as far as this.
    pub(super) async fn come_to(&self, lane: &GroupKey, intent: &Intent) -> Result<(), Fault> {
        let last = self.work().begun.last().map(|last| last.id.clone());
        match last {
            Some(id) => self.begin_as(id, lane, intent).await,
            None => Ok(()),
        }
    }

    async fn begin_as(&self, id: String, lane: &GroupKey, intent: &Intent) -> Result<(), Fault> {
        let what = serde_json::to_string(intent).map_err(|error| {
            Fault::new(FaultKind::Internal, "the journal has no words for it").caused_by(error)
        })?;
        let intention = Intention { id, lane: lane.clone(), began: self.at, what };
        self.parts.store.write(vec![Write::Begun(intention.clone())]).await.map_err(unavailable)?;
        let mut work = self.work();
        work.begun.retain(|known| known.id != intention.id);
        work.begun.push(intention);
        Ok(())
    }

    /// What was begun has not come to an end that can be told: it stays open, and is looked after until it has.
    /// Whether there is anything to look after.
    pub(super) fn leave_open(&self) -> bool {
        let begun = mem::take(&mut self.work().begun);
        let any = !begun.is_empty();
        self.parts.open.leave(begun);
        any
    }

    /// Whether it is this request's turn anywhere.
    pub(super) fn has_turn(&self) -> bool {
        !self.work().turns.is_empty()
    }

    /// Lets the next one in where this request was first: it has gone on to another lane.
    pub(super) fn leave_first_lane(&self) {
        let mut work = self.work();
        if work.turns.len() > 1 {
            work.turns.remove(0);
        }
    }

    /// Takes over what another has begun, to end it.
    pub(super) fn adopt(&self, left: Intention) {
        self.work().begun.push(left);
    }

    /// Writes down what came of the work so far, and lets the next writers in. Whether it is written.
    ///
    /// A store that fails now takes nothing back of what the target holds: what was begun stays open, and is found complete
    /// when the store can be used again.
    pub(super) async fn conclude(&self) -> bool {
        let Work { turns, notes, begun } = mem::take(&mut *self.work());
        let ended = begun.iter().map(|intention| Write::Ended(intention.id.clone()));
        let writes: Vec<Write> = notes.into_iter().chain(ended).collect();
        let written = if writes.is_empty() { Ok(()) } else { self.parts.store.write(writes).await };
        if let Err(error) = &written {
            error!(%error, "what came of a request cannot be written down");
            self.parts.open.leave(begun);
        }
        drop(turns);
        written.is_ok()
    }

    /// Keeps what the target could not hold of a backend.
    pub(super) fn keep(&self, entry: Entry, remembered: Remembered) {
        self.keep_this(Keepsake::Backend(entry, remembered));
    }

    /// Keeps what the target could not hold of a group.
    pub(super) fn keep_group(&self, group: GroupKey, remembered: RememberedGroup) {
        self.keep_this(Keepsake::Group(group, remembered));
    }

    fn keep_this(&self, keepsake: Keepsake) {
        let is_new = self.parts.kept.keep(&keepsake);
        // What this process knows may not have reached the store, or may have been read from it a moment too early.
        if is_new || !keepsake.is_empty() || !self.work().begun.is_empty() {
            self.note(Write::Keep(keepsake));
        }
    }

    /// Forgets a group that is gone, and its backends.
    pub(super) fn forget_group(&self, pair: &GroupPair) {
        let group = pair.key(self.route);
        self.parts.kept.forget_group(&group);
        self.note(Write::ForgetGroup(group));
    }

    pub(super) fn note(&self, write: Write) {
        self.work().notes.push(write);
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Execution<'_> {
    /// A request that ended in a panic leaves open what it had begun.
    fn drop(&mut self) {
        self.leave_open();
    }
}

/// The fault of a store that cannot be used.
pub(super) fn unavailable(error: Unavailable) -> Fault {
    let what =
        "the gateway's store cannot be used, so nothing is changed; reads go on. Its log and /readyz say why";
    Fault::new(FaultKind::StoreUnavailable, what).caused_by(error)
}

pub(super) fn no_turn(why: NoTurn) -> Fault {
    let what = match why {
        NoTurn::Full => "as many changes of the group wait as may; nothing was begun",
        NoTurn::Late => "other changes of the group took all the time; nothing was begun",
        NoTurn::Unavailable(error) => return unavailable(error),
    };
    Fault::new(FaultKind::Busy, what)
}
