//! What was answered and is not so any more: not what is taken away, but up to where everything of a group is void.

use std::collections::HashMap;

use jiff::Timestamp;

use super::GroupKey;

/// Marks in a line of answers, each of which has its place in it.
#[derive(Debug, Default)]
pub(super) struct Forgotten {
    groups: HashMap<GroupKey, Mark>,
    clouds: HashMap<String, Mark>,
    /// What tells of no group may tell of any: it is void up to the last mark of whatever cloud.
    any: u64,
}

#[derive(Debug)]
struct Mark {
    /// What stands before this place is void.
    before: u64,
    /// When all of that will be out of date, and the mark with it.
    until: Timestamp,
}

impl Forgotten {
    /// Has all void that stands before this place and tells of a group. None of it counts after `until`.
    pub(super) fn forget(&mut self, group: GroupKey, before: u64, until: Timestamp) {
        self.groups.insert(group, Mark { before, until });
    }

    /// The same for all groups of a target.
    pub(super) fn forget_target(&mut self, cloud: String, before: u64, until: Timestamp) {
        self.clouds.insert(cloud, Mark { before, until });
        self.any = before;
    }

    /// Whether what stands at this place and tells of this group is void.
    pub(super) fn is_void(&self, group: Option<&GroupKey>, at: u64) -> bool {
        let Some(group) = group else { return at < self.any };
        let marks = [self.groups.get(group), self.clouds.get(&*group.cloud)];
        marks.into_iter().flatten().any(|mark| at < mark.before)
    }

    /// Drops the marks that nothing stands before any more.
    pub(super) fn tidy(&mut self, now: Timestamp) {
        self.groups.retain(|_, mark| mark.until > now);
        self.clouds.retain(|_, mark| mark.until > now);
    }
}
