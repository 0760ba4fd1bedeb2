//! One writer at a time into a group that takes no more, in the order of arrival.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use tokio::sync::OwnedMutexGuard;

/// What a writer holds while it works.
type Lane = tokio::sync::Mutex<()>;

/// A lane for every group that somebody is writing to, by cloud and group.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    lanes: Mutex<HashMap<(String, String), Weak<Lane>>>,
}

impl Lanes {
    /// Waits for this group's turn; the lane is free again when what is returned is dropped.
    pub(super) async fn turn(&self, cloud: &str, group: &str) -> OwnedMutexGuard<()> {
        self.lane(cloud, group).lock_owned().await
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
