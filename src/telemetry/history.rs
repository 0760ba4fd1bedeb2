//! The last requests, for a person who looks.

use std::{
    collections::VecDeque,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use compact_str::CompactString;
use jiff::Timestamp;
use serde::Serialize;

/// How many requests are kept, and how many calls of each: a person reads no more, and memory stays bounded.
const MOST: usize = 100;
pub(super) const MOST_CALLS: usize = 64;

/// The last requests of one front.
#[derive(Debug, Default)]
pub struct History(Mutex<VecDeque<Arc<Past>>>);

impl History {
    /// The last hundred at the most, the newest first.
    #[must_use]
    pub fn last(&self) -> Vec<Arc<Past>> {
        self.lock().iter().rev().cloned().collect()
    }

    pub(super) fn add(&self, past: Past) {
        let mut kept = self.lock();
        if kept.len() == MOST {
            kept.pop_front();
        }
        kept.push_back(Arc::new(past));
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Arc<Past>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request, and what became of it. Times are in milliseconds.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Past {
    /// When it came.
    pub at: Timestamp,
    /// The address that its connection came from.
    pub from: Option<IpAddr>,
    /// Its request id, in the spelling of the caller's cloud; empty if its language was not known.
    pub id: String,
    /// The caller's language: a provider id, or `none`.
    pub dialect: &'static str,
    /// The action that was asked for, as it was spelt.
    pub action: String,
    /// The caller's key id, once its signature was verified.
    pub client: Option<String>,
    /// The name of the target that the client leads to.
    pub target: Option<Arc<str>>,
    /// `done`, `passed`, `unrecognised`, `hung-up`, or the name of a fault.
    pub outcome: &'static str,
    /// The HTTP status of the reply; none if the caller had hung up.
    pub status: Option<u16>,
    /// Why it was refused or failed.
    pub message: Option<String>,
    /// How long it took as a whole.
    pub took_ms: f64,
    /// Of it, neither waiting for the target nor for a turn.
    pub gateway_ms: f64,
    /// Of it, with at least one call to the target on its way.
    pub upstream_ms: f64,
    /// Of it, waiting for its turn among the group's writers, or before asking a busy target again.
    pub waiting_ms: f64,
    /// The calls that were made for it, as they ended; the first of them, if there are very many.
    pub calls: Vec<CallMade>,
    /// The fields that were lost on the way, and why.
    pub losses: Vec<(String, String)>,
}

impl Past {
    /// Whether it ended as its caller meant it to.
    pub(super) fn went_well(&self) -> bool {
        matches!(self.outcome, "done" | "passed")
    }
}

/// One call to a target. Times are in milliseconds.
#[derive(Debug, Clone, Serialize)]
pub struct CallMade {
    /// The target's name.
    pub target: Arc<str>,
    /// The action.
    pub action: String,
    /// Its parameters, without what signs it; none of a call that was passed on as it came.
    pub params: Vec<(CompactString, CompactString)>,
    /// `done`, or the name of a fault.
    pub outcome: &'static str,
    /// The target's own code of an error.
    pub code: Option<String>,
    /// The target's id of it.
    pub request_id: Option<String>,
    /// How long after the request it began.
    pub began_ms: f64,
    /// How long it took.
    pub took_ms: f64,
}
