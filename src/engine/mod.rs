//! Floor 4: carries operations out on another cloud.
//!
//! `plan` turns an operation in the caller's ids into steps in the target's (pure, and what `explain` prints);
//! `execute` runs the steps, bounded and all or nothing; `undo` takes back what a failed call had added; `lanes` lets
//! one writer at a time into a group; `repeat` answers an identical add from its record.
//!
//! A request runs in a task of its own: a caller that hangs up does not stop a fan-out half way.

mod ends;
mod execute;
mod lanes;
mod plan;
mod repeat;
mod resolve;
mod settle;
mod undo;

use std::sync::Arc;

use tokio_util::task::TaskTracker;
use tracing::Instrument;

pub use plan::{Item, Plan, Work, plan};
pub use resolve::Route;

use crate::{
    config::{Config, Target},
    dialect::{Answer, BoxFuture, Handler, Request, Wanted},
    engine::{execute::Execution, lanes::Lanes, repeat::Repeats},
    mapping::Cloud,
    model::{Fault, FaultKind, Operation, Outcome},
    store::Memory,
};

/// Carries one step out on a target: writes the call, signs it, sends it, reads the reply.
pub trait Upstream: Send + Sync {
    /// Carries one step out.
    fn call<'a>(&'a self, target: &'a Target, step: &'a Operation) -> BoxFuture<'a, Result<Outcome, Fault>>;
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
    memory: Arc<Memory>,
    lanes: Lanes,
    repeats: Repeats,
}

impl Engine {
    /// An engine that works by `config`. What it runs is counted in `tasks`, so that a stop can wait for it.
    #[must_use]
    pub fn new(
        config: Arc<Config>,
        upstream: Arc<dyn Upstream>,
        memory: Arc<Memory>,
        tasks: TaskTracker,
    ) -> Self {
        let repeats = Repeats::new(config.limits.repeat_window);
        let parts = Parts { config, upstream, memory, lanes: Lanes::default(), repeats };
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
        let work = async move { carry_out(&parts, request).await }.in_current_span();
        let task = self.tasks.spawn(work);
        Box::pin(async move {
            task.await.unwrap_or_else(|error| {
                Err(Fault::new(FaultKind::Internal, "the request ended without an answer").caused_by(error))
            })
        })
    }
}

async fn carry_out(parts: &Parts, request: Request) -> Result<Answer, Fault> {
    let route = Route::of(&parts.config, request.client)?;
    let asked = match request.wanted {
        Wanted::Translated(asked) => asked,
        Wanted::Untranslated(fault) => return Err(fault.again()),
    };
    let plan = plan(&route, &asked.operation, &asked.ineffective)?;
    let repeat = request.repeat.filter(|_| matches!(plan.work, Work::Add(_)));
    let run = || Execution::new(parts, &route).run(&plan);
    match repeat {
        Some(key) => parts.repeats.once(key, run).await,
        None => run().await,
    }
}

/// Whether both sides of a route are one cloud, so that every id is the same there.
fn same_cloud(source: &Cloud, target: &Cloud) -> bool {
    source.id == target.id
}
