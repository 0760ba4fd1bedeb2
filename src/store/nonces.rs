//! Nonces that were used.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

use crate::crypto::sha256;

/// Nonces in the order in which they may be forgotten: never before a request that carries one would be stale.
#[derive(Debug, Default)]
pub(super) struct Nonces {
    until: HashMap<[u8; 32], Timestamp>,
    order: VecDeque<([u8; 32], Timestamp)>,
}

impl Nonces {
    pub(super) fn first_use(&mut self, key_id: &str, nonce: &str, now: Timestamp, keep: Duration) -> bool {
        let digest = digest(key_id, nonce);
        let keep = SignedDuration::try_from(keep).unwrap_or(SignedDuration::MAX);
        let until = now.saturating_add(keep).unwrap_or(Timestamp::MAX);
        self.forget(now);
        if self.until.contains_key(&digest) {
            return false;
        }
        self.until.insert(digest, until);
        self.order.push_back((digest, until));
        true
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.order.len()
    }

    fn forget(&mut self, now: Timestamp) {
        while let Some((digest, _)) = self.order.front().filter(|(_, until)| *until < now) {
            self.until.remove(digest);
            self.order.pop_front();
        }
    }
}

/// What a nonce of a key is known by: the nonce itself need not be kept.
pub(super) fn digest(key_id: &str, nonce: &str) -> [u8; 32] {
    sha256(format!("{key_id}\n{nonce}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_out_of_date_takes_no_room() {
        let (mut nonces, keep) = (Nonces::default(), Duration::from_mins(30));
        let at = |text: &str| text.parse().unwrap();
        assert!(nonces.first_use("a", "n", at("2026-01-02T03:00:00Z"), keep));
        assert!(nonces.first_use("a", "m", at("2026-01-02T03:30:01Z"), keep));
        assert_eq!(nonces.len(), 1);
    }
}
