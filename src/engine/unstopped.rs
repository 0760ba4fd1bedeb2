//! Work that goes on when whoever asked for it has gone.
//!
//! A task of its own for each request would do that too, and costs two hand-overs between tasks, of which nearly no request
//! has need: its caller waits for the answer.

use std::{
    any::Any,
    panic::AssertUnwindSafe,
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::{FutureExt, TryFutureExt};
use tokio::runtime::Handle;
use tokio_util::task::{TaskTracker, task_tracker::TaskTrackerToken};
use tracing::Instrument;

use crate::dialect::BoxFuture;

/// Work that whoever polls it carries out, and a task of its own from when it is let go of. A panic is its result: what it said.
pub(super) struct Unstopped<T: Send + 'static> {
    work: Option<BoxFuture<'static, Result<T, String>>>,
    tasks: TaskTracker,
    /// Until it ends: who waits for the tasks waits for it too.
    counted: Option<TaskTrackerToken>,
}

impl<T: Send + 'static> Unstopped<T> {
    pub(super) fn new(tasks: &TaskTracker, work: impl Future<Output = T> + Send + 'static) -> Self {
        // What it shares is behind locks that a panic elsewhere does not poison.
        let work = AssertUnwindSafe(work).catch_unwind().map_err(|panic| said_by(&*panic));
        Self { work: Some(Box::pin(work)), tasks: tasks.clone(), counted: Some(tasks.token()) }
    }
}

impl<T: Send + 'static> Future for Unstopped<T> {
    type Output = Result<T, String>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T, String>> {
        let Some(work) = &mut self.work else { return Poll::Pending };
        let ended = work.as_mut().poll(cx);
        if ended.is_ready() {
            (self.work, self.counted) = (None, None);
        }
        ended
    }
}

impl<T: Send + 'static> Drop for Unstopped<T> {
    fn drop(&mut self) {
        // Where the runtime itself has gone there is nobody left to work.
        if let (Some(work), Ok(runtime)) = (self.work.take(), Handle::try_current()) {
            drop(self.tasks.spawn_on(work.in_current_span(), &runtime));
        }
    }
}

/// The words of a panic: one that formats them leaves a `String`, any other the literal.
fn said_by(panic: &(dyn Any + Send)) -> String {
    let literal = || panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let said = panic.downcast_ref::<String>().cloned().or_else(literal);
    said.unwrap_or_else(|| "it does not say why".to_owned())
}

#[cfg(test)]
mod tests {
    use std::{future::pending, time::Duration};

    use futures_util::poll;
    use tokio::{sync::oneshot, time::timeout};

    use super::*;

    #[tokio::test]
    async fn work_that_is_let_go_of_goes_on_and_is_waited_for() {
        let tasks = TaskTracker::new();
        let (say, told) = oneshot::channel();
        let (done, end) = oneshot::channel();
        let mut work = Unstopped::new(&tasks, async move {
            told.await.unwrap();
            done.send("done").unwrap();
        });
        assert!(poll!(&mut work).is_pending());
        tasks.close();
        assert!(timeout(Duration::from_millis(20), tasks.wait()).await.is_err(), "it is at work");
        drop(work);
        assert!(timeout(Duration::from_millis(20), tasks.wait()).await.is_err(), "it still is");
        say.send(()).unwrap();
        tasks.wait().await;
        assert_eq!(end.await, Ok("done"));
    }

    #[tokio::test]
    async fn work_that_has_ended_is_not_waited_for() {
        let tasks = TaskTracker::new();
        let mut work = Unstopped::new(&tasks, async { 7 });
        assert!(matches!(poll!(&mut work), Poll::Ready(Ok(7))));
        tasks.close();
        tasks.wait().await;
        drop(work);
        assert!(tasks.is_empty());
    }

    #[tokio::test]
    async fn a_panic_is_a_result_and_ends_the_work() {
        let tasks = TaskTracker::new();
        let literal = Unstopped::new(&tasks, async {
            assert!(poll!(pending::<()>()).is_ready(), "it is not");
        });
        assert_eq!(literal.await, Err("it is not".to_owned()));
        let formatted = Unstopped::new(&tasks, async {
            let ready = poll!(pending::<()>()).is_ready();
            assert!(ready, "it is {ready}");
        });
        assert_eq!(formatted.await, Err("it is false".to_owned()));
        tasks.close();
        tasks.wait().await;
    }
}
