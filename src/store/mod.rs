//! Floor 2: what has to be known again later: nonces that were used, and what a target could not hold.
//!
//! This version keeps it in memory; it is gone when the process stops, and the start says so to an operator who asked
//! for more. A durable store takes this type's place.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

use crate::{
    crypto::sha256,
    model::{Backend, Port, Traffic, Weight},
};

/// A store in the memory of this process.
#[derive(Debug, Default)]
pub struct Memory {
    nonces: Mutex<Nonces>,
    remembered: Mutex<HashMap<Entry, Remembered>>,
}

/// Nonces in the order in which they may be forgotten: never before a request that carries one would be stale.
#[derive(Debug, Default)]
struct Nonces {
    until: HashMap<[u8; 32], Timestamp>,
    order: VecDeque<([u8; 32], Timestamp)>,
}

/// Names one backend of one group of one target.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Entry {
    /// The target's name in the config.
    pub cloud: String,
    /// The group there, with its load balancer.
    pub group: String,
    /// What the target knows the backend's server by.
    pub server: String,
    /// Its port.
    pub port: Port,
}

/// What the target had no place for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Remembered {
    /// A person's words.
    pub description: Option<String>,
    /// The weight of a disabled backend.
    pub weight: Option<Weight>,
    /// Whether it only serves when the others do not.
    pub standby: bool,
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
        let digest = sha256(format!("{key_id}\n{nonce}").as_bytes());
        let keep = SignedDuration::try_from(keep).unwrap_or(SignedDuration::MAX);
        let until = now.saturating_add(keep).unwrap_or(Timestamp::MAX);
        let mut nonces = lock(&self.nonces);
        nonces.forget(now);
        if nonces.until.contains_key(&digest) {
            return false;
        }
        nonces.until.insert(digest, until);
        nonces.order.push_back((digest, until));
        true
    }

    /// Keeps what the target could not hold of a backend; nothing to keep forgets what was kept.
    pub fn remember(&self, entry: Entry, remembered: Remembered) {
        let mut all = lock(&self.remembered);
        if remembered == Remembered::default() {
            all.remove(&entry);
        } else {
            all.insert(entry, remembered);
        }
    }

    /// What was kept of a backend, laid over what the target says of it.
    #[must_use]
    pub fn recall(&self, entry: &Entry, mut backend: Backend) -> Backend {
        if let Some(kept) = lock(&self.remembered).get(entry) {
            backend.description = backend.description.or_else(|| kept.description.clone());
            backend.standby |= kept.standby;
            if let (Traffic::Off(None), Some(weight)) = (backend.traffic, kept.weight) {
                backend.traffic = Traffic::Off(Some(weight));
            }
        }
        backend
    }
}

impl Nonces {
    fn forget(&mut self, now: Timestamp) {
        while let Some((digest, _)) = self.order.front().filter(|(_, until)| *until < now) {
            self.until.remove(digest);
            self.order.pop_front();
        }
    }
}

/// Takes a lock. A panic elsewhere does not make the numbers behind it wrong: every change is one insertion.
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
        assert_eq!(lock(&memory.nonces).order.len(), 1);
    }
}
