//! What is about to be done, in words that another process can read: the engine's part of the journal.
//!
//! What one call to the target does alone needs no entry: it is done or it is not. An entry is written before everything
//! that takes several calls, and before a call of which the gateway has to keep a part itself.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::{add::plan::Item, change::Aim, resolve::Route};
use crate::{
    model::{CreateGroup, GroupId},
    store::{GroupKey, Intention, RememberedGroup},
};

/// What is about to be done, and for whom.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Intent {
    /// The language of the client who asked for it.
    pub(super) dialect: String,
    /// The client's key id.
    pub(super) key_id: String,
    /// The target's name in the config.
    pub(super) target: String,
    /// What is to be done.
    pub(super) deed: Deed,
}

/// What is to be done.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Deed {
    /// A group is changed.
    Change(Box<Aim>),
    /// A group is made.
    Make(Box<Making>),
    /// A group that was just made is filled; it is unmade if that fails.
    Fill(Box<Aim>),
}

/// A group that is to be made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Making {
    /// As the caller asked for it.
    pub(super) asked: CreateGroup,
    /// As the target is asked for it.
    pub(super) there: CreateGroup,
    /// The groups that were there before.
    pub(super) before: Vec<GroupId>,
    /// What it is to hold.
    pub(super) items: Vec<Item>,
    /// What the target has no place for.
    pub(super) kept: RememberedGroup,
}

impl Intent {
    /// Something that is to be done on a route.
    pub(super) fn on(route: &Route<'_>, deed: Deed) -> Self {
        let client = route.client;
        Self {
            dialect: client.dialect.clone(),
            key_id: client.credential.key_id.clone(),
            target: route.target.name.clone(),
            deed,
        }
    }
}

/// What was begun and has nobody who works on it: left by an earlier process, or by a request whose target failed for too
/// long.
#[derive(Debug, Default)]
pub(super) struct Open {
    lanes: Mutex<HashMap<GroupKey, Vec<Intention>>>,
    /// Rung when something is left.
    pub(super) bell: Notify,
}

impl Open {
    pub(super) fn leave(&self, intentions: Vec<Intention>) {
        if intentions.is_empty() {
            return;
        }
        let mut lanes = self.lock();
        for intention in intentions {
            let known = lanes.entry(intention.lane.clone()).or_default();
            known.retain(|known| known.id != intention.id);
            known.push(intention);
        }
        self.bell.notify_one();
    }

    pub(super) fn end(&self, intention: &Intention) {
        let mut lanes = self.lock();
        if let Some(known) = lanes.get_mut(&intention.lane) {
            known.retain(|known| known.id != intention.id);
            if known.is_empty() {
                lanes.remove(&intention.lane);
            }
        }
    }

    pub(super) fn in_lane(&self, lane: &GroupKey) -> Vec<Intention> {
        self.lock().get(lane).cloned().unwrap_or_default()
    }

    pub(super) fn all(&self) -> Vec<Intention> {
        self.lock().values().flatten().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<GroupKey, Vec<Intention>>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
