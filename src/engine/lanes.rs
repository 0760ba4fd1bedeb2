//! Who may write to a group at the same time.
//!
//! A change that may have to be taken back is alone: whoever sees what it has done meanwhile, and counts on it, would be told
//! a success that is gone a moment later. Adds and removals of one backend cannot leave anything half done and share the
//! lane, unless the target takes one change of a group at a time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

/// What a writer holds while it works.
type Lane = RwLock<()>;

/// A lane for every group that somebody is writing to, by cloud and group.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    lanes: Mutex<HashMap<(String, String), Weak<Lane>>>,
}

/// A place in a lane; it is free again when this is dropped.
#[derive(Debug)]
pub(super) enum Turn {
    /// With others.
    Shared { _guard: OwnedRwLockReadGuard<()> },
    /// With nobody.
    Alone { _guard: OwnedRwLockWriteGuard<()> },
}

impl Lanes {
    /// Waits for a turn in this group's lane, in the order of arrival.
    pub(super) async fn turn(&self, cloud: &str, group: &str, alone: bool) -> Turn {
        let lane = self.lane(cloud, group);
        if alone {
            Turn::Alone { _guard: lane.write_owned().await }
        } else {
            Turn::Shared { _guard: lane.read_owned().await }
        }
    }

    fn lane(&self, cloud: &str, group: &str) -> Arc<Lane> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.retain(|_, lane| lane.strong_count() > 0);
        let lane = lanes.entry((cloud.to_owned(), group.to_owned())).or_default();
        lane.upgrade().unwrap_or_else(|| {
            let fresh = Arc::default();
            *lane = Arc::downgrade(&fresh);
            fresh
        })
    }
}
