//! An identical add inside a short window gets the recorded answer, where the signature cannot tell a repeat from a
//! replay: several SDKs send an add again that has already succeeded.

use std::{
    collections::HashMap,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::OnceCell, time::Instant};

use crate::{dialect::Answer, model::Fault};

/// An answer and when it was recorded; empty while the first request is still at work.
type Record = Arc<OnceCell<(Answer, Instant)>>;

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

    /// The recorded answer of `key`, or what `run` answers. A repeat waits for the first to end; a failure is not
    /// recorded, so a repeat of one tries again.
    pub(super) async fn once<F>(&self, key: [u8; 32], run: impl FnOnce() -> F) -> Result<Answer, Fault>
    where
        F: Future<Output = Result<Answer, Fault>>,
    {
        let record = self.record(key);
        let stamped = || async { run().await.map(|answer| (answer, Instant::now())) };
        record.get_or_try_init(stamped).await.map(|(answer, _)| answer.clone())
    }

    fn record(&self, key: [u8; 32]) -> Record {
        let now = Instant::now();
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        records.retain(|_, record| match record.get() {
            Some((_, recorded)) => *recorded + self.window > now,
            None => Arc::strong_count(record) > 1,
        });
        Arc::clone(records.entry(key).or_default())
    }
}
