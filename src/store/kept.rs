//! What is kept, as one process sees it: read all the time, filled from a store.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{Entry, GroupKey, Keepsake, Remembered, RememberedGroup};
use crate::model::BackendId;

/// What targets could not hold, by group and backend.
#[derive(Debug, Default)]
pub struct Kept {
    rows: Mutex<Rows>,
    questions: AtomicU64,
}

/// The place of a look into a store among all of them: answers may come in another order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Question(u64);

#[derive(Debug, Default)]
struct Rows {
    backends: HashMap<Entry, Remembered>,
    /// By the target and the id that a caller has for it.
    owners: HashMap<(Arc<str>, BackendId), Entry>,
    groups: HashMap<GroupKey, RememberedGroup>,
    /// The last look at everything, and at single groups.
    last: Question,
    last_of: HashMap<GroupKey, Question>,
}

impl Kept {
    /// What is kept of a backend.
    #[must_use]
    pub fn remembered(&self, entry: &Entry) -> Remembered {
        self.lock().backends.get(entry).cloned().unwrap_or_default()
    }

    /// The backend that has been given this id, where that is not the one that the id itself says.
    #[must_use]
    pub fn owner(&self, cloud: &Arc<str>, id: &BackendId) -> Option<Entry> {
        self.lock().owners.get(&(Arc::clone(cloud), id.clone())).cloned()
    }

    /// What is kept of a group.
    #[must_use]
    pub fn remembered_group(&self, group: &GroupKey) -> RememberedGroup {
        self.lock().groups.get(group).cloned().unwrap_or_default()
    }

    /// Takes over what a store keeps; whether that says anything new. Nothing to keep forgets what was kept.
    pub fn keep(&self, keepsake: &Keepsake) -> bool {
        let mut rows = self.lock();
        match keepsake {
            Keepsake::Backend(entry, remembered) => rows.keep(entry, remembered),
            Keepsake::Group(group, remembered) => rows.keep_group(group, remembered),
        }
    }

    /// Forgets a group that is gone, and its backends.
    pub fn forget_group(&self, group: &GroupKey) {
        self.lock().forget_group(group);
    }

    /// To be called before a store is looked into, for [`fill`](Self::fill).
    pub fn ask(&self) -> Question {
        Question(self.questions.fetch_add(1, Ordering::Relaxed))
    }

    /// Takes over all that a store keeps: of everything, or of one group. Nothing is taken over in place of what a later
    /// look has found.
    pub fn fill(&self, asked: Question, group: Option<&GroupKey>, keepsakes: &[Keepsake]) {
        let mut rows = self.lock();
        if !rows.begin_to_fill(asked, group) {
            return;
        }
        for keepsake in keepsakes {
            match keepsake {
                known if rows.is_older(asked, known.group()) => {}
                Keepsake::Backend(entry, remembered) => drop(rows.keep(entry, remembered)),
                Keepsake::Group(group, remembered) => drop(rows.keep_group(group, remembered)),
            }
        }
    }

    /// A panic elsewhere leaves at the worst an id without its backend, which is told as unknown.
    fn lock(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rows {
    fn keep(&mut self, entry: &Entry, remembered: &Remembered) -> bool {
        let old = self.backends.remove(entry);
        let is_new = old.as_ref().unwrap_or(&Remembered::default()) != remembered;
        if let Some(id) = old.and_then(|old| old.id) {
            let key = (Arc::clone(&entry.group.cloud), id);
            // The id may have gone on to another port by now.
            if self.owners.get(&key) == Some(entry) {
                self.owners.remove(&key);
            }
        }
        if let Some(id) = &remembered.id {
            self.owners.insert((Arc::clone(&entry.group.cloud), id.clone()), entry.clone());
        }
        if *remembered != Remembered::default() {
            self.backends.insert(entry.clone(), remembered.clone());
        }
        is_new
    }

    fn keep_group(&mut self, group: &GroupKey, remembered: &RememberedGroup) -> bool {
        let old = self.groups.remove(group).unwrap_or_default();
        if *remembered != RememberedGroup::default() {
            self.groups.insert(group.clone(), remembered.clone());
        }
        old != *remembered
    }

    /// Forgets what an answer tells anew. Whether it is to be taken over.
    fn begin_to_fill(&mut self, asked: Question, group: Option<&GroupKey>) -> bool {
        match group {
            Some(group) if self.is_older(asked, group) => return false,
            Some(group) => {
                self.forget_group(group);
                self.last_of.insert(group.clone(), asked);
            }
            None if asked < self.last => return false,
            None => {
                self.last = asked;
                self.last_of.retain(|_, last| *last > asked);
                let later = &self.last_of;
                self.groups.retain(|group, _| later.contains_key(group));
                self.backends.retain(|entry, _| later.contains_key(&entry.group));
                self.owners.retain(|_, entry| later.contains_key(&entry.group));
            }
        }
        true
    }

    /// Whether a later look has told of this group.
    fn is_older(&self, asked: Question, group: &GroupKey) -> bool {
        asked < self.last || self.last_of.get(group).is_some_and(|last| asked < *last)
    }

    fn forget_group(&mut self, group: &GroupKey) {
        self.groups.remove(group);
        self.backends.retain(|entry, _| entry.group != *group);
        self.owners.retain(|_, entry| entry.group != *group);
    }
}
