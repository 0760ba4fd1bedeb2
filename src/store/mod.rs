//! Floor 2: what has to be known again later: nonces that were used, and what a target could not hold.
//!
//! This version keeps it in memory; it is gone when the process stops, and the start says so to an operator who asked
//! for more. A durable store takes this type's place.

mod nonces;
mod remembered;

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;

pub use self::remembered::{Entry, GroupKey, Rank, Remembered, RememberedGroup};
use self::{nonces::Nonces, remembered::Kept};
use crate::model::BackendId;

/// A store in the memory of this process.
#[derive(Debug, Default)]
pub struct Memory {
    nonces: Mutex<Nonces>,
    kept: Mutex<Kept>,
}

impl Memory {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether this key id uses this nonce for the first time within `keep`. A nonce that was not used before is
    /// used now.
    #[must_use]
    pub fn first_use(&self, key_id: &str, nonce: &str, now: Timestamp, keep: Duration) -> bool {
        lock(&self.nonces).first_use(key_id, nonce, now, keep)
    }

    /// Keeps what the target could not hold of a backend; nothing to keep forgets what was kept.
    pub fn remember(&self, entry: Entry, remembered: Remembered) {
        lock(&self.kept).remember(entry, remembered);
    }

    /// What is kept of a backend.
    #[must_use]
    pub fn remembered(&self, entry: &Entry) -> Remembered {
        lock(&self.kept).remembered(entry)
    }

    /// The backend that has been given this id, where that is not the one that the id itself says.
    #[must_use]
    pub fn owner(&self, cloud: &str, id: &BackendId) -> Option<Entry> {
        lock(&self.kept).owner(cloud, id)
    }

    /// Forgets a backend that is gone.
    pub fn forget(&self, entry: &Entry) {
        lock(&self.kept).remember(entry.clone(), Remembered::default());
    }

    /// Keeps what the target could not hold of a group.
    pub fn remember_group(&self, group: GroupKey, remembered: RememberedGroup) {
        lock(&self.kept).remember_group(group, remembered);
    }

    /// What is kept of a group.
    #[must_use]
    pub fn remembered_group(&self, group: &GroupKey) -> RememberedGroup {
        lock(&self.kept).remembered_group(group)
    }

    /// Forgets a group that is gone, and its backends.
    pub fn forget_group(&self, group: &GroupKey) {
        lock(&self.kept).forget_group(group);
    }
}

/// Takes a lock. A panic elsewhere leaves at the worst an id without its backend, which is told as unknown.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEEP: Duration = Duration::from_mins(30);

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_nonce_is_new_once_for_each_key() {
        let (memory, now) = (Memory::new(), at("2026-01-02T03:04:05Z"));
        assert!(memory.first_use("a", "n", now, KEEP));
        assert!(!memory.first_use("a", "n", now, KEEP));
        assert!(memory.first_use("b", "n", now, KEEP));
    }

    #[test]
    fn a_nonce_is_kept_to_the_end_of_its_time_and_no_longer() {
        let memory = Memory::new();
        assert!(memory.first_use("a", "n", at("2026-01-02T03:00:00Z"), KEEP));
        assert!(!memory.first_use("a", "n", at("2026-01-02T03:30:00Z"), KEEP));
        assert!(memory.first_use("a", "n", at("2026-01-02T03:30:01Z"), KEEP));
        assert_eq!(lock(&memory.nonces).len(), 1);
    }
}
