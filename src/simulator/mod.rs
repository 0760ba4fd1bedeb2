//! Floor 5: a load balancer in memory behind the same front that the gateway has. It verifies signatures, enforces the
//! ranges of the mapping tables, keeps state, and refuses what the real cloud refuses.
//!
//! It stands in for both clouds in the embedded default and in tests. Since its front is the code under test, it proves
//! plumbing and not truth: that is what the vectors, the golden files and the vendors' SDKs are for.

mod script;
mod serve;
mod state;

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::time::sleep;

pub use script::{Script, Stumble};
pub use serve::{SimulatedCloud, Simulation};
use state::State;

use crate::{
    dialect::{Answer, BoxFuture, Handler, Request, Wanted},
    mapping::Cloud,
    model::{Fault, FaultKind, Group, GroupRef, Member, Operation, Outcome},
};

/// One cloud's load balancers, in memory.
#[derive(Debug)]
pub struct LoadBalancer {
    cloud: Arc<Cloud>,
    state: State,
    script: Script,
    latency: Duration,
}

impl LoadBalancer {
    /// A cloud with these groups, all of them empty, and no other servers than these.
    #[must_use]
    pub fn new(
        cloud: Arc<Cloud>,
        groups: Vec<GroupRef>,
        servers: Vec<crate::model::Target>,
        script: Script,
        latency: Duration,
    ) -> Self {
        Self { cloud, state: State::new(groups, servers), script, latency }
    }

    /// What a group holds now.
    #[must_use]
    pub fn members(&self, group: &str) -> Vec<Member> {
        self.state.members(group)
    }

    /// Every call that was received, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<Operation> {
        self.script.calls()
    }

    /// From now on, nobody who looks is answered.
    pub fn blind(&self) {
        self.script.blind.store(true, Ordering::Relaxed);
    }

    async fn carry_out(&self, operation: Operation) -> Result<Outcome, Fault> {
        let stumble = self.script.next(&operation);
        if let Some(Stumble::Refuse(kind, detail)) = stumble {
            return Err(Fault::new(kind, detail));
        }
        if self.script.blind.load(Ordering::Relaxed) && matches!(operation, Operation::DescribeGroup(_)) {
            return Err(Fault::new(FaultKind::TargetFailed, "no look is answered"));
        }
        let _turn = self.turn(&operation)?;
        sleep(self.latency).await;
        if let Some(Stumble::Stall) = stumble {
            sleep(Stumble::LONG).await;
        }
        let outcome = self.apply(operation)?;
        if let Some(Stumble::StallAfter) = stumble {
            sleep(Stumble::LONG).await;
        }
        Ok(outcome)
    }

    /// A group that takes one change at a time refuses the next one while it works.
    fn turn(&self, operation: &Operation) -> Result<Option<state::Turn<'_>>, Fault> {
        let group = match operation {
            Operation::AddBackends(add) => Some(&add.group.group),
            Operation::RemoveBackends(remove) => remove.scope.group.as_ref(),
            _ => None,
        };
        match group.filter(|_| self.cloud.capability.one_writer_per_group) {
            None => Ok(None),
            Some(group) => self.state.turn(group).map(Some).ok_or_else(|| Fault::new(FaultKind::Busy, "")),
        }
    }

    fn apply(&self, operation: Operation) -> Result<Outcome, Fault> {
        match operation {
            Operation::AddBackends(add) => self.state.add(add, &self.cloud).map(Outcome::Added),
            Operation::RemoveBackends(remove) => {
                self.state.remove(&remove).map(|()| Outcome::Removed(Vec::new()))
            }
            Operation::DescribeGroup(group) => {
                let members = self.state.describe(&group, self.script.lag)?;
                Ok(Outcome::Group(Group::of(group, members)))
            }
            other => Err(Fault::new(FaultKind::UnknownAction, other.name().name())),
        }
    }
}

impl Handler for Arc<LoadBalancer> {
    fn handle(&self, request: Request) -> BoxFuture<'_, Result<Answer, Fault>> {
        Box::pin(async move {
            match request.wanted {
                Wanted::Translated(asked) => {
                    let outcome = self.carry_out(asked.operation).await?;
                    Ok(Answer::Translated { outcome, losses: Vec::new() })
                }
                Wanted::Untranslated(fault) => Err(fault.again()),
            }
        })
    }
}
