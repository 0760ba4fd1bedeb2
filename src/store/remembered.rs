//! What targets could not hold, and is given back on reads.

use std::collections::HashMap;

use crate::model::{Backend, BackendId, Listener, ListenerOption, LoadBalancerId, Port, Traffic, Weight};

/// Names one group of one target.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GroupKey {
    /// The target's name in the config.
    pub cloud: String,
    /// The group there, with its load balancer.
    pub group: String,
}

/// Names one backend of one group of one target.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Entry {
    /// The group.
    pub group: GroupKey,
    /// What the target knows the backend's server by.
    pub server: String,
    /// Its port.
    pub port: Port,
}

/// What the target had no place for of a backend.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Remembered {
    /// A person's words.
    pub description: Option<String>,
    /// The weight of a disabled backend.
    pub weight: Option<Weight>,
    /// Whether it only serves when the others do not.
    pub standby: bool,
    /// The id that its caller knows it by, where a read would make another one of it: its port has changed since, or the
    /// target chose an address for it, or the plain id was another's.
    pub id: Option<BackendId>,
    /// Which of several it was that were added at once: the target may list them in another order.
    pub rank: Option<Rank>,
}

/// The place of a backend among those that one request has added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rank {
    /// The request, by its id.
    pub request: String,
    /// The place, from 0.
    pub place: usize,
}

/// What the target had no place for of a group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RememberedGroup {
    /// The listener that the caller takes the group for.
    pub listener: Option<Listener>,
    /// Its further settings.
    pub options: Vec<ListenerOption>,
    /// Its name, where the target has only a shorter one.
    pub name: Option<String>,
    /// The caller's load balancer on which it was made: several of them may stand for one of the target's.
    pub load_balancer: Option<LoadBalancerId>,
}

/// Everything that is kept of groups and backends.
#[derive(Debug, Default)]
pub(super) struct Kept {
    backends: HashMap<Entry, Remembered>,
    /// By the target and the id that a caller has for it.
    owners: HashMap<(String, BackendId), Entry>,
    groups: HashMap<GroupKey, RememberedGroup>,
}

impl Remembered {
    /// What is kept, laid over what the target says.
    #[must_use]
    pub fn over(&self, mut backend: Backend) -> Backend {
        backend.description = backend.description.or_else(|| self.description.clone());
        backend.standby |= self.standby;
        if let (Traffic::Off(None), Some(weight)) = (backend.traffic, self.weight) {
            backend.traffic = Traffic::Off(Some(weight));
        }
        backend
    }
}

impl Kept {
    pub(super) fn remember(&mut self, entry: Entry, remembered: Remembered) {
        let old = self.backends.remove(&entry);
        if let Some(id) = old.and_then(|old| old.id) {
            let key = (entry.group.cloud.clone(), id);
            // The id may have gone on to another port by now.
            if self.owners.get(&key) == Some(&entry) {
                self.owners.remove(&key);
            }
        }
        if let Some(id) = &remembered.id {
            self.owners.insert((entry.group.cloud.clone(), id.clone()), entry.clone());
        }
        if remembered != Remembered::default() {
            self.backends.insert(entry, remembered);
        }
    }

    pub(super) fn remembered(&self, entry: &Entry) -> Remembered {
        self.backends.get(entry).cloned().unwrap_or_default()
    }

    pub(super) fn owner(&self, cloud: &str, id: &BackendId) -> Option<Entry> {
        self.owners.get(&(cloud.to_owned(), id.clone())).cloned()
    }

    pub(super) fn remember_group(&mut self, group: GroupKey, remembered: RememberedGroup) {
        if remembered == RememberedGroup::default() {
            self.groups.remove(&group);
        } else {
            self.groups.insert(group, remembered);
        }
    }

    pub(super) fn remembered_group(&self, group: &GroupKey) -> RememberedGroup {
        self.groups.get(group).cloned().unwrap_or_default()
    }

    pub(super) fn forget_group(&mut self, group: &GroupKey) {
        self.groups.remove(group);
        self.backends.retain(|entry, _| entry.group != *group);
        self.owners.retain(|_, entry| entry.group != *group);
    }
}
