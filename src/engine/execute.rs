//! Sends steps: so many at a time, within the request's time, a busy target asked again.

use std::{
    borrow::Cow,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use tokio::time::{Instant, sleep, timeout_at};

use super::{Parts, lanes::Turn, pair::GroupPair, resolve::Route};
use crate::{
    mapping::DuplicateAdd,
    model::{Fault, FaultKind, Field, LoadBalancerRef, Operation, Outcome},
};

/// Pauses before a call is sent again that the target refused as busy: nothing was changed by it.
const PAUSES: [Duration; 3] =
    [Duration::from_millis(300), Duration::from_millis(600), Duration::from_millis(1200)];

/// One request being carried out.
pub(super) struct Execution<'r> {
    pub(super) parts: &'r Parts,
    pub(super) route: &'r Route<'r>,
    /// The id of the request.
    pub(super) id: &'r str,
    /// When it came.
    pub(super) at: Timestamp,
    deadline: Instant,
}

impl<'r> Execution<'r> {
    pub(super) fn new(parts: &'r Parts, route: &'r Route<'r>, id: &'r str, at: Timestamp) -> Self {
        let deadline = Instant::now() + parts.config.limits.request_timeout;
        Self { parts, route, id, at, deadline }
    }

    /// Waits for a turn to change what a group holds already. What was recorded of adds to it is not so any more, whatever
    /// comes of the change.
    pub(super) async fn turn_to_change(&self, pair: &GroupPair, alone: bool) -> Result<Turn, Fault> {
        let turn = self.turn(pair, alone).await?;
        self.parts.repeats.forget(&pair.key(self.route));
        Ok(turn)
    }

    /// Waits for a turn to make a group on a load balancer of the target.
    pub(super) async fn turn_to_make(&self, balancer: &LoadBalancerRef) -> Result<Turn, Fault> {
        let lane = format!("the groups of {}", balancer.id);
        let turn = self.parts.lanes.turn(&self.route.target.name, &lane, true);
        timeout_at(self.deadline, turn).await.map_err(|_| {
            Fault::new(FaultKind::Busy, "other groups being made took all the time; nothing was begun")
        })
    }

    /// Waits for a turn to write to a group: `alone`, or beside others where the target takes several changes at once.
    pub(super) async fn turn(&self, pair: &GroupPair, alone: bool) -> Result<Turn, Fault> {
        let alone = alone || self.route.there.capability.one_writer_per_group;
        let key = pair.key(self.route);
        let turn = self.parts.lanes.turn(&key.cloud, &key.group, alone);
        timeout_at(self.deadline, turn).await.map_err(|_| {
            Fault::new(FaultKind::Busy, "other changes of the group took all the time; nothing was begun")
        })
    }

    /// Sends the steps, so many at a time, and none any more once one has failed or the time is up. Every step that was
    /// sent is waited for.
    pub(super) async fn fan_out(&self, steps: &[Operation]) -> Vec<Option<Result<Outcome, Fault>>> {
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

    /// What a fault of the target concerns, in the caller's words.
    pub(super) fn field_at_fault(&self, kind: FaultKind, pair: &GroupPair) -> Cow<'static, str> {
        if kind == FaultKind::UnknownGroup {
            return pair.here.group.to_string().into();
        }
        self.route.here.backend.wire_name(Field::Resource).to_owned().into()
    }
}
