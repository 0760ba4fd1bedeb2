//! An identical request that makes something gets the recorded answer inside a short window, where the signature cannot
//! tell a repeat from a replay: several SDKs send one again that has already succeeded.
//!
//! The records of this process are here; the store has them too, for the process that comes after it, and for others beside.

use std::{
    collections::HashMap,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use tokio::{sync::OnceCell, time::Instant};

use super::execute::Execution;
use crate::{
    dialect::Answer,
    model::{Fault, Group, Loss, Member, Outcome},
    store::{GroupKey, RequestDigest, Write},
};

/// What was answered, when, and of which group; empty while the first request is still at work.
type Record = Arc<OnceCell<Recorded>>;

#[derive(Debug)]
struct Recorded {
    answer: Answer,
    at: Instant,
    group: Option<GroupKey>,
}

/// An answer as the store has it.
#[derive(Debug, Serialize, Deserialize)]
struct Told {
    outcome: Made,
    losses: Vec<Loss>,
    group: Option<GroupKey>,
}

/// What comes of an operation that makes something.
#[derive(Debug, Serialize, Deserialize)]
enum Made {
    Added(Vec<Member>),
    Created(Box<Group>),
}

/// Answers by what two identical requests share.
#[derive(Debug)]
pub(super) struct Repeats {
    /// Whether other processes answer too, so that what is recorded here may not be so any more.
    shared: bool,
    since: Instant,
    records: Mutex<HashMap<RequestDigest, Record>>,
}

impl Repeats {
    /// No answers yet.
    pub(super) fn new(shared: bool) -> Self {
        Self { shared, since: Instant::now(), records: Mutex::default() }
    }

    /// Whether the store may have an answer that this process has not, of those that are kept for `window`.
    pub(super) fn may_be_told_elsewhere(&self, window: Duration) -> bool {
        self.shared || self.since.elapsed() <= window
    }

    /// The answer of `key` that was recorded within `window`, or what `run` answers and of which group. A repeat waits for the first to end; a
    /// failure is not recorded, so a repeat of one tries again.
    pub(super) async fn once<F>(
        &self,
        key: RequestDigest,
        window: Duration,
        run: impl FnOnce() -> F,
    ) -> Result<Answer, Fault>
    where
        F: Future<Output = Result<(Answer, Option<GroupKey>), Fault>>,
    {
        let record = self.record(key, window);
        let recorded =
            || async { run().await.map(|(answer, group)| Recorded { answer, at: Instant::now(), group }) };
        let answer = record.get_or_try_init(recorded).await.map(|recorded| recorded.answer.clone());
        if self.shared {
            self.lock().remove(&key);
        }
        answer
    }

    /// Forgets the answers of a group: what they told of is no longer so. Whether the store may have any.
    pub(super) fn forget(&self, group: &GroupKey, window: Duration) -> bool {
        self.drop_those(window, |recorded| recorded.group.as_ref() == Some(group))
    }

    /// Forgets the answers of a target: what went there past the engine may have changed anything. Whether the store may
    /// have any.
    pub(super) fn forget_target(&self, target: &str, window: Duration) -> bool {
        self.drop_those(window, |recorded| recorded.group.as_ref().is_none_or(|group| group.cloud == target))
    }

    fn drop_those(&self, window: Duration, gone: impl Fn(&Recorded) -> bool) -> bool {
        let mut records = self.lock();
        let before = records.len();
        records.retain(|_, record| record.get().is_none_or(|recorded| !gone(recorded)));
        records.len() < before || self.may_be_told_elsewhere(window)
    }

    fn record(&self, key: RequestDigest, window: Duration) -> Record {
        let now = Instant::now();
        let mut records = self.lock();
        records.retain(|_, record| match record.get() {
            Some(recorded) => recorded.at + window > now,
            None => Arc::strong_count(record) > 1,
        });
        Arc::clone(records.entry(key).or_default())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RequestDigest, Record>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Execution<'_> {
    /// Takes down what a request is answered, for a repeat of it that comes to another process.
    pub(super) fn record(&self, request: RequestDigest, answer: &Answer, group: Option<&GroupKey>) {
        let Answer::Translated { outcome, losses } = answer else { return };
        let outcome = match outcome {
            Outcome::Added(members) => Made::Added(members.clone()),
            Outcome::Created(made) => Made::Created(Box::new(made.clone())),
            Outcome::Removed(_)
            | Outcome::Updated(_)
            | Outcome::Replaced(_)
            | Outcome::Group(_)
            | Outcome::Health(_)
            | Outcome::Groups(..)
            | Outcome::GroupUpdated(_)
            | Outcome::Deleted
            | Outcome::LoadBalancers(..)
            | Outcome::LoadBalancer(_)
            | Outcome::Regions(_)
            | Outcome::Projects(_) => return,
        };
        let told = Told { outcome, losses: losses.clone(), group: group.cloned() };
        // What cannot be written down is not told again: a repeat is carried out.
        let Ok(answer) = serde_json::to_string(&told) else { return };
        let window =
            SignedDuration::try_from(self.parts.config.limits.repeat_window).unwrap_or(SignedDuration::MAX);
        let until = self.at.saturating_add(window).unwrap_or(self.at);
        self.note(Write::Answered { request, group: group.cloned(), until, answer });
    }
}

/// An answer that the store has, and the group that it tells of; none if another version wrote it.
pub(super) fn read_back(text: &str) -> Option<(Answer, Option<GroupKey>)> {
    let Told { outcome, losses, group } = serde_json::from_str(text).ok()?;
    let outcome = match outcome {
        Made::Added(members) => Outcome::Added(members),
        Made::Created(made) => Outcome::Created(*made),
    };
    Some((Answer::Translated { outcome, losses }, group))
}
