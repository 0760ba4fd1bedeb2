//! Nonces that were used.

use std::{
    collections::{HashSet, VecDeque},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

use crate::crypto::sha256;

/// Nonces in the order in which they may be forgotten: never before a request that carries one would be stale. As much of a
/// digest is kept as no two nonces share, and of a time its second.
#[derive(Debug, Default)]
pub(super) struct Nonces {
    used: HashSet<[u8; 16]>,
    order: VecDeque<([u8; 16], u32)>,
}

impl Nonces {
    pub(super) fn first_use(&mut self, key_id: &str, nonce: &str, now: Timestamp, keep: Duration) -> bool {
        let digest = digest(key_id, nonce).first_chunk().copied().unwrap_or_default();
        self.forget(seconds(now));
        let is_first = self.used.insert(digest);
        if is_first {
            self.order.push_back((digest, seconds_up(until(now, keep))));
        }
        is_first
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.order.len()
    }

    fn forget(&mut self, now: u32) {
        while let Some((digest, _)) = self.order.pop_front_if(|(_, until)| *until < now) {
            self.used.remove(&digest);
        }
    }
}

/// What a nonce of a key is known by: the nonce itself need not be kept.
pub(super) fn digest(key_id: &str, nonce: &str) -> [u8; 32] {
    sha256([key_id, "\n", nonce].concat().as_bytes())
}

/// Until when a nonce is kept that was used now.
pub(super) fn until(now: Timestamp, keep: Duration) -> Timestamp {
    let keep = SignedDuration::try_from(keep).unwrap_or(SignedDuration::MAX);
    now.saturating_add(keep).unwrap_or(Timestamp::MAX)
}

/// A time in seconds since 1970.
pub(super) fn seconds(now: Timestamp) -> u32 {
    u32::try_from(now.as_second().max(0)).unwrap_or(u32::MAX)
}

/// The end of something in seconds since 1970: not before its time, and never 0.
pub(super) fn seconds_up(until: Timestamp) -> u32 {
    let up = until.as_second().saturating_add(i64::from(until.subsec_nanosecond() > 0));
    u32::try_from(up.max(1)).unwrap_or(u32::MAX)
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
