//! Runs a plan: bounded, all or nothing.

use std::{
    borrow::Cow,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use futures_util::{StreamExt, stream};
use tokio::time::{Instant, sleep, timeout_at};

use super::{
    Parts,
    ends::{End, ends_of},
    lanes::Turn,
    plan::{Item, Plan, Work, adds},
    resolve::Route,
};
use crate::{
    dialect::{Answer, handle_of},
    mapping::{DuplicateAdd, NamesBackends},
    model::{Backend, BackendId, Fault, FaultKind, Field, Health, Member, Operation, Outcome},
};

/// Pauses before a call is sent again that the target refused as busy: nothing was changed by it.
const PAUSES: [Duration; 3] =
    [Duration::from_millis(300), Duration::from_millis(600), Duration::from_millis(1200)];

/// One run of one plan.
pub(super) struct Execution<'r> {
    pub(super) parts: &'r Parts,
    pub(super) route: &'r Route<'r>,
    deadline: Instant,
}

impl<'r> Execution<'r> {
    pub(super) fn new(parts: &'r Parts, route: &'r Route<'r>) -> Self {
        let deadline = Instant::now() + parts.config.limits.request_timeout;
        Self { parts, route, deadline }
    }

    pub(super) async fn run(self, plan: &Plan) -> Result<Answer, Fault> {
        let outcome = match &plan.work {
            Work::List => self.list(plan).await?,
            Work::Add(items) => {
                let _turn = self.turn(plan, items).await?;
                self.add(plan, items).await?
            }
        };
        Ok(Answer::Translated { outcome, losses: plan.losses.clone() })
    }

    async fn turn(&self, plan: &Plan, items: &[Item]) -> Result<Turn, Fault> {
        let alone = items.len() > 1 || self.route.there.capability.one_writer_per_group;
        let group = plan.full_name();
        let turn = self.parts.lanes.turn(&self.route.target.name, &group, alone);
        timeout_at(self.deadline, turn).await.map_err(|_| {
            Fault::new(FaultKind::Busy, "other changes of the group took all the time; nothing was begun")
        })
    }

    /// What the group holds, in the caller's ids as far as the resource map knows them.
    async fn list(&self, plan: &Plan) -> Result<Outcome, Fault> {
        let here = self.look(plan).await?.into_iter().map(|member| {
            let kept = self.parts.memory.recall(&plan.entry(self.route, &member.backend), member.backend);
            let backend = Backend { target: self.route.server_here(&kept.target), ..kept };
            Member { backend, ..member }
        });
        Ok(Outcome::Added(here.collect()))
    }

    async fn add(&self, plan: &Plan, items: &[Item]) -> Result<Outcome, Fault> {
        let before = if plan.looks_first(self.route) { self.look(plan).await? } else { Vec::new() };
        let mut ends: Vec<End> = items.iter().map(|item| self.end_before(&before, item)).collect();
        // A lost answer stops the fan-out; when it turns out to have landed, the rest goes on.
        while ends.iter().all(|end| end.fault().is_none()) && ends.iter().any(End::is_untried) {
            self.add_missing(plan, items, &mut ends).await;
            self.settle(plan, items, &mut ends).await;
        }
        if ends.iter().any(|end| end.fault().is_some()) {
            return Err(self.take_back(plan, items, ends).await);
        }
        Ok(self.added(plan, items, ends))
    }

    /// What is known of an item before anything is sent.
    fn end_before(&self, before: &[Member], item: &Item) -> End {
        match before.iter().find(|member| member.backend.same_entry(&item.there)) {
            Some(member) => self.was_there(member.clone(), item),
            None => End::Untried,
        }
    }

    /// The group holds the item already: no fault for a caller who expects an add to be repeatable, if it holds it as asked.
    pub(super) fn was_there(&self, member: Member, item: &Item) -> End {
        let detail = match self.route.here.capability.duplicate_add {
            DuplicateAdd::Refuse => "it is in the group already",
            DuplicateAdd::Accept if !self.is_as_asked(&member, item) => {
                "it is in the group already, with another weight or state; change it there, or remove it first"
            }
            DuplicateAdd::Accept => return End::Present(member),
        };
        End::Failed(Fault::new(FaultKind::AlreadyPresent, detail))
    }

    /// Whether the group holds an item the way it was asked for, as far as the target can hold it.
    pub(super) fn is_as_asked(&self, member: &Member, item: &Item) -> bool {
        let (is, wanted) = (&member.backend, &item.there);
        let no_standby = self.route.there.backend.row(Field::Standby).is_none();
        is.same_traffic(wanted) && (no_standby || is.standby == wanted.standby)
    }

    async fn add_missing(&self, plan: &Plan, items: &[Item], ends: &mut [End]) {
        let (mut slots, missing): (Vec<&mut End>, Vec<&Item>) =
            ends.iter_mut().zip(items).filter(|(end, _)| end.is_untried()).unzip();
        let steps = adds(&plan.group, &missing, self.route);
        let replies = self.fan_out(&steps).await;
        let duplicates = self.route.here.capability.duplicate_add;
        let known = steps.iter().zip(replies).flat_map(|(step, reply)| ends_of(step, reply, duplicates));
        for (slot, end) in slots.iter_mut().zip(known) {
            **slot = end;
        }
    }

    /// Sends the steps, so many at a time, and none any more once one has failed or the time is up. Every step that was
    /// sent is waited for.
    async fn fan_out(&self, steps: &[Operation]) -> Vec<Option<Result<Outcome, Fault>>> {
        let stopped = AtomicBool::new(false);
        let repeatable = self.route.here.capability.duplicate_add == DuplicateAdd::Accept;
        let send = |step: Operation| {
            let stopped = &stopped;
            async move {
                if stopped.load(Ordering::Relaxed) {
                    return None;
                }
                let reply = self.call_in_time(&step).await;
                if reply.as_ref().is_err_and(|fault| fault.kind != FaultKind::AlreadyPresent || !repeatable) {
                    stopped.store(true, Ordering::Relaxed);
                }
                Some(reply)
            }
        };
        stream::iter(steps.to_vec()).map(send).buffered(self.width()).collect().await
    }

    /// How many calls may be in flight: one, where a group takes one change at a time.
    pub(super) fn width(&self) -> usize {
        if self.route.there.capability.one_writer_per_group { 1 } else { self.route.target.concurrency }
    }

    async fn call_in_time(&self, step: &Operation) -> Result<Outcome, Fault> {
        if Instant::now() < self.deadline {
            return self.call(step).await;
        }
        // Not `TargetTimedOut`, which would leave a doubt: this call was never begun.
        Err(Fault::new(FaultKind::TargetFailed, "the request's time was up before this call was begun"))
    }

    /// Sends one step. One that the target refuses as busy changed nothing and is sent again in a moment.
    pub(super) async fn call(&self, step: &Operation) -> Result<Outcome, Fault> {
        let busy = |fault: &Fault| matches!(fault.kind, FaultKind::Busy | FaultKind::Throttled);
        for pause in PAUSES {
            match self.parts.upstream.call(self.route.target, step).await {
                Err(fault) if busy(&fault) && Instant::now() + pause < self.deadline => sleep(pause).await,
                reply => return reply,
            }
        }
        self.parts.upstream.call(self.route.target, step).await
    }

    pub(super) async fn look(&self, plan: &Plan) -> Result<Vec<Member>, Fault> {
        let reply = self.call(&Operation::DescribeGroup(plan.group.clone())).await;
        let told = |fault: Fault| Fault { field: Some(self.field_at_fault(fault.kind, plan)), ..fault };
        match reply.map_err(told)? {
            Outcome::Group(group) => Ok(group.members),
            _ => Err(Fault::new(FaultKind::Internal, "the reply to a look is no list")),
        }
    }

    /// What a fault of the target concerns, in the caller's words.
    pub(super) fn field_at_fault(&self, kind: FaultKind, plan: &Plan) -> Cow<'static, str> {
        if kind == FaultKind::UnknownGroup {
            return plan.asked.to_string().into();
        }
        self.route.here.backend.wire_name(Field::Resource).to_owned().into()
    }

    fn added(&self, plan: &Plan, items: &[Item], ends: Vec<End>) -> Outcome {
        let members = items.iter().zip(ends).map(|(item, end)| {
            if !matches!(end, End::Present(_)) {
                let entry = plan.entry(self.route, &item.there);
                self.parts.memory.remember(entry, item.remembered.clone());
            }
            let id = end.into_member().and_then(|member| member.id);
            Member { backend: item.here.clone(), id: self.id_here(plan, item, id), health: Health::Unknown }
        });
        Outcome::Added(members.collect())
    }

    /// The backend's id, where the caller's cloud gives one: the target's own, or one that decodes to what it stands for.
    fn id_here(&self, plan: &Plan, item: &Item, id: Option<BackendId>) -> Option<BackendId> {
        match self.route.here.capability.names_backends {
            NamesBackends::Address => None,
            NamesBackends::Id => {
                id.or_else(|| handle_of(&plan.group.group, &item.there.target, item.there.port))
            }
        }
    }
}
