//! Who may write to a group at the same time.
//!
//! A change that may have to be taken back is alone: whoever sees what it has done meanwhile, and counts on it, would be told
//! a success that is gone a moment later. Adds and removals of one backend cannot leave anything half done and share the
//! lane, unless the target takes one change of a group at a time.
//!
//! The line before a lane is bounded in length here, and in time by the request's own. Where several processes share a
//! store, a lane is held through it too: see [`Held`].

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    runtime::Handle,
    sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock},
    time::{Instant, sleep, timeout_at},
};

use crate::store::{GroupKey, Store, Unavailable};

/// Pauses between the tries to take a lane that another process is in: short, then up to this.
const PAUSE: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(80));

/// A lane for every group that somebody is writing to.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    lanes: Mutex<HashMap<GroupKey, Weak<Lane>>>,
}

/// How somebody waits for a turn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// Behind how many at the most.
    pub(super) most: usize,
    /// Until when.
    pub(super) until: Instant,
}

#[derive(Debug, Default)]
struct Lane {
    turn: Arc<RwLock<()>>,
    waiting: AtomicUsize,
}

/// A turn in a lane; the next one's begins when this is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    _held: Option<Held>,
    _guard: Guard,
    _lane: Arc<Lane>,
}

/// With others, or with nobody.
#[derive(Debug)]
enum Guard {
    Shared { _guard: OwnedRwLockReadGuard<()> },
    Alone { _guard: OwnedRwLockWriteGuard<()> },
}

/// A lane that is held against other processes.
#[derive(Debug)]
struct Held {
    store: Arc<dyn Store>,
    lane: GroupKey,
    alone: bool,
}

/// Why there is no turn.
#[derive(Debug)]
pub(super) enum NoTurn {
    /// As many wait as may.
    Full,
    /// It did not come in time.
    Late,
    /// The store that several processes share does not say.
    Unavailable(Unavailable),
}

impl Lanes {
    /// Waits for a turn in this lane, in the order of arrival; then for other processes to leave it.
    ///
    /// # Errors
    /// [`NoTurn`]: nothing is held then.
    pub(super) async fn turn(
        &self,
        store: &Arc<dyn Store>,
        lane: &GroupKey,
        alone: bool,
        patience: Patience,
    ) -> Result<Turn, NoTurn> {
        let (own, Patience { most, until }) = (self.lane(lane), patience);
        let waiting = Waiting::behind(&own, most).ok_or(NoTurn::Full)?;
        let guard = timeout_at(until, own.enter(alone)).await.map_err(|_| NoTurn::Late)?;
        drop(waiting);
        let held = if store.is_shared() { Some(hold(store, lane, alone, until).await?) } else { None };
        Ok(Turn { _held: held, _guard: guard, _lane: own })
    }

    /// A turn in this lane, if nobody is in it and nobody waits.
    pub(super) async fn turn_now(&self, store: &Arc<dyn Store>, lane: &GroupKey) -> Option<Turn> {
        let own = self.lane(lane);
        let guard = Guard::Alone { _guard: Arc::clone(&own.turn).try_write_owned().ok()? };
        let held =
            if store.is_shared() { Some(hold(store, lane, true, Instant::now()).await.ok()?) } else { None };
        Some(Turn { _held: held, _guard: guard, _lane: own })
    }

    fn lane(&self, key: &GroupKey) -> Arc<Lane> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.retain(|_, lane| lane.strong_count() > 0);
        let lane = lanes.entry(key.clone()).or_default();
        lane.upgrade().unwrap_or_else(|| {
            let fresh = Arc::default();
            *lane = Arc::downgrade(&fresh);
            fresh
        })
    }
}

impl Lane {
    async fn enter(&self, alone: bool) -> Guard {
        let turn = Arc::clone(&self.turn);
        if alone {
            Guard::Alone { _guard: turn.write_owned().await }
        } else {
            Guard::Shared { _guard: turn.read_owned().await }
        }
    }
}

/// Takes a lane against other processes. The question is never given up half way: who knows whether it was granted.
async fn hold(
    store: &Arc<dyn Store>,
    lane: &GroupKey,
    alone: bool,
    deadline: Instant,
) -> Result<Held, NoTurn> {
    let (mut pause, longest) = PAUSE;
    while !store.hold(lane, alone).await.map_err(NoTurn::Unavailable)? {
        if Instant::now() + pause > deadline {
            return Err(NoTurn::Late);
        }
        sleep(pause).await;
        pause = longest.min(pause * 2);
    }
    Ok(Held { store: Arc::clone(store), lane: lane.clone(), alone })
}

impl Drop for Held {
    fn drop(&mut self) {
        let (store, lane, alone) = (Arc::clone(&self.store), self.lane.clone(), self.alone);
        // Without a runtime the process ends, and the store gives everything back.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move { store.release(&lane, alone).await });
        }
    }
}

/// A place in the line before a lane.
struct Waiting<'l>(&'l Lane);

impl<'l> Waiting<'l> {
    fn behind(lane: &'l Lane, most: usize) -> Option<Self> {
        let before = lane.waiting.fetch_add(1, Ordering::Relaxed);
        let place = Self(lane);
        (before < most).then_some(place)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}
