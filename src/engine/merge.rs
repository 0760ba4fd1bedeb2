//! Adds that wait together for a group that takes one change at a time go out as one call, each caller getting its own
//! answer.
//!
//! Whoever has the turn takes those along who wait behind it; they leave the line. One add of several that the target refuses
//! must not fail the others: the call is then sent again in halves, down to the one that is to blame. Nobody is taken along
//! past another change of the group, and who has time left is not given up with who has not.

use std::{
    collections::{HashMap, VecDeque},
    mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::oneshot::{self, Receiver, Sender, error::TryRecvError},
    time::{Instant, timeout},
};
use tracing::warn;

use super::{
    add::{ends::End, plan::Item},
    change::Aim,
    execute::Execution,
    lanes::NoTurn,
    look::is_momentary,
    pair::{GroupPair, identity},
    work::no_turn,
};
use crate::{
    mapping::DuplicateAdd,
    model::{Fault, FaultKind, Member, Port},
    store::GroupKey,
};

/// How often one whose own time is up asks whether it is still with who took it along.
const ASK_EVERY: Duration = Duration::from_millis(50);

/// Adds that wait, by group.
#[derive(Debug, Default)]
pub(super) struct Merges {
    waiting: Mutex<HashMap<GroupKey, Line>>,
    tickets: AtomicU64,
}

/// The adds that wait for one group, in parts: between two parts stands another change of the group.
#[derive(Debug, Default)]
struct Line {
    part: u64,
    tickets: VecDeque<Ticket>,
}

/// An add that waits.
#[derive(Debug)]
struct Ticket {
    /// No two of a process have the same.
    number: u64,
    part: u64,
    /// When its request's time is up.
    deadline: Instant,
    /// Whether its caller expects an add to be repeatable: only adds of one mind go together.
    duplicates: DuplicateAdd,
    items: Vec<Item>,
    ends: Sender<Vec<End>>,
}

impl Merges {
    fn join(&self, group: &GroupKey, ticket: Ticket) {
        let mut waiting = self.lock();
        let line = waiting.entry(group.clone()).or_default();
        line.tickets.push_back(Ticket { part: line.part, ..ticket });
    }

    /// Another change of the group stands behind those that wait now.
    pub(super) fn part(&self, group: &GroupKey) {
        if let Some(line) = self.lock().get_mut(group) {
            line.part += 1;
        }
    }

    /// Those that were taken and have time left are the first again.
    fn put_back(&self, group: &GroupKey, tickets: Vec<Ticket>) {
        let Some(last) = tickets.last() else { return };
        let mut waiting = self.lock();
        let line = waiting.entry(group.clone()).or_default();
        line.part = line.part.max(last.part);
        for ticket in tickets.into_iter().rev() {
            line.tickets.push_front(ticket);
        }
    }

    /// Takes back a ticket that waits; whether it still did.
    fn withdraw(&self, group: &GroupKey, number: u64) -> bool {
        let mut waiting = self.lock();
        let Some(line) = waiting.get_mut(group) else { return false };
        let before = line.tickets.len();
        line.tickets.retain(|ticket| ticket.number != number);
        line.tickets.len() < before
    }

    /// The first that waits, and as many behind it as go into one call of `most` backends with it.
    fn take(&self, group: &GroupKey, most: usize, name: impl Fn(&Item) -> (Arc<str>, Port)) -> Vec<Ticket> {
        let mut waiting = self.lock();
        let Some(line) = waiting.get_mut(group) else { return Vec::new() };
        // Whoever has gone away wants nothing any more.
        line.tickets.retain(|ticket| !ticket.ends.is_closed());
        let (mut taken, mut left): (Vec<Ticket>, VecDeque<Ticket>) = (Vec::new(), VecDeque::new());
        for ticket in line.tickets.drain(..) {
            let known = |item: &Item| {
                taken.iter().flat_map(|taken| &taken.items).any(|taken| name(taken) == name(item))
            };
            let count: usize = taken.iter().map(|taken| taken.items.len()).sum();
            let of_one_mind = taken.first().is_none_or(|first| first.goes_with(&ticket));
            if of_one_mind && count + ticket.items.len() <= most && !ticket.items.iter().any(known) {
                taken.push(ticket);
            } else {
                left.push_back(ticket);
            }
        }
        if left.is_empty() {
            waiting.remove(group);
        } else {
            line.tickets = left;
        }
        taken
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<GroupKey, Line>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket {
    fn goes_with(&self, other: &Self) -> bool {
        (self.duplicates, self.part) == (other.duplicates, other.part)
    }
}

impl Execution<'_> {
    /// Whether an add may go out with others: one call carries it, and nothing of it is the gateway's to keep.
    pub(super) fn goes_with_others(&self, aim: &Aim) -> bool {
        let capability = &self.route.there.capability;
        capability.one_writer_per_group
            && aim.moves.adds.len() <= capability.backends_per_call
            && !self.has_parts(aim)
    }

    /// Adds the items of an aim in a call of their own, or in one with others.
    ///
    /// # Errors
    /// What befell these items; none of them was added.
    pub(super) async fn add_with_others(&self, aim: Aim) -> Result<Vec<Member>, Fault> {
        let group = aim.pair.key(self.route);
        let (ends, told) = oneshot::channel();
        let (duplicates, deadline) = (self.route.here.capability.duplicate_add, self.deadline);
        let items = aim.moves.adds.clone();
        let number = self.parts.merges.tickets.fetch_add(1, Ordering::Relaxed);
        self.parts.merges.join(&group, Ticket { number, part: 0, deadline, duplicates, items, ends });
        let mut ends = self.ends_of_ticket(&aim.pair, &group, number, told).await?;
        if ends.iter().any(|end| end.fault().is_some()) {
            self.turn_to_go_back(&aim.pair).await;
            return Err(self.go_back_from_adds(&aim, &mut ends).await);
        }
        Ok(self.reached(&aim, &ends))
    }

    /// One that was taken along has had no turn of its own.
    async fn turn_to_go_back(&self, pair: &GroupPair) {
        if !self.has_turn()
            && let Err(fault) = self.turn(pair, true).await
        {
            warn!(%fault, "what a failed add had added is taken back out of turn");
        }
    }

    /// What became of a ticket: another has taken it along, or it is this one's turn.
    async fn ends_of_ticket(
        &self,
        pair: &GroupPair,
        group: &GroupKey,
        number: u64,
        mut told: Receiver<Vec<End>>,
    ) -> Result<Vec<End>, Fault> {
        let waiting = self.account.waits();
        let turn = tokio::select! {
            biased;
            ends = &mut told => return ends.map_err(|_| lost()),
            turn = self.turn(pair, true) => turn,
        };
        drop(waiting);
        if let Err(fault) = turn {
            return self.ends_without_a_turn(group, number, told, fault).await;
        }
        // Whoever took this one along has had the turn before, and so has told.
        let mut gave_up = false;
        loop {
            match told.try_recv() {
                Ok(ends) => return Ok(ends),
                Err(TryRecvError::Closed) => return Err(lost()),
                Err(TryRecvError::Empty) if gave_up => return Err(no_turn(NoTurn::Late)),
                Err(TryRecvError::Empty) => {}
            }
            let most = self.route.there.capability.backends_per_call;
            let name = |item: &Item| (identity(self.route, &item.there.target), item.there.port);
            let batch = self.parts.merges.take(group, most, name);
            if batch.is_empty() {
                return Err(lost());
            }
            gave_up = self.add_together(pair, group, batch).await;
        }
    }

    /// What became of a ticket whose own turn did not come. Whoever has taken it along is at work on it, and what comes of
    /// that has to be told.
    async fn ends_without_a_turn(
        &self,
        group: &GroupKey,
        number: u64,
        mut told: Receiver<Vec<End>>,
        fault: Fault,
    ) -> Result<Vec<End>, Fault> {
        loop {
            if self.parts.merges.withdraw(group, number) {
                return Err(fault);
            }
            if let Ok(ends) = timeout(ASK_EVERY, &mut told).await {
                return ends.map_err(|_| lost());
            }
        }
    }

    /// Sends the adds of a batch, and tells each of its own. Whether the target was busy for longer than this request has
    /// time: then who has more waits on.
    async fn add_together(&self, pair: &GroupPair, group: &GroupKey, batch: Vec<Ticket>) -> bool {
        let mut gave_up = false;
        let mut batches = vec![batch];
        while let Some(mut batch) = batches.pop() {
            let items: Vec<Item> = batch.iter().flat_map(|ticket| ticket.items.clone()).collect();
            let mut ends: Vec<End> = items.iter().map(|_| End::Untried).collect();
            self.add_all(pair, &items, false, &mut ends).await;
            let nothing = !ends.iter().any(|end| matches!(end, End::Added(_) | End::Landed(_)));
            if batch.len() > 1 && nothing && ends.iter().any(is_one_of_several) {
                let rest = batch.split_off(batch.len() / 2);
                batches.extend([rest, batch]);
                continue;
            }
            let busy = ends.iter().all(is_busy);
            gave_up |= busy;
            let mut waits_on = Vec::new();
            for ticket in batch {
                let rest = ends.split_off(ticket.items.len());
                let own = mem::replace(&mut ends, rest);
                if busy && ticket.deadline > self.deadline {
                    waits_on.push(ticket);
                } else {
                    // Whoever has gone away is told by what the group shows.
                    let _gone = ticket.ends.send(own);
                }
            }
            self.parts.merges.put_back(group, waits_on);
        }
        gave_up
    }
}

fn is_busy(end: &End) -> bool {
    end.fault().is_some_and(|fault| matches!(fault.kind, FaultKind::Busy | FaultKind::Throttled))
}

/// Whether an end says that the target refused the call for something in it, which may be one item alone.
fn is_one_of_several(end: &End) -> bool {
    let (End::Failed(fault) | End::Duplicate(fault)) = end else { return false };
    !is_momentary(fault.kind) && !matches!(fault.kind, FaultKind::TargetDenied | FaultKind::UnknownGroup)
}

fn lost() -> Fault {
    Fault::new(
        FaultKind::Internal,
        "the add was lost on its way; what the group holds tells whether it was made",
    )
}
