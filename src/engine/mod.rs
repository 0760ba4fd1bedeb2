//! Floor 4: carries operations out on another cloud.
//!
//! `answer` is the way of a request through here; `members`, `groups`, `making` and `reads` are the operations. They are told in these
//! words:
//!
//! * `resolve` turns the caller's ids into the target's, and `view` back again; `pair` is a group by both names;
//! * `add` plans an add; `change` carries it out, with every other change of a group: bounded, all or nothing, and sure of
//!   what a lost answer means before it goes on;
//! * `execute` sends steps; `look` reads the target, and `recent` lays over it what was written a moment ago;
//! * `lanes` lets one writer at a time into a group, and `merge` lets adds that wait together go out as one; `repeat` answers
//!   an identical add from its record;
//! * `journal` says what is about to be done, `work` writes it down and what came of it, and `recovery` puts right what a
//!   process that was killed has left half done.
//!
//! A request runs in a task of its own: a caller that hangs up does not stop a fan-out half way.

mod add;
mod answer;
mod change;
mod execute;
mod groups;
mod journal;
mod lanes;
mod look;
mod making;
mod members;
mod merge;
mod pair;
mod reads;
mod recent;
mod recovery;
mod repeat;
mod resolve;
mod view;
mod work;

use std::sync::{Arc, atomic::AtomicUsize};

use tokio::sync::OnceCell;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

pub use add::plan::{Item, Plan, items, plan};
pub use pair::GroupPair;
pub use resolve::Route;

use self::{journal::Open, lanes::Lanes, merge::Merges, recent::Recents, repeat::Repeats};
use crate::{
    config::{Config, Target},
    dialect::{Answer, Arrival, BoxFuture, Handler, Request},
    model::{Fault, FaultKind, Operation, Outcome},
    store::{Kept, Store},
    wire::Reply,
};

/// Reaches targets.
pub trait Upstream: Send + Sync {
    /// Carries one step out on a target: writes the call, signs it, sends it, reads the reply.
    fn call<'a>(&'a self, target: &'a Target, step: &'a Operation) -> BoxFuture<'a, Result<Outcome, Fault>>;

    /// Sends a caller's call to a target of the caller's own cloud, signed anew, and hands back the reply as it comes.
    fn pass<'a>(&'a self, target: &'a Target, arrival: &'a Arrival) -> BoxFuture<'a, Result<Reply, Fault>>;
}

/// The gateway's handler.
#[derive(Clone)]
pub struct Engine {
    parts: Arc<Parts>,
    tasks: TaskTracker,
}

/// What every request of an engine shares.
struct Parts {
    config: Arc<Config>,
    upstream: Arc<dyn Upstream>,
    store: Arc<dyn Store>,
    /// What the store keeps, as this process sees it.
    kept: Kept,
    /// Whether that was read.
    loaded: OnceCell<()>,
    open: Open,
    /// How many entries of the journal were begun.
    begun: AtomicUsize,
    lanes: Lanes,
    merges: Merges,
    recents: Recents,
    repeats: Repeats,
}

impl Engine {
    /// An engine that works by `config`. What it runs is counted in `tasks`, so that a stop can wait for it.
    #[must_use]
    pub fn new(
        config: Arc<Config>,
        upstream: Arc<dyn Upstream>,
        store: Arc<dyn Store>,
        tasks: TaskTracker,
    ) -> Self {
        let parts = Parts {
            lanes: Lanes::new(config.limits.max_waiting),
            repeats: Repeats::new(config.limits.repeat_window, store.is_shared()),
            config,
            upstream,
            store,
            kept: Kept::default(),
            loaded: OnceCell::new(),
            open: Open::default(),
            begun: AtomicUsize::new(0),
            merges: Merges::default(),
            recents: Recents::default(),
        };
        Self { parts: Arc::new(parts), tasks }
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

impl Handler for Engine {
    fn handle(&self, request: Request) -> BoxFuture<'_, Result<Answer, Fault>> {
        let parts = Arc::clone(&self.parts);
        let work = async move { parts.answer(request).await }.in_current_span();
        let task = self.tasks.spawn(work);
        Box::pin(async move {
            task.await.unwrap_or_else(|error| {
                Err(Fault::new(FaultKind::Internal, "the request ended without an answer").caused_by(error))
            })
        })
    }
}
