//! The only reader of the clock and of randomness. Everything above takes a [`Stamp`].

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use jiff::Timestamp;

use crate::crypto::{hex, sha256};

/// One moment and one number used once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// The moment.
    pub now: Timestamp,
    /// 128 bits that no other stamp of this process has.
    pub nonce: [u8; 16],
}

/// Where stamps come from.
#[derive(Debug, Clone)]
pub struct Stamps {
    clock: Clock,
    key: [u8; 32],
    count: Arc<AtomicU64>,
}

#[derive(Debug, Clone, Copy)]
enum Clock {
    System,
    Fixed(Timestamp),
}

impl Stamps {
    /// Stamps of the system's clock. Nonces are a digest of a counter and a key drawn here, so that drawing one
    /// cannot fail later.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn system() -> io::Result<Self> {
        let mut key = [0; 32];
        #[expect(clippy::disallowed_methods, reason = "this is the one place that may")]
        getrandom::fill(&mut key).map_err(|error| io::Error::other(error.to_string()))?;
        Ok(Self { clock: Clock::System, key, count: Arc::default() })
    }

    /// Stamps of one moment, with the same nonces in the same order every time: for tests.
    #[must_use]
    pub fn fixed(now: Timestamp) -> Self {
        Self { clock: Clock::Fixed(now), key: [0; 32], count: Arc::default() }
    }

    /// The next stamp.
    #[must_use]
    pub fn next(&self) -> Stamp {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        // Key and counter have one length each, so their digest tells no more of the key than an HMAC would, for a quarter of it.
        let mut keyed = [0; 40];
        keyed[..32].copy_from_slice(&self.key);
        keyed[32..].copy_from_slice(&count.to_be_bytes());
        let mut nonce = [0; 16];
        nonce.copy_from_slice(&sha256(&keyed)[..16]);
        Stamp { now: self.now(), nonce }
    }

    fn now(&self) -> Timestamp {
        match self.clock {
            #[expect(clippy::disallowed_methods, reason = "this is the one place that may")]
            Clock::System => Timestamp::now(),
            Clock::Fixed(now) => now,
        }
    }
}

impl Stamp {
    /// The moment as `2026-01-02T03:04:05Z`.
    #[must_use]
    pub fn utc(&self) -> String {
        format!("{:.0}", self.now)
    }

    /// The nonce as 32 hexadecimal digits.
    #[must_use]
    pub fn nonce_hex(&self) -> String {
        hex(&self.nonce)
    }

    /// The nonce as a version 4 UUID, lower case.
    #[must_use]
    pub fn uuid(&self) -> String {
        uuid::Builder::from_random_bytes(self.nonce).into_uuid().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_prints_whole_seconds() {
        let stamps = Stamps::fixed("2026-01-02T03:04:05.678Z".parse().unwrap());
        assert_eq!(stamps.next().utc(), "2026-01-02T03:04:05Z");
    }

    #[test]
    fn no_two_stamps_share_a_nonce() {
        let stamps = Stamps::system().unwrap();
        assert_ne!(stamps.next().nonce, stamps.clone().next().nonce);
    }
}
