//! The threads that connections are served on.
//!
//! Each has a runtime of its own, and a connection stays with one: its request, the calls made for it and its reply wake no
//! other thread. A runtime that shares its tasks among threads gains where they are long; here they are short. A bare proxy on
//! hyper cost 1.4 to 1.7 times what nginx did over 8 connections on such a one, and 1.0 to 1.1 times on these
//! (`cargo bench --bench gateway -- load`).

use std::{
    fmt, io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use tokio::runtime::{Builder, Handle};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Runtimes that take turns. They end when the last clone is dropped.
#[derive(Clone)]
pub struct Workers {
    runtimes: Arc<[Handle]>,
    next: Arc<AtomicUsize>,
    _end: Option<Arc<DropGuard>>,
}

impl Workers {
    /// The runtime of whoever serves, and no other.
    #[must_use]
    pub fn here() -> Self {
        Self { runtimes: Arc::new([]), next: Arc::default(), _end: None }
    }

    /// So many threads, each with a runtime.
    ///
    /// # Errors
    /// What the system says when it has no thread to give.
    pub fn threads(count: usize) -> io::Result<Self> {
        let end = CancellationToken::new();
        let mut runtimes = Vec::new();
        for number in 0..count {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            runtimes.push(runtime.handle().clone());
            let ended = end.clone();
            let name = format!("worker-{number}");
            thread::Builder::new().name(name).spawn(move || runtime.block_on(ended.cancelled()))?;
        }
        let end = Some(Arc::new(end.drop_guard()));
        Ok(Self { runtimes: runtimes.into(), next: Arc::default(), _end: end })
    }

    /// Whose turn it is; nobody's but the caller's where there are no threads.
    pub(super) fn next(&self) -> Option<&Handle> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        self.runtimes.get(turn.checked_rem(self.runtimes.len())?)
    }
}

impl fmt::Debug for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workers").field("threads", &self.runtimes.len()).finish_non_exhaustive()
    }
}
