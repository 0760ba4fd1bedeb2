//! Gates: changes are stopped on their way, so that something can be done at that very moment, such as to kill whoever
//! asked for them.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::watch;

use crate::model::{Fault, FaultKind, Operation};

/// Where on its way a change is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// It has arrived, and is not carried out yet.
    Before,
    /// It is carried out, and not answered yet.
    After,
}

/// Where a gate stops a change, if it does: told the number of the change, from 1, and the change itself.
type Stops = dyn Fn(usize, &Operation) -> Option<Side> + Send + Sync;

/// A gate in the way of changes. What it stops stands there until it is opened or shut.
pub struct Gate {
    stops: Box<Stops>,
    seen: AtomicUsize,
    lets_by: AtomicBool,
    standing: watch::Sender<usize>,
    door: watch::Sender<Door>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    Closed,
    Open,
    Shut,
}

impl Gate {
    /// One that stops changes where `stops` says. They are counted from when it is put up.
    #[must_use]
    pub fn new(stops: impl Fn(usize, &Operation) -> Option<Side> + Send + Sync + 'static) -> Self {
        let (standing, door) = (watch::Sender::new(0), watch::Sender::new(Door::Closed));
        Self {
            stops: Box::new(stops),
            seen: AtomicUsize::new(0),
            lets_by: AtomicBool::new(false),
            standing,
            door,
        }
    }

    /// Waits until so many changes have come to it.
    pub async fn reached(&self, count: usize) {
        let mut standing = self.standing.subscribe();
        // The sender is this gate's own, and so never gone.
        let _lasting = standing.wait_for(|standing| *standing >= count).await;
    }

    /// Stops nothing any more; what stands there stays.
    pub fn let_by(&self) {
        self.lets_by.store(true, Ordering::Relaxed);
    }

    /// Lets go on what stands there.
    pub fn open(&self) {
        self.door.send_replace(Door::Open);
    }

    /// Turns away what stands there: what was not carried out never is.
    pub fn shut(&self) {
        self.door.send_replace(Door::Shut);
    }

    /// Where it stops this change, which is the next one.
    pub(super) fn stops(&self, change: &Operation) -> Option<Side> {
        let number = self.seen.fetch_add(1, Ordering::Relaxed) + 1;
        (self.stops)(number, change).filter(|_| !self.lets_by.load(Ordering::Relaxed))
    }

    /// Comes to it, and goes on when it lets go.
    pub(super) async fn pass(&self) -> Result<(), Fault> {
        self.standing.send_modify(|standing| *standing += 1);
        let mut door = self.door.subscribe();
        let is_open = door.wait_for(|door| *door != Door::Closed).await.is_ok_and(|door| *door == Door::Open);
        if is_open {
            return Ok(());
        }
        Err(Fault::new(FaultKind::TargetFailed, "it was turned away at a gate"))
    }
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate").field("door", &*self.door.borrow()).finish_non_exhaustive()
    }
}
