//! Which thing here is which thing there.

use crate::model::{GroupRef, Kind, Target};

/// The resource map: one row per group or server, one column per cloud.
#[derive(Debug, Clone, Default)]
pub struct ResourceMap {}

/// What one cloud calls a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerColumn {
    /// The server, interface, container or address.
    pub target: Target,
    /// The kind, where the row names one; else the kind of `target` is only a stand-in and the caller's counts.
    pub kind: Option<Kind>,
}

impl ResourceMap {
    /// The group of the cloud `to` in the row in which the cloud `from` has `group`. A load balancer that the request
    /// names has to be the row's.
    #[must_use]
    pub fn group(&self, _from: &str, _group: &GroupRef, _to: &str) -> Option<&GroupRef> {
        None
    }

    /// The server of the cloud `to` in the row in which the cloud `from` has `target`.
    #[must_use]
    pub fn server(&self, _from: &str, _target: &Target, _to: &str) -> Option<&ServerColumn> {
        None
    }

    /// Every group that a cloud has a column for.
    pub fn groups_of(&self, _cloud: &str) -> impl Iterator<Item = &GroupRef> {
        std::iter::empty()
    }

    /// Every server that a cloud has a column for.
    pub fn servers_of(&self, _cloud: &str) -> impl Iterator<Item = &ServerColumn> {
        std::iter::empty()
    }
}
