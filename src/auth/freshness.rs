//! When a signed request was made, and whether that is near enough to now.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// What a request says of its own age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freshness<'c> {
    /// The time stamp, as received.
    pub timestamp: &'c str,
    /// The nonce, as received.
    pub nonce: &'c str,
}

/// Why a time stamp is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Staleness {
    /// It is no time.
    #[error("`{0}` is not of the form 2026-01-02T03:04:05Z, UTC")]
    Malformed(String),
    /// It is too far from now.
    #[error("the request says {stamp}, the gateway's clock says {now}, and {allowed} s apart are allowed")]
    TooFar {
        /// What the request says.
        stamp: String,
        /// What the clock says.
        now: String,
        /// How far apart the two may be, in seconds.
        allowed: u64,
    },
}

impl Freshness<'_> {
    /// Reads the time stamp and compares it with `now`. Fractions of a second are legal: some SDKs send them.
    ///
    /// # Errors
    /// [`Staleness`], in words for the caller.
    pub fn check(&self, now: Timestamp, allowed: Duration) -> Result<(), Staleness> {
        let malformed = || Staleness::Malformed(self.timestamp.to_owned());
        if !(self.timestamp.ends_with('Z') && self.timestamp.contains('T')) {
            return Err(malformed());
        }
        let stamp: Timestamp = self.timestamp.parse().map_err(|_| malformed())?;
        let apart = stamp.duration_since(now).abs();
        if apart <= SignedDuration::try_from(allowed).unwrap_or(SignedDuration::MAX) {
            return Ok(());
        }
        let stamp = self.timestamp.to_owned();
        Err(Staleness::TooFar { stamp, now: format!("{now:.0}"), allowed: allowed.as_secs() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUARTER: Duration = Duration::from_mins(15);

    fn check(stamp: &str) -> Result<(), Staleness> {
        let now = "2026-01-02T03:04:05Z".parse().unwrap();
        Freshness { timestamp: stamp, nonce: "n" }.check(now, QUARTER)
    }

    #[test]
    fn both_edges_of_the_window_are_inside() {
        for stamp in ["2026-01-02T02:49:05Z", "2026-01-02T03:19:05Z"] {
            assert_eq!(check(stamp), Ok(()), "{stamp}");
        }
        for stamp in ["2026-01-02T02:49:04Z", "2026-01-02T03:19:06Z", "2026-01-02T03:19:05.001Z"] {
            assert!(matches!(check(stamp), Err(Staleness::TooFar { .. })), "{stamp}");
        }
    }

    #[test]
    fn fractions_of_a_second_are_read() {
        assert_eq!(check("2026-01-02T03:04:05.429Z"), Ok(()));
        assert_eq!(check("2026-01-02T03:04:05.578928104Z"), Ok(()));
    }

    #[test]
    fn what_is_no_utc_time_is_refused() {
        for stamp in ["", "Z", "now", "2026-01-02", "2026-01-02T03:04:05+08:00", "2026-13-02T03:04:05Z"] {
            assert!(matches!(check(stamp), Err(Staleness::Malformed(_))), "{stamp}");
        }
    }
}
