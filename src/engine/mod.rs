//! Floor 4: carries operations out on another cloud.
//!
//! `members`, `groups` and `reads` are the operations. They are told in these words:
//!
//! * `resolve` turns the caller's ids into the target's, and `view` back again; `pair` is a group by both names;
//! * `add` plans an add and carries it out; `change` does the same for every other change of a group's members, given what
//!   the group holds; both bounded, all or nothing, and sure of what a lost answer means before they go on;
//! * `execute` sends steps; `look` reads the target, and `recent` lays over it what was written a moment ago;
//! * `lanes` lets one writer at a time into a group; `repeat` answers an identical add from its record.
//!
//! A request runs in a task of its own: a caller that hangs up does not stop a fan-out half way.

mod add;
mod change;
mod execute;
mod groups;
mod lanes;
mod look;
mod members;
mod pair;
mod reads;
mod recent;
mod repeat;
mod resolve;
mod view;

use std::sync::Arc;

use jiff::Timestamp;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

pub use add::plan::{Item, Plan, items, plan};
pub use pair::GroupPair;
pub use resolve::Route;

use crate::{
    config::{Config, OnLoss, Target},
    dialect::{Answer, Arrival, Asked, BoxFuture, Handler, Request, Wanted},
    engine::{execute::Execution, lanes::Lanes, recent::Recents, repeat::Repeats},
    model::{Fault, FaultKind, Loss, Lost, Operation, Outcome},
    store::{GroupKey, Memory},
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
    memory: Arc<Memory>,
    lanes: Lanes,
    recents: Recents,
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
        let (lanes, recents) = (Lanes::default(), Recents::default());
        let parts = Parts { config, upstream, memory, lanes, recents, repeats };
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

impl Parts {
    async fn answer(&self, request: Request) -> Result<Answer, Fault> {
        let route = Route::of(&self.config, request.client)?;
        let asked = match request.wanted {
            Wanted::Translated(asked) => asked,
            Wanted::Untranslated(fault) => return self.pass_on(&route, &request.arrival, &fault).await,
        };
        if goes_as_it_came(&route, &asked.operation) {
            if !asked.operation.is_read() {
                self.repeats.forget_target(&route.target.name);
            }
            let reply = self.upstream.pass(route.target, &request.arrival).await?;
            return Ok(Answer::Passed(reply));
        }
        let run = || self.carry_out(&route, &asked, &request.id, request.at);
        match request.repeat.filter(|_| makes(&asked.operation)) {
            Some(key) => self.repeats.once(key, run).await,
            None => run().await.map(|(answer, _)| answer),
        }
    }

    /// An action that is not translated goes to the target that the client's config names for such, or nowhere.
    async fn pass_on(&self, route: &Route<'_>, arrival: &Arrival, fault: &Fault) -> Result<Answer, Fault> {
        let target = route.client.untranslated.and_then(|place| self.config.targets.get(place));
        let Some(target) = target else { return Err(fault.again()) };
        self.repeats.forget_target(&target.name);
        Ok(Answer::Passed(self.upstream.pass(target, arrival).await?))
    }

    /// Carries an operation out; and the group that the answer tells of, of an operation that makes something.
    async fn carry_out(
        &self,
        route: &Route<'_>,
        asked: &Asked,
        id: &str,
        at: Timestamp,
    ) -> Result<(Answer, Option<GroupKey>), Fault> {
        let mut losses = losses_before(route, asked)?;
        let execution = Execution::new(self, route, id, at);
        let outcome = execution.run(&asked.operation, &mut losses).await?;
        let named = match (&asked.operation, &outcome) {
            (Operation::AddBackends(add), _) => Some(&add.group),
            (_, Outcome::Created(made)) => Some(&made.id),
            _ => None,
        };
        let group = named.and_then(|named| GroupPair::of(route, named).ok()).map(|pair| pair.key(route));
        Ok((Answer::Translated { outcome, losses }, group))
    }
}

impl Execution<'_> {
    async fn run(&self, operation: &Operation, losses: &mut Vec<Loss>) -> Result<Outcome, Fault> {
        match operation {
            Operation::AddBackends(add) => self.add_backends(add, losses).await,
            Operation::RemoveBackends(remove) => self.remove_backends(remove).await,
            Operation::UpdateBackends(update) => self.update_backends(update, losses).await,
            Operation::ReplaceBackends(replace) => self.replace_backends(replace, losses).await,
            Operation::DescribeGroup(group) => self.describe_group(group, losses).await,
            Operation::DescribeHealth(asked) => self.describe_health(asked).await,
            Operation::ListGroups(list) => self.list_groups(list, losses).await,
            Operation::CreateGroup(create) => self.create_group(create, losses).await,
            Operation::UpdateGroup(update) => self.update_group(update, losses).await,
            Operation::DeleteGroup(group) => self.delete_group(group).await,
            Operation::ListLoadBalancers(list) => self.list_load_balancers(list).await,
            Operation::DescribeLoadBalancer(balancer) => self.describe_load_balancer(balancer).await,
            Operation::ListRegions => Ok(Outcome::Regions(self.route.regions())),
            Operation::ListProjects => Ok(Outcome::Projects(self.route.projects())),
        }
    }
}

/// Whether an operation goes to the target as it came: the target is of the caller's own cloud. Adds are read all the same,
/// since they may have to be split; regions and projects are the gateway's own to tell.
fn goes_as_it_came(route: &Route<'_>, operation: &Operation) -> bool {
    let own =
        matches!(operation, Operation::AddBackends(_) | Operation::ListRegions | Operation::ListProjects);
    route.same_cloud() && !own
}

/// Whether an operation makes something, so that the same once more would make it twice.
fn makes(operation: &Operation) -> bool {
    matches!(operation, Operation::AddBackends(_) | Operation::CreateGroup(_))
}

/// What is lost before anything is looked up: fields without effect, and parameters that no other cloud has. A read that
/// leaves such a parameter aside would answer something else than was asked.
fn losses_before(route: &Route<'_>, asked: &Asked) -> Result<Vec<Loss>, Fault> {
    let mut losses = asked.ineffective.clone();
    for name in &asked.untranslated {
        let reason = format!("{} has nothing like it", route.there.title);
        if asked.operation.is_read() || route.client.on_loss == OnLoss::Refuse {
            return Err(Fault::of_field(
                FaultKind::CannotHold,
                name.clone(),
                format!("{reason}; leave it out"),
            ));
        }
        losses.push(Loss { field: Lost::Parameter(name.clone()), reason });
    }
    Ok(losses)
}
