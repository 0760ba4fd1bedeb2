//! The way of a request through the engine: is it answered already, does it go on as it came, or what is to be done.

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::{
    Parts,
    execute::Execution,
    pair::GroupPair,
    repeat::{Answered, read_back},
    resolve::Route,
    work::{no_turn, unavailable},
};
use crate::{
    config::{OnLoss, Target},
    crypto::hex,
    dialect::{Answer, Asked, Request, Wanted},
    model::{Fault, FaultKind, Loss, Lost, Operation, Outcome},
    store::{GroupKey, RequestDigest, Unavailable, Write},
    telemetry::Account,
};

impl Parts {
    /// Answers a request: by its record, by passing it on, or by carrying it out.
    pub(super) async fn answer(&self, request: Request) -> Result<Answer, Fault> {
        let route = Route::of(&self.config, request.client)?;
        let asked = match &request.wanted {
            Wanted::Translated(asked) => asked,
            Wanted::Untranslated(fault) => return Box::pin(self.pass_on(&route, &request, fault)).await,
        };
        if !asked.operation.is_read() {
            self.check_store()?;
        }
        if goes_as_it_came(&route, &asked.operation) {
            return Box::pin(self.pass_in_line(&route, &asked.operation, &request)).await;
        }
        let errand = Errand {
            id: &request.id,
            at: request.at,
            since: Instant::now(),
            repeat: request.repeat.filter(|_| self.tells_again() && makes(&asked.operation)),
            account: &request.account,
        };
        match errand.repeat {
            Some(key) => self.answer_once(&route, asked, &errand, key).await,
            None => self.carry_out(&route, asked, &errand).await.map(|answered| answered.answer),
        }
    }

    /// What was answered to the same request a moment ago, here or by another process; or what it is answered now.
    async fn answer_once(
        &self,
        route: &Route<'_>,
        asked: &Asked,
        errand: &Errand<'_>,
        key: RequestDigest,
    ) -> Result<Answer, Fault> {
        let limits = &self.config.limits;
        let (deadline, window) = (errand.since + limits.request_timeout, limits.repeat_window);
        // Until it is this one that runs, it is another that is waited for.
        let waiting = Mutex::new(Some(errand.account.waits()));
        let run = || async {
            drop(waiting.lock().unwrap_or_else(PoisonError::into_inner).take());
            let lane = GroupKey { cloud: "repeats".into(), group: hex(&key).into() };
            let alone = self.store.is_shared();
            let _turn = match alone.then(|| self.turn(&lane, true, deadline)) {
                Some(turn) => Some(turn.await.map_err(no_turn)?),
                None => None,
            };
            let told = self.store.answer(&key, errand.at).await.map_err(unavailable)?;
            match told.as_deref().and_then(read_back) {
                Some(told) => Ok(told),
                None => self.carry_out(route, asked, errand).await,
            }
        };
        self.repeats.once(key, window, run).await
    }

    /// An operation that goes to its target as it came. A change of a group that takes one at a time stands in line with the
    /// others all the same.
    async fn pass_in_line(
        &self,
        route: &Route<'_>,
        operation: &Operation,
        request: &Request,
    ) -> Result<Answer, Fault> {
        let execution = Execution::new(self, route, &request.id, request.at, &request.account);
        if !operation.is_read() {
            self.forget_answers_of(route.target).await?;
            let pair = operation.group_ref().and_then(|group| GroupPair::of(route, &group).ok());
            if let Some(pair) = pair.filter(|_| route.there.capability.one_writer_per_group) {
                execution.turn(&pair, true).await?;
            }
        }
        let reply = self.upstream.pass(route.target, &request.arrival, &request.account).await;
        execution.conclude().await;
        reply.map(Answer::Passed)
    }

    /// A store that cannot be used would let the gateway forget what it does: then it does nothing.
    fn check_store(&self) -> Result<(), Fault> {
        self.store.trouble().map_or(Ok(()), |trouble| Err(unavailable(Unavailable(trouble))))
    }

    /// An action that is not translated goes to the target that the client's config names for such, or nowhere.
    async fn pass_on(&self, route: &Route<'_>, request: &Request, fault: &Fault) -> Result<Answer, Fault> {
        let target = route.client.untranslated.and_then(|place| self.config.targets.get(place));
        let Some(target) = target else { return Err(fault.again()) };
        self.check_store()?;
        self.forget_answers_of(target).await?;
        Ok(Answer::Passed(self.upstream.pass(target, &request.arrival, &request.account).await?))
    }

    /// What goes to a target past the engine may make untrue what was answered of it.
    async fn forget_answers_of(&self, target: &Target) -> Result<(), Fault> {
        self.repeats.forget_target(&target.name);
        if self.tells_again() {
            let forget = vec![Write::ForgetAnswersOf(target.name.to_string())];
            self.store.write(forget).await.map_err(unavailable)?;
        }
        Ok(())
    }

    /// Whether anything is answered from its record. If not, nothing is recorded, and there is nothing to forget.
    pub(super) fn tells_again(&self) -> bool {
        !self.config.limits.repeat_window.is_zero()
    }

    /// Carries an operation out, and records the answer of one that makes something.
    async fn carry_out(
        &self,
        route: &Route<'_>,
        asked: &Asked,
        errand: &Errand<'_>,
    ) -> Result<Answered, Fault> {
        let mut losses = losses_before(route, asked)?;
        let execution = Execution::new(self, route, errand.id, errand.at, errand.account);
        let outcome = execution.run(&asked.operation, &mut losses).await;
        let told = outcome.map(|outcome| {
            let group = errand.repeat.and_then(|_| group_told_of(route, &asked.operation, &outcome));
            (Answer::Translated { outcome, losses }, group)
        });
        let is_noted = match (errand.repeat, &told) {
            (Some(key), Ok((answer, group))) => execution.record(key, errand.now(), answer, group.as_ref()),
            _ => false,
        };
        let is_written = execution.conclude().await;
        told.map(|(answer, group)| Answered { answer, group, is_recorded: is_noted && is_written })
    }
}

/// A request, as far as it concerns who carries it out.
struct Errand<'r> {
    id: &'r str,
    /// When it came, for the caller and by this process's own clock.
    at: Timestamp,
    since: Instant,
    /// What a repeat of it shares with it.
    repeat: Option<RequestDigest>,
    account: &'r Account,
}

impl Errand<'_> {
    /// What time it is by now.
    fn now(&self) -> Timestamp {
        let since = SignedDuration::try_from(self.since.elapsed()).unwrap_or(SignedDuration::MAX);
        self.at.saturating_add(since).unwrap_or(Timestamp::MAX)
    }
}

/// The group that an answer tells of, of an operation that makes something.
fn group_told_of(route: &Route<'_>, operation: &Operation, outcome: &Outcome) -> Option<GroupKey> {
    let named = match (operation, outcome) {
        (Operation::AddBackends(add), _) => Some(&add.group),
        (_, Outcome::Created(made)) => Some(&made.id),
        _ => None,
    };
    named.and_then(|named| GroupPair::of(route, named).ok()).map(|pair| pair.key(route))
}

impl Execution<'_> {
    async fn run(&self, operation: &Operation, losses: &mut Vec<Loss>) -> Result<Outcome, Fault> {
        // Each in a box but the adds: a future is as large as the largest of its branches, and is moved as a whole.
        match operation {
            Operation::AddBackends(add) => self.add_backends(add, losses).await,
            Operation::RemoveBackends(remove) => Box::pin(self.remove_backends(remove)).await,
            Operation::UpdateBackends(update) => Box::pin(self.update_backends(update, losses)).await,
            Operation::ReplaceBackends(replace) => Box::pin(self.replace_backends(replace, losses)).await,
            Operation::DescribeGroup(group) => Box::pin(self.describe_group(group, losses)).await,
            Operation::DescribeHealth(asked) => Box::pin(self.describe_health(asked)).await,
            Operation::ListGroups(list) => Box::pin(self.list_groups(list, losses)).await,
            Operation::CreateGroup(create) => Box::pin(self.create_group(create, losses)).await,
            Operation::UpdateGroup(update) => Box::pin(self.update_group(update, losses)).await,
            Operation::DeleteGroup(group) => Box::pin(self.delete_group(group)).await,
            Operation::ListLoadBalancers(list) => Box::pin(self.list_load_balancers(list)).await,
            Operation::DescribeLoadBalancer(balancer) => {
                Box::pin(self.describe_load_balancer(balancer)).await
            }
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
