//! One group through time: writes change what it is, reads see what it was.

use std::time::Duration;

use tokio::time::Instant;

use super::groups::unknown;
use crate::model::{Fault, Group, GroupId, GroupRef, LoadBalancerId};

/// A group, and what it was before as far as reads may still see it.
#[derive(Debug)]
pub(super) struct History {
    pub(super) name: GroupRef,
    /// Whether a change of it is under way.
    pub(super) busy: bool,
    /// Oldest first; the last is what it is.
    snapshots: Vec<Snapshot>,
}

/// What a group was for a while.
#[derive(Debug)]
struct Snapshot {
    /// None for what was there before anybody could look.
    since: Option<Instant>,
    /// None where there was no such group any more.
    group: Option<Group>,
}

/// When something is looked at or changed, and how much later than that reads see it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) now: Instant,
    pub(super) lag: Duration,
}

impl History {
    /// Of a group that reads see from the start.
    pub(super) fn of_old(group: Group) -> Self {
        Self::beginning(None, group)
    }

    /// Of a group that is made now.
    pub(super) fn of_new(group: Group, moment: Moment) -> Self {
        Self::beginning(Some(moment.now), group)
    }

    fn beginning(since: Option<Instant>, group: Group) -> Self {
        let name = group.id.clone();
        Self { name, busy: false, snapshots: vec![Snapshot { since, group: Some(group) }] }
    }

    /// Whether a request means this group: one without a load balancer means any that has a group of that id.
    pub(super) fn is(&self, load_balancer: Option<&LoadBalancerId>, group: &GroupId) -> bool {
        self.name.group == *group
            && (load_balancer.is_none() || self.name.load_balancer.as_ref() == load_balancer)
    }

    /// What it is.
    pub(super) fn truth(&self) -> Option<&Group> {
        self.snapshots.last()?.group.as_ref()
    }

    /// What reads see.
    pub(super) fn shown(&self, moment: Moment) -> Option<&Group> {
        self.snapshots.iter().rev().find(|snapshot| snapshot.shows(moment))?.group.as_ref()
    }

    /// Whether it is gone and reads see that.
    pub(super) fn is_over(&self, moment: Moment) -> bool {
        self.snapshots.last().is_none_or(|last| last.group.is_none() && last.shows(moment))
    }

    /// Changes all that `change` says, or nothing when it fails.
    pub(super) fn change<T>(
        &mut self,
        moment: Moment,
        change: impl FnOnce(&mut Group) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let mut group = self.truth().cloned().ok_or_else(|| unknown(&self.name.group))?;
        let made = change(&mut group)?;
        group.count = group.members.len();
        self.push(Some(group), moment);
        Ok(made)
    }

    /// Ends it.
    pub(super) fn end(&mut self, moment: Moment) {
        self.push(None, moment);
    }

    fn push(&mut self, group: Option<Group>, moment: Moment) {
        self.snapshots.push(Snapshot { since: Some(moment.now), group });
        // What is older than what reads see is never looked at again.
        let seen = self.snapshots.iter().rposition(|snapshot| snapshot.shows(moment)).unwrap_or(0);
        self.snapshots.drain(..seen);
    }
}

impl Snapshot {
    fn shows(&self, moment: Moment) -> bool {
        self.since.is_none_or(|since| moment.now.duration_since(since) >= moment.lag)
    }
}
