//! What targets could not hold, and is given back on reads.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::{Backend, BackendId, Listener, ListenerOption, LoadBalancerId, Port, Traffic, Weight};

/// Names one group of one target. A copy shares the texts: one request has several.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GroupKey {
    /// The target's name in the config.
    pub cloud: Arc<str>,
    /// The group there, with its load balancer.
    pub group: Arc<str>,
}

/// Names one backend of one group of one target.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Entry {
    /// The group.
    pub group: GroupKey,
    /// What the target knows the backend's server by.
    pub server: Arc<str>,
    /// Its port.
    pub port: Port,
}

/// What the target had no place for of a backend.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rank {
    /// The request, by its id.
    pub request: String,
    /// The place, from 0.
    pub place: usize,
}

/// What the target had no place for of a group.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
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
