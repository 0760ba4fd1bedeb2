//! A step of a way back is sent until it works, or until it is clear that it does not.

use std::time::Duration;

use tokio::time::sleep;

use crate::{
    engine::{execute::Execution, pair::GroupPair},
    model::{
        Backend, BackendRef, Change, Fault, FaultKind, Group, Member, Operation, Outcome, Traffic, Updated,
    },
};

/// Pauses between the tries. A way back is tried harder than anything else, since giving up leaves a trace.
const PAUSES: [Duration; 3] =
    [Duration::from_millis(200), Duration::from_millis(600), Duration::from_millis(1500)];

impl Execution<'_> {
    /// Sends a step that changes a group until it works. One whose answer got lost is looked for before it is sent again.
    pub(in crate::engine) async fn surely(
        &self,
        pair: &GroupPair,
        step: &Operation,
    ) -> Result<Outcome, Fault> {
        for pause in PAUSES {
            let fault = match told(step, self.call(step).await) {
                Err(fault) if fault.kind != FaultKind::AlreadyPresent => fault,
                end => return end,
            };
            sleep(pause).await;
            if fault.kind.leaves_doubt()
                && let Some(outcome) = self.landed_already(pair, step).await
            {
                return Ok(outcome);
            }
        }
        told(step, self.call(step).await)
    }

    /// What came of a step, if the group shows it. Where changes show late, what is shown may be older than what the step
    /// was to undo; but what was removed is not shown any more, so what was put back is told apart.
    async fn landed_already(&self, pair: &GroupPair, step: &Operation) -> Option<Outcome> {
        let group = self.group(pair).await;
        let at_once = self.route.there.capability.settles_after.is_zero();
        if !at_once && !matches!(step, Operation::AddBackends(_)) {
            return None;
        }
        match (step, group) {
            (Operation::DeleteGroup(_), Err(fault)) if fault.kind == FaultKind::UnknownGroup => {
                Some(Outcome::Deleted)
            }
            (_, group) => shown(step, group.ok()?),
        }
    }
}

/// What a reply says of a step: every item was done, or the step was not. A group that is to go may have gone already.
fn told(step: &Operation, reply: Result<Outcome, Fault>) -> Result<Outcome, Fault> {
    let gone = |fault: &Fault| fault.kind == FaultKind::UnknownGroup;
    match reply {
        Err(fault) if gone(&fault) && matches!(step, Operation::DeleteGroup(_)) => Ok(Outcome::Deleted),
        Ok(Outcome::Updated(items)) => match items.iter().find_map(|item| item.refusal.clone()) {
            Some(refusal) => Err(Fault::new(refusal.kind, refusal.detail)),
            None => Ok(Outcome::Updated(items)),
        },
        reply => reply,
    }
}

/// What came of a step that the group shows.
fn shown(step: &Operation, group: Group) -> Option<Outcome> {
    let held = &group.members;
    match step {
        Operation::AddBackends(add) => all_held(&add.backends, held).map(Outcome::Added),
        Operation::RemoveBackends(remove) => {
            let gone = remove.backends.iter().all(|name| named(name, held).is_none());
            gone.then(|| Outcome::Removed(Vec::new()))
        }
        Operation::ReplaceBackends(replace) => {
            let gone = |name: &BackendRef| named(name, held).is_none();
            let found = all_held(&replace.new, held)?;
            replace.old.iter().all(gone).then_some(Outcome::Replaced(found))
        }
        Operation::UpdateBackends(update) => {
            let done = |change: &Change| named(&change.backend, held).is_some_and(|held| is(held, change));
            let told = |change: &Change| Updated { backend: change.backend.clone(), refusal: None };
            let all = update.changes.iter().all(done);
            all.then(|| Outcome::Updated(update.changes.iter().map(told).collect()))
        }
        Operation::UpdateGroup(update) => {
            (update.name.is_some() && update.name == group.name).then_some(Outcome::GroupUpdated(group))
        }
        Operation::CreateGroup(_)
        | Operation::DeleteGroup(_)
        | Operation::DescribeGroup(_)
        | Operation::DescribeHealth(_)
        | Operation::ListGroups(_)
        | Operation::ListLoadBalancers(_)
        | Operation::DescribeLoadBalancer(_)
        | Operation::ListRegions
        | Operation::ListProjects => None,
    }
}

/// The members that are these backends, if all of them are there as they are to be.
fn all_held(backends: &[Backend], held: &[Member]) -> Option<Vec<Member>> {
    let find = |wanted: &Backend| {
        let is = |member: &&Member| member.backend.same_entry(wanted) && member.backend.same_traffic(wanted);
        held.iter().find(is).cloned()
    };
    backends.iter().map(find).collect()
}

fn named<'m>(name: &BackendRef, held: &'m [Member]) -> Option<&'m Member> {
    held.iter().find(|member| match name {
        BackendRef::Id(id) => member.id.as_ref() == Some(id),
        BackendRef::At { target, port } => {
            member.backend.port == *port && member.backend.target.same_as(target)
        }
    })
}

/// Whether a member is as a change is to make it, as far as a group shows.
fn is(member: &Member, change: &Change) -> bool {
    let Change { backend: _, port, weight, enabled, standby, description: _ } = change;
    let backend = &member.backend;
    let (on, shown) = match backend.traffic {
        Traffic::On(weight) => (true, Some(weight)),
        Traffic::Off(weight) => (false, weight),
    };
    port.is_none_or(|port| port == backend.port)
        && enabled.is_none_or(|enabled| enabled == on)
        && standby.is_none_or(|standby| standby == backend.standby)
        && (shown.is_none() || weight.is_none() || *weight == shown)
}
