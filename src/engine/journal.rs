//! What is about to be done, in words that another process can read: the engine's part of the journal.
//!
//! What one call to the target does alone needs no entry: it is done or it is not. An entry is written before everything
//! that takes several calls, and before a call of which the gateway has to keep a part itself.

use std::{
    collections::HashMap,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};
use tokio::{sync::Notify, time::Instant};

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
            target: route.target.name.to_string(),
            deed,
        }
    }
}

/// What was begun and has nobody who works on it: left by an earlier process, or by a request whose target failed for too
/// long.
#[derive(Debug, Default)]
pub(super) struct Open {
    lanes: Mutex<HashMap<GroupKey, Vec<Left>>>,
    /// Ids of entries that stand in the journal or do not: the store has not said. Nothing was begun.
    unheard: Mutex<Vec<String>>,
    /// Rung when something is left.
    pub(super) bell: Notify,
}

/// An entry of the journal that nobody works on.
#[derive(Debug, Clone)]
pub(super) struct Left {
    pub(super) intention: Intention,
    /// Of one that is put right, and whose target may still show a part of it late: until when that is looked for. Nobody
    /// waits for it, and the next change of the group ends it.
    pub(super) watched: Option<Instant>,
}

impl Open {
    pub(super) fn leave(&self, intentions: Vec<Intention>) {
        for intention in intentions {
            self.put(Left { intention, watched: None });
            self.bell.notify_one();
        }
    }

    /// Leaves entries that may stand in the journal, though nothing was begun.
    pub(super) fn leave_unheard(&self, ids: Vec<String>) {
        self.unheard.lock().unwrap_or_else(PoisonError::into_inner).extend(ids);
        self.bell.notify_one();
    }

    pub(super) fn take_unheard(&self) -> Vec<String> {
        mem::take(&mut *self.unheard.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Goes on looking at what is put right.
    pub(super) fn watch(&self, intention: Intention, until: Instant) {
        if !self.put(Left { intention, watched: Some(until) }) {
            self.bell.notify_one();
        }
    }

    /// Takes one in; whether it was watched before.
    fn put(&self, left: Left) -> bool {
        let mut lanes = self.lock();
        let known = lanes.entry(left.intention.lane.clone()).or_default();
        let same = |known: &Left| known.intention.id == left.intention.id;
        let watched = known.iter().any(|known| same(known) && known.watched.is_some());
        known.retain(|known| !same(known));
        known.push(left);
        watched
    }

    pub(super) fn end(&self, intention: &Intention) {
        self.take(&intention.lane, |left| left.intention.id == intention.id);
    }

    /// Ends every watch in a lane: what is written there now is not to be taken for what is watched for.
    pub(super) fn end_watches(&self, lane: &GroupKey) -> Vec<Intention> {
        self.take(lane, |left| left.watched.is_some())
    }

    fn take(&self, lane: &GroupKey, wanted: impl Fn(&Left) -> bool) -> Vec<Intention> {
        let mut lanes = self.lock();
        let Some(known) = lanes.get_mut(lane) else { return Vec::new() };
        let taken = known.extract_if(.., |left| wanted(left)).map(|left| left.intention).collect();
        if known.is_empty() {
            lanes.remove(lane);
        }
        taken
    }

    pub(super) fn in_lane(&self, lane: &GroupKey) -> Vec<Left> {
        self.lock().get(lane).cloned().unwrap_or_default()
    }

    pub(super) fn all(&self) -> Vec<Left> {
        self.lock().values().flatten().cloned().collect()
    }

    pub(super) fn len(&self) -> usize {
        self.lock().values().map(Vec::len).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<GroupKey, Vec<Left>>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
