//! Puts right what an earlier process, or a request that has given up, has left half done: what the group shows says how far
//! it came. It is found complete, or taken back.

use std::time::Duration;

use tokio::time::sleep;
use tracing::{info, warn};

use super::{Aim, moves::Move, name::renaming};
use crate::{
    engine::{
        add::{ends::End, plan::Item},
        execute::Execution,
        look::is_momentary,
    },
    model::{Fault, FaultKind, Group, Member},
};

/// How what was left half done was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum Found {
    /// All of it was done.
    Whole,
    /// Nothing of it is left that the target shows.
    TakenBack,
}

/// How much of an aim a group shows.
struct Shown<'a> {
    ends: Vec<End>,
    done: Vec<&'a Move>,
    named: bool,
    whole: bool,
}

impl Shown<'_> {
    fn is_nothing(&self) -> bool {
        let added = self.ends.iter().any(|end| matches!(end, End::Added(_)));
        !added && self.done.is_empty() && !self.named
    }
}

impl Execution<'_> {
    /// Looks how far an aim was reached, and takes back what there is of it unless that is all. Looks again for a while: a
    /// call that was on its way when its process died may land, and a cloud may show a change late. Where it does, what looks
    /// whole at first may be what was there some time ago.
    ///
    /// # Errors
    /// Why it cannot be told or done now.
    pub(in crate::engine) async fn put_aim_right(
        &self,
        aim: &Aim,
        looks: &[Duration],
    ) -> Result<Found, Fault> {
        let mut told = Ok(Found::TakenBack);
        let shows_late = !self.route.there.capability.settles_after.is_zero();
        for (place, pause) in looks.iter().enumerate() {
            let is_last = place + 1 == looks.len();
            sleep(*pause).await;
            let group = match self.group(&aim.pair).await {
                Ok(group) => group,
                Err(fault) if fault.kind == FaultKind::UnknownGroup => {
                    info!(group = %aim.pair.there.group, "the group of an operation that was cut short is gone");
                    return Ok(Found::Whole);
                }
                Err(fault) => {
                    told = Err(fault);
                    continue;
                }
            };
            let shown = self.shown_of(aim, &group);
            if shown.whole && (is_last || !shows_late) {
                info!(group = %aim.pair.there.group, "an operation that was cut short is complete");
                self.reached(aim, &shown.ends);
                return Ok(Found::Whole);
            }
            told = if shown.whole || shown.is_nothing() {
                Ok(Found::TakenBack)
            } else {
                self.take_aim_back(aim, &shown).await.map(|()| Found::TakenBack)
            };
        }
        told
    }

    /// What a group shows of an aim.
    fn shown_of<'a>(&self, aim: &'a Aim, group: &Group) -> Shown<'a> {
        let ends = self.ends_shown(aim, &group.members);
        let others = &aim.moves.others;
        let members = &group.members;
        let is_done = |step: &&Move| step.has_landed(members) && !step.is_back(members);
        let done: Vec<&Move> = others.iter().filter(is_done).collect();
        let name = aim.name.as_ref();
        let named = name.is_some_and(|name| group.name.as_ref() == Some(&name.to));
        let whole = ends.iter().all(|end| end.member().is_some())
            && done.len() == others.len()
            && (name.is_none() || named);
        let named = named && name.is_some_and(|name| name.from.as_ref() != Some(&name.to));
        let is_change = |step: &&Move| step.changes_anything();
        Shown { ends, done: done.into_iter().filter(is_change).collect(), named, whole }
    }

    /// The adds that a group shows: those that were there before, and those that were not.
    pub(in crate::engine) fn ends_shown(&self, aim: &Aim, members: &[Member]) -> Vec<End> {
        let end = |(place, item): (usize, &Item)| match self.end_shown(members, item) {
            None => End::Untried,
            Some(member) => match &aim.before {
                Some(before) if !before.contains(&place) => End::Added(member),
                Some(_) => End::Present(member),
                // One call for all: it has landed, or they were there before.
                None => End::Landed(member),
            },
        };
        aim.moves.adds.iter().enumerate().map(end).collect()
    }

    fn end_shown(&self, members: &[Member], item: &Item) -> Option<Member> {
        let held = members.iter().find(|member| member.backend.same_entry(&item.there))?;
        self.is_as_asked(held, item).then(|| held.clone())
    }

    async fn take_aim_back(&self, aim: &Aim, shown: &Shown<'_>) -> Result<(), Fault> {
        warn!(group = %aim.pair.there.group, "an operation that was cut short is taken back");
        if let (true, Some(from)) = (shown.named, aim.name.as_ref().and_then(|name| name.from.as_ref())) {
            self.surely(&aim.pair, &renaming(&aim.pair, from)).await?;
            self.parts.recents.named(self.route, &aim.pair, from);
        }
        let stuck = self.undo(aim, &shown.ends, &shown.done).await;
        if stuck.names.is_empty() {
            return Ok(());
        }
        let kind = if stuck.for_now { FaultKind::TargetFailed } else { FaultKind::TargetRefused };
        Err(Fault::new(kind, format!("these could NOT be put back as they were: {}", stuck.names.join(", "))))
    }
}

/// Whether trying again may help.
pub(in crate::engine) fn may_pass(fault: &Fault) -> bool {
    is_momentary(fault.kind) || matches!(fault.kind, FaultKind::TargetDenied | FaultKind::StoreUnavailable)
}
