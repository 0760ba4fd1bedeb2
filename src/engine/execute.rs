//! Sends steps: so many at a time, within the request's time, a busy target asked again.

use std::{
    borrow::Cow,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use super::{Parts, pair::GroupPair, resolve::Route, work::Work};
use crate::{
    crypto::sha256,
    mapping::DuplicateAdd,
    model::{Fault, FaultKind, Field, Operation, Outcome},
    telemetry::Account,
};

/// The pause before a call is sent again that the target refused as busy, and the longest it grows to. Nothing was changed by
/// such a call.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(3));

/// One request being carried out.
pub(super) struct Execution<'r> {
    pub(super) parts: &'r Parts,
    pub(super) route: &'r Route<'r>,
    /// The id of the request.
    pub(super) id: &'r str,
    /// When it came.
    pub(super) at: Timestamp,
    pub(super) deadline: Instant,
    pub(super) account: &'r Account,
    pub(super) work: Mutex<Work>,
}

impl<'r> Execution<'r> {
    pub(super) fn new(
        parts: &'r Parts,
        route: &'r Route<'r>,
        id: &'r str,
        at: Timestamp,
        account: &'r Account,
    ) -> Self {
        let deadline = Instant::now() + parts.config.limits.request_timeout;
        Self { parts, route, id, at, deadline, account, work: Mutex::default() }
    }

    /// Sends the steps, so many at a time, and none any more once one has failed or the time is up. Every step that was
    /// sent is waited for.
    pub(super) async fn fan_out(&self, steps: &[Operation]) -> Vec<Option<Result<Outcome, Fault>>> {
        if let [step] = steps {
            return vec![Some(self.call_in_time(step).await)];
        }
        let stopped = AtomicBool::new(false);
        let repeatable = self.route.here.capability.duplicate_add == DuplicateAdd::Accept;
        // By their places: of a reference the compiler does not see that it lives as long as the task.
        let send = |place: usize| {
            let stopped = &stopped;
            async move {
                if stopped.load(Ordering::Relaxed) {
                    return None;
                }
                let reply = self.call_in_time(steps.get(place)?).await;
                if reply.as_ref().is_err_and(|fault| fault.kind != FaultKind::AlreadyPresent || !repeatable) {
                    stopped.store(true, Ordering::Relaxed);
                }
                Some(reply)
            }
        };
        stream::iter(0..steps.len()).map(send).buffered(self.width()).collect().await
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

    /// Sends one step. One that the target refuses as busy changed nothing and is sent again in a moment, signed anew, for as
    /// long as the request has time.
    pub(super) async fn call(&self, step: &Operation) -> Result<Outcome, Fault> {
        let busy = |fault: &Fault| matches!(fault.kind, FaultKind::Busy | FaultKind::Throttled);
        let (mut pause, longest) = PAUSES;
        let mut attempt = 0;
        loop {
            match self.parts.upstream.call(self.route.target, step, self.account).await {
                Err(fault) if busy(&fault) => {
                    let pause = self.spread(pause, attempt);
                    if Instant::now() + pause >= self.deadline {
                        return Err(fault);
                    }
                    let _waiting = self.account.waits();
                    sleep(pause).await;
                }
                reply => return reply,
            }
            pause = longest.min(pause * 2);
            attempt += 1;
        }
    }

    /// A pause between half of it and all of it: requests that were refused together do not come back together.
    fn spread(&self, pause: Duration, attempt: u32) -> Duration {
        let [byte, ..] = sha256(format!("{}\n{attempt}", self.id).as_bytes());
        pause / 2 + pause * u32::from(byte) / 512
    }

    /// What a fault of the target concerns, in the caller's words.
    pub(super) fn field_at_fault(&self, kind: FaultKind, pair: &GroupPair) -> Cow<'static, str> {
        if kind == FaultKind::UnknownGroup {
            return pair.here.group.to_string().into();
        }
        self.route.here.backend.wire_name(Field::Resource).to_owned().into()
    }
}
