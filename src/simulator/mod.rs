//! Floor 5: a load balancer in memory behind the same front that the gateway has. It verifies signatures, enforces the
//! ranges of the mapping tables, keeps state, and refuses what the real cloud refuses.
//!
//! It stands in for both clouds in the embedded default and in tests. Since its front is the code under test, it proves
//! plumbing and not truth: that is what the vectors, the golden files and the vendors' SDKs are for.

mod gate;
mod script;
mod serve;
mod state;
#[cfg(test)]
mod tests;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::time::sleep;

pub use gate::{Gate, Side};
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
    collisions: AtomicUsize,
}

impl LoadBalancer {
    /// A cloud with these groups, all of them empty, and no other servers than these. The load balancers are those
    /// that the groups name, and each group is behind a listener of its own.
    #[must_use]
    pub fn new(
        cloud: Arc<Cloud>,
        groups: Vec<GroupRef>,
        servers: Vec<crate::model::Target>,
        script: Script,
        latency: Duration,
    ) -> Self {
        let state = State::new(Arc::clone(&cloud), groups, servers, script.lag);
        Self { cloud, state, script, latency, collisions: AtomicUsize::new(0) }
    }

    /// What a group holds now.
    #[must_use]
    pub fn members(&self, group: &str) -> Vec<Member> {
        self.state.members(group)
    }

    /// Every group as it is now, whether reads see it yet or not.
    #[must_use]
    pub fn groups(&self) -> Vec<Group> {
        self.state.groups()
    }

    /// From now on, the server of this id or address does not answer health checks.
    pub fn ail(&self, server: &str) {
        self.state.ail(server);
    }

    /// Every call that was received, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<Operation> {
        self.script.calls()
    }

    /// How many changes of a group came while another was under way, where it takes one at a time.
    #[must_use]
    pub fn collisions(&self) -> usize {
        self.collisions.load(Ordering::Relaxed)
    }

    /// From now on, nobody who looks is answered.
    pub fn blind(&self) {
        self.script.blind.store(true, Ordering::Relaxed);
    }

    /// Puts up a gate in the way of changes, in place of the one that was there.
    pub fn put_up(&self, gate: Arc<Gate>) {
        self.script.put_up(gate);
    }

    async fn carry_out(&self, operation: Operation) -> Result<Outcome, Fault> {
        let gate = self.script.gate_of(&operation);
        if let Some((gate, Side::Before)) = &gate {
            gate.pass().await?;
        }
        let outcome = self.go_on(operation).await;
        if let Some((gate, Side::After)) = &gate {
            gate.pass().await?;
        }
        outcome
    }

    async fn go_on(&self, operation: Operation) -> Result<Outcome, Fault> {
        let stumble = self.script.next(&operation);
        if let Some(Stumble::Refuse(kind, detail)) = stumble {
            return Err(Fault::new(kind, detail));
        }
        if self.script.blind.load(Ordering::Relaxed) && operation.is_read() {
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
        let waits = self.cloud.capability.one_writer_per_group && !operation.is_read();
        let Some(group) = operation.group_ref().filter(|_| waits) else { return Ok(None) };
        self.state.turn(group.load_balancer.as_ref(), &group.group).inspect_err(|_| {
            self.collisions.fetch_add(1, Ordering::Relaxed);
        })
    }

    fn apply(&self, operation: Operation) -> Result<Outcome, Fault> {
        let state = &self.state;
        match operation {
            Operation::AddBackends(add) => state.add(&add).map(Outcome::Added),
            Operation::RemoveBackends(remove) => state.remove(&remove).map(Outcome::Removed),
            Operation::UpdateBackends(update) => state.update(&update).map(Outcome::Updated),
            Operation::ReplaceBackends(replace) => state.replace(&replace).map(Outcome::Replaced),
            Operation::DescribeGroup(group) => state.describe(&group).map(Outcome::Group),
            Operation::DescribeHealth(asked) => state.describe_health(&asked).map(Outcome::Health),
            Operation::ListGroups(list) => {
                state.list_groups(&list).map(|(part, total)| Outcome::Groups(part, total))
            }
            Operation::CreateGroup(create) => state.create_group(create).map(Outcome::Created),
            Operation::UpdateGroup(update) => state.update_group(update).map(Outcome::GroupUpdated),
            Operation::DeleteGroup(group) => state.delete_group(&group).map(|()| Outcome::Deleted),
            Operation::ListLoadBalancers(list) => {
                let (part, total) = state.list_balancers(&list);
                Ok(Outcome::LoadBalancers(part, total))
            }
            Operation::DescribeLoadBalancer(name) => {
                state.describe_balancer(&name).map(Box::new).map(Outcome::LoadBalancer)
            }
            Operation::ListRegions => Ok(Outcome::Regions(state.regions())),
            Operation::ListProjects => Ok(Outcome::Projects(state.projects())),
        }
    }
}

impl Handler for Arc<LoadBalancer> {
    fn handle(&self, request: Request) -> BoxFuture<'_, Result<Answer, Fault>> {
        Box::pin(async move {
            let asked = match request.wanted {
                Wanted::Translated(asked) => asked,
                Wanted::Untranslated(fault) => return Err(fault.again()),
            };
            let outcome = if self.script.steadfast {
                let cloud = Arc::clone(self);
                let work = tokio::spawn(async move { cloud.carry_out(asked.operation.clone()).await });
                work.await.unwrap_or_else(|lost| Err(Fault::new(FaultKind::Internal, "").caused_by(lost)))
            } else {
                self.carry_out(asked.operation.clone()).await
            };
            Ok(Answer::Translated { outcome: outcome?, losses: Vec::new() })
        })
    }
}
