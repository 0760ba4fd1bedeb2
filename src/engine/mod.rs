//! Floor 4: carries operations out on another cloud.
//!
//! `answer` is the way of a request through here; `members`, `groups`, `making` and `reads` are the operations. They are told in these
//! words:
//!
//! * `resolve` turns the caller's ids into the target's, and `view` back again; `pair` is a group by both names, and
//!   `naming` gives ids to backends whose own cloud gives them none;
//! * `add` plans an add; `change` carries it out, with every other change of a group: bounded, all or nothing, and sure of
//!   what a lost answer means before it goes on;
//! * `execute` sends steps; `look` reads the target, and `recent` lays over it what was written a moment ago;
//! * `lanes` lets one writer at a time into a group, and `merge` lets adds that wait together go out as one; `repeat` answers
//!   an identical add from its record;
//! * `journal` says what is about to be done, `work` writes it down and what came of it, and `recovery` puts right what a
//!   process that was killed has left half done.
//!
//! A caller that hangs up does not stop a fan-out half way: what is at work is `unstopped`.

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
mod naming;
mod pair;
mod reads;
mod recent;
mod recovery;
mod repeat;
mod resolve;
mod unstopped;
mod view;
mod work;

use std::sync::{Arc, atomic::AtomicUsize};

use tokio::sync::OnceCell;
use tokio_util::task::TaskTracker;

pub use add::plan::{Item, Plan, items, plan};
pub use pair::GroupPair;
pub use resolve::Route;

use self::{
    journal::Open, lanes::Lanes, merge::Merges, recent::Recents, repeat::Repeats, unstopped::Unstopped,
};
use crate::{
    config::{Config, Target},
    dialect::{Answer, Arrival, BoxFuture, Handler, Request, end_of},
    model::{Fault, FaultKind, Operation, Outcome},
    store::{Kept, Store},
    telemetry::Account,
    wire::Reply,
};

/// Reaches targets.
pub trait Upstream: Send + Sync {
    /// Carries one step out on a target for a request: writes the call, signs it, sends it, reads the reply.
    fn call<'a>(
        &'a self,
        target: &'a Target,
        step: &'a Operation,
        account: &'a Account,
    ) -> BoxFuture<'a, Result<Outcome, Fault>>;

    /// Sends a caller's call to a target of the caller's own cloud, signed anew, and hands back the reply as it comes.
    fn pass<'a>(
        &'a self,
        target: &'a Target,
        arrival: &'a Arrival,
        account: &'a Account,
    ) -> BoxFuture<'a, Result<Reply, Fault>>;
}

/// The gateway's handler.
#[derive(Clone)]
pub struct Engine {
    parts: Arc<Parts>,
    tasks: TaskTracker,
}

/// What every request of an engine shares. What is behind an `Arc` is shared with the engines of the configs before and
/// after it too: a config may change while requests are at work, and what they know of groups stays true.
struct Parts {
    config: Arc<Config>,
    upstream: Arc<dyn Upstream>,
    /// Of this config alone: adds that go out together have to go to the same place, with the same key.
    merges: Merges,
    store: Arc<dyn Store>,
    /// What the store keeps, as this process sees it.
    kept: Arc<Kept>,
    /// Whether that was read.
    loaded: Arc<OnceCell<()>>,
    open: Arc<Open>,
    /// How many entries of the journal were begun.
    begun: Arc<AtomicUsize>,
    lanes: Arc<Lanes>,
    recents: Arc<Recents>,
    repeats: Arc<Repeats>,
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
            repeats: Arc::default(),
            config,
            upstream,
            merges: Merges::default(),
            store,
            kept: Arc::default(),
            loaded: Arc::default(),
            open: Arc::default(),
            begun: Arc::default(),
            lanes: Arc::default(),
            recents: Arc::default(),
        };
        Self { parts: Arc::new(parts), tasks }
    }

    /// How many operations are left half done, to be put right or watched still, as far as this process knows.
    #[must_use]
    pub fn left_open(&self) -> usize {
        self.parts.open.len()
    }

    /// The engine that takes over from this one with another config. What is at work goes on by the old one; turns,
    /// what is remembered and what is left half done are one for both.
    #[must_use]
    pub fn succeeded_by(&self, config: Arc<Config>, upstream: Arc<dyn Upstream>) -> Self {
        let old = &self.parts;
        let parts = Parts {
            config,
            upstream,
            merges: Merges::default(),
            store: Arc::clone(&old.store),
            kept: Arc::clone(&old.kept),
            loaded: Arc::clone(&old.loaded),
            open: Arc::clone(&old.open),
            begun: Arc::clone(&old.begun),
            lanes: Arc::clone(&old.lanes),
            recents: Arc::clone(&old.recents),
            repeats: Arc::clone(&old.repeats),
        };
        Self { parts: Arc::new(parts), tasks: self.tasks.clone() }
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
        let work = async move {
            let account = Arc::clone(&request.account);
            let result = parts.answer(request).await;
            // Here, not only at the door: the caller may have hung up.
            account.ends(end_of(&result));
            result
        };
        let work = Unstopped::new(&self.tasks, work);
        Box::pin(async move {
            work.await.unwrap_or_else(|panic| {
                Err(Fault::new(FaultKind::Internal, "the request ended without an answer").caused_by(panic))
            })
        })
    }
}
