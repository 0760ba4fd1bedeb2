//! Runs a plan: bounded, all or nothing, and honest about what it could not find out.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use futures_util::{StreamExt, stream};
use tokio::time::{Instant, sleep};
use tracing::{error, warn};

use super::{
    Parts,
    plan::{Item, Plan, Work, adds},
    resolve::Route,
    undo::removals,
};
use crate::{
    dialect::{Answer, handle_of},
    mapping::{DuplicateAdd, NamesBackends},
    model::{Backend, BackendId, Fault, FaultKind, Field, Member, Operation, Outcome},
};

/// Pauses before a call is repeated that the target refused as busy: nothing was changed by it.
const PAUSES: [Duration; 3] =
    [Duration::from_millis(300), Duration::from_millis(600), Duration::from_millis(1200)];

/// Pauses between looks for an add whose answer got lost: a cloud may show a change only after a second or so.
const LOOKS: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(400), Duration::from_millis(800), Duration::from_millis(1200)];

/// One run of one plan.
pub(super) struct Execution<'r> {
    parts: &'r Parts,
    route: &'r Route,
    deadline: Instant,
}

/// What became of one backend of an add.
enum End {
    /// This call added it.
    Added(Member),
    /// The group holds it, and held it before this call or may have.
    Present(Member),
    /// It is not in the group as asked, and why.
    Failed(Fault),
    /// It was not tried, because another had failed.
    Untried,
}

impl<'r> Execution<'r> {
    pub(super) fn new(parts: &'r Parts, route: &'r Route) -> Self {
        let deadline = Instant::now() + parts.config.limits.request_timeout;
        Self { parts, route, deadline }
    }

    pub(super) async fn run(self, plan: &Plan) -> Result<Answer, Fault> {
        let _turn = self.turn(plan).await;
        let outcome = match &plan.work {
            Work::List => self.list(plan).await?,
            Work::Add(items) => self.add(plan, items).await?,
        };
        Ok(Answer { outcome, losses: plan.losses.clone() })
    }

    async fn turn(&self, plan: &Plan) -> Option<impl Drop> {
        let changes = matches!(plan.work, Work::Add(_));
        let waits = changes && self.route.there.capability.one_writer_per_group;
        if !waits {
            return None;
        }
        Some(self.parts.lanes.turn(&self.route.target.name, plan.group.group.as_str()).await)
    }

    /// What the group holds, in the caller's ids, as far as the resource map knows them.
    async fn list(&self, plan: &Plan) -> Result<Outcome, Fault> {
        let members = self.look(plan).await?;
        let here = members.into_iter().map(|member| {
            let kept = self.parts.memory.recall(&plan.entry(self.route, &member.backend), member.backend);
            let backend = Backend { target: self.route.server_here(&kept.target), ..kept };
            Member { backend, id: member.id }
        });
        Ok(Outcome::Added(here.collect()))
    }

    async fn add(&self, plan: &Plan, items: &[Item]) -> Result<Outcome, Fault> {
        let before = if plan.looks_first(self.route) { self.look(plan).await? } else { Vec::new() };
        let mut ends: Vec<End> = items.iter().map(|item| self.end_before(&before, item)).collect();
        if !ends.iter().any(|end| matches!(end, End::Failed(_))) {
            self.add_missing(plan, items, &mut ends).await;
        }
        match ends.iter().position(|end| matches!(end, End::Failed(_))) {
            None => Ok(self.added(plan, items, ends)),
            Some(first) => Err(self.take_back(plan, items, ends, first).await),
        }
    }

    /// What is known of an item before anything is sent.
    fn end_before(&self, before: &[Member], item: &Item) -> End {
        match before.iter().find(|member| member.backend.same_entry(&item.there)) {
            Some(member) => self.was_there(member.clone(), item),
            None => End::Untried,
        }
    }

    /// The group holds the item already: right for callers who expect an add to be repeatable, if it holds it as asked.
    fn was_there(&self, member: Member, item: &Item) -> End {
        let detail = match self.route.here.capability.duplicate_add {
            DuplicateAdd::Refuse => "it is in the group already",
            DuplicateAdd::Accept if !member.backend.same_duty(&item.there) => {
                "it is in the group already, with another weight or state; change it there, or remove it first"
            }
            DuplicateAdd::Accept => return End::Present(member),
        };
        End::Failed(Fault::new(FaultKind::AlreadyPresent, detail))
    }

    async fn add_missing(&self, plan: &Plan, items: &[Item], ends: &mut [End]) {
        let missing: Vec<usize> = (0..items.len()).filter(|at| matches!(ends.get(*at), Some(End::Untried))).collect();
        let wanted: Vec<&Item> = missing.iter().filter_map(|at| items.get(*at)).collect();
        let steps = adds(&plan.group, &wanted, self.route);
        let replies = self.fan_out(&steps).await;
        let mut places = missing.into_iter();
        for (step, reply) in steps.iter().zip(replies) {
            for (place, end) in places.by_ref().zip(step_ends(step, reply)) {
                if let Some(slot) = ends.get_mut(place) {
                    *slot = end;
                }
            }
        }
        self.settle(plan, items, ends).await;
    }

    /// Sends the steps, so many at a time, and none any more once one has failed or the time is up. Every step that was
    /// sent is waited for.
    async fn fan_out(&self, steps: &[Operation]) -> Vec<Option<Result<Outcome, Fault>>> {
        let stopped = AtomicBool::new(false);
        let stopped = &stopped;
        let send = |step| async move {
            if stopped.load(Ordering::Relaxed) {
                return None;
            }
            let reply = if Instant::now() < self.deadline {
                self.call(step).await
            } else {
                Err(Fault::new(FaultKind::TargetTimedOut, "the request's time was up before this call was begun"))
            };
            if reply.as_ref().is_err_and(|fault| fault.kind != FaultKind::AlreadyPresent) {
                stopped.store(true, Ordering::Relaxed);
            }
            Some(reply)
        };
        stream::iter(steps).map(send).buffered(self.route.target.concurrency).collect().await
    }

    /// Sends one step. One that the target refuses as busy changed nothing and is sent again in a moment.
    async fn call(&self, step: &Operation) -> Result<Outcome, Fault> {
        let mut pauses = PAUSES.iter();
        loop {
            let reply = self.parts.upstream.call(&self.route.target, step).await;
            let busy = |fault: &Fault| matches!(fault.kind, FaultKind::Busy | FaultKind::Throttled);
            match (reply, pauses.next()) {
                (Err(fault), Some(pause)) if busy(&fault) && Instant::now() + *pause < self.deadline => {
                    sleep(*pause).await;
                }
                (reply, _) => return reply,
            }
        }
    }

    /// Finds out what became of the adds whose answer leaves doubt, and whether what "was there already" is as asked.
    async fn settle(&self, plan: &Plan, items: &[Item], ends: &mut [End]) {
        for (look, pause) in LOOKS.iter().enumerate() {
            if !ends.iter().any(|end| self.is_open(end)) {
                return;
            }
            sleep(*pause).await;
            let members = match self.look(plan).await {
                Ok(members) => members,
                Err(fault) => {
                    warn!(%fault, "the group cannot be looked at to settle a doubt");
                    return;
                }
            };
            for (end, item) in ends.iter_mut().zip(items).filter(|(end, _)| self.is_open(end)) {
                if let Some(member) = members.iter().find(|member| member.backend.same_entry(&item.there)) {
                    *end = self.found(end, member.clone(), item, look);
                }
            }
        }
    }

    fn is_open(&self, end: &End) -> bool {
        match end {
            End::Failed(fault) if fault.kind == FaultKind::AlreadyPresent => {
                fault.cause.is_some() && self.route.here.capability.duplicate_add == DuplicateAdd::Accept
            }
            End::Failed(fault) => fault.kind.leaves_doubt(),
            End::Added(_) | End::Present(_) | End::Untried => false,
        }
    }

    /// An add whose answer got lost has landed. Whether it was this call's is certain only if an earlier look did not
    /// show it yet.
    fn found(&self, end: &End, member: Member, item: &Item, look: usize) -> End {
        match end {
            End::Failed(fault) if fault.kind == FaultKind::AlreadyPresent => self.was_there(member, item),
            _ if !member.backend.same_duty(&item.there) => self.was_there(member, item),
            _ if look == 0 => End::Present(member),
            _ => End::Added(member),
        }
    }

    async fn look(&self, plan: &Plan) -> Result<Vec<Member>, Fault> {
        match self.call(&Operation::DescribeGroup(plan.group.clone())).await? {
            Outcome::Group(members) => Ok(members),
            Outcome::Added(_) | Outcome::Removed => {
                Err(Fault::new(FaultKind::Internal, "the target's reply to a look is no list"))
            }
        }
    }

    fn added(&self, plan: &Plan, items: &[Item], ends: Vec<End>) -> Outcome {
        let members = items.iter().zip(ends).map(|(item, end)| {
            let id = match end {
                End::Added(member) | End::Present(member) => member.id,
                End::Failed(_) | End::Untried => None,
            };
            let entry = plan.entry(self.route, &item.there);
            self.parts.memory.remember(entry, item.remembered.clone());
            Member { backend: item.here.clone(), id: self.id_here(plan, item, id) }
        });
        Outcome::Added(members.collect())
    }

    /// The backend's id as the caller's cloud gives one: the target's own, or one that decodes to what it stands for.
    fn id_here(&self, plan: &Plan, item: &Item, id: Option<BackendId>) -> Option<BackendId> {
        match self.route.here.capability.names_backends {
            NamesBackends::Address => None,
            NamesBackends::Id => id.or_else(|| handle_of(&plan.group.group, &item.there.target, item.there.port)),
        }
    }

    /// Takes back what this call had added and tells the first failure with what came of the rest.
    async fn take_back(&self, plan: &Plan, items: &[Item], ends: Vec<End>, first: usize) -> Fault {
        let ours: Vec<&Member> = ends.iter().filter_map(|end| if let End::Added(member) = end { Some(member) } else { None }).collect();
        let stuck = self.remove(plan, &ours).await;
        let count = ours.len() - stuck.len();
        let doubtful: Vec<String> = items
            .iter()
            .zip(&ends)
            .filter(|(_, end)| match end {
                End::Failed(fault) => fault.kind.leaves_doubt(),
                End::Added(_) | End::Present(_) | End::Untried => false,
            })
            .map(|(item, _)| item.here.to_string())
            .collect();
        let mut detail = match count {
            0 => "Nothing was added".to_owned(),
            count => format!("The {count} that this call had added were taken back"),
        };
        if !stuck.is_empty() {
            detail = format!("{detail}; these could NOT be taken back and are still in the group: {}", stuck.join(", "));
        }
        if !doubtful.is_empty() {
            detail = format!("{detail}; the target never said what became of {}", doubtful.join(", "));
        }
        let failed = ends.into_iter().zip(items).nth(first);
        let Some((End::Failed(fault), item)) = failed else {
            return Fault::new(FaultKind::Internal, detail);
        };
        self.told(fault, item, plan, &detail)
    }

    /// Removes `members`; what cannot be removed is named.
    async fn remove(&self, plan: &Plan, members: &[&Member]) -> Vec<String> {
        let steps = removals(&plan.group, members, &self.route.there.capability);
        let send = |step| async move {
            let mut reply = self.call(step).await;
            for pause in PAUSES {
                if reply.is_ok() {
                    break;
                }
                sleep(pause).await;
                reply = self.call(step).await;
            }
            reply.err()
        };
        let faults: Vec<Option<Fault>> =
            stream::iter(&steps).map(send).buffered(self.route.target.concurrency).collect().await;
        let per_call = self.route.there.capability.backends_per_call;
        let mut stuck = Vec::new();
        for (chunk, fault) in members.chunks(per_call).zip(faults) {
            if let Some(fault) = fault {
                error!(%fault, group = %plan.group.group, "what a failed call had added cannot be taken back");
                stuck.extend(chunk.iter().map(|member| self.route.server_here(&member.backend.target)).zip(chunk.iter()).map(|(target, member)| format!("{target} port {}", member.backend.port)));
            }
        }
        stuck
    }

    /// The fault in the caller's words: which server, why, and what became of the rest.
    fn told(&self, fault: Fault, item: &Item, plan: &Plan, rest: &str) -> Fault {
        let here = &self.route.here;
        let field = match fault.kind {
            FaultKind::UnknownGroup => plan.group.group.to_string(),
            _other => here.backend.wire_name(Field::Resource).to_owned(),
        };
        let detail = format!("{}: {}. {rest}", item.here, fault.detail.trim_end_matches('.'));
        Fault { field: Some(field.into()), detail: detail.into(), ..fault }
    }
}

/// What one reply says of each backend of its step.
fn step_ends(step: &Operation, reply: Option<Result<Outcome, Fault>>) -> Vec<End> {
    let count = match step {
        Operation::AddBackends(add) => add.backends.len(),
        Operation::RemoveBackends(_) | Operation::DescribeGroup(_) => 0,
    };
    match reply {
        None => (0..count).map(|_| End::Untried).collect(),
        Some(Ok(Outcome::Added(members))) => members.into_iter().map(End::Added).collect(),
        Some(Ok(Outcome::Removed | Outcome::Group(_))) => {
            (0..count).map(|_| End::Failed(Fault::new(FaultKind::Internal, "the reply is no add's"))).collect()
        }
        Some(Err(fault)) => {
            let same = || Fault { kind: fault.kind, field: None, detail: fault.detail.clone(), cause: Some("told by the target".into()) };
            (0..count).map(|_| End::Failed(same())).collect()
        }
    }
}
