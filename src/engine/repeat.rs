//! An identical request that makes something gets the recorded answer inside a short window, where the signature cannot
//! tell a repeat from a replay: several SDKs send one again that has already succeeded.

use std::{
    collections::HashMap,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::OnceCell, time::Instant};

use crate::{dialect::Answer, model::Fault, store::GroupKey};

/// What was answered, when, and of which group; empty while the first request is still at work.
type Record = Arc<OnceCell<Recorded>>;

#[derive(Debug)]
struct Recorded {
    answer: Answer,
    at: Instant,
    group: Option<GroupKey>,
}

/// Answers by what two identical requests share.
#[derive(Debug)]
pub(super) struct Repeats {
    window: Duration,
    records: Mutex<HashMap<[u8; 32], Record>>,
}

impl Repeats {
    /// Keeps answers for `window`.
    pub(super) fn new(window: Duration) -> Self {
        Self { window, records: Mutex::default() }
    }

    /// The recorded answer of `key`, or what `run` answers and of which group. A repeat waits for the first to end; a
    /// failure is not recorded, so a repeat of one tries again.
    pub(super) async fn once<F>(&self, key: [u8; 32], run: impl FnOnce() -> F) -> Result<Answer, Fault>
    where
        F: Future<Output = Result<(Answer, Option<GroupKey>), Fault>>,
    {
        let record = self.record(key);
        let recorded =
            || async { run().await.map(|(answer, group)| Recorded { answer, at: Instant::now(), group }) };
        record.get_or_try_init(recorded).await.map(|recorded| recorded.answer.clone())
    }

    /// Forgets the answers of a group: what they told of is no longer so.
    pub(super) fn forget(&self, group: &GroupKey) {
        self.lock()
            .retain(|_, record| record.get().is_none_or(|recorded| recorded.group.as_ref() != Some(group)));
    }

    /// Forgets the answers of a target: what went there past the engine may have changed anything.
    pub(super) fn forget_target(&self, target: &str) {
        self.lock().retain(|_, record| {
            let of_target =
                |recorded: &Recorded| recorded.group.as_ref().is_none_or(|group| group.cloud == target);
            record.get().is_none_or(|recorded| !of_target(recorded))
        });
    }

    fn record(&self, key: [u8; 32]) -> Record {
        let now = Instant::now();
        let mut records = self.lock();
        records.retain(|_, record| match record.get() {
            Some(recorded) => recorded.at + self.window > now,
            None => Arc::strong_count(record) > 1,
        });
        Arc::clone(records.entry(key).or_default())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 32], Record>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
