//! A group by both names.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::resolve::Route;
use crate::{
    model::{Backend, Fault, Field, GroupRef, Port, SubnetId, Target, VpcId},
    store::{Entry, GroupKey},
};

/// A group as the caller names it and as the target does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupPair {
    /// As the caller names it.
    pub here: GroupRef,
    /// As the target names it.
    pub there: GroupRef,
}

impl GroupPair {
    /// The pair of the group that a caller names.
    ///
    /// # Errors
    /// A group that nothing leads from, and a region that nobody knows.
    pub fn of(route: &Route<'_>, here: &GroupRef) -> Result<Self, Fault> {
        let there = route.group(here)?;
        let load_balancer = here.load_balancer.clone().or_else(|| route.balancer_of(here));
        Ok(Self { here: GroupRef { load_balancer, ..here.clone() }, there })
    }

    /// The name under which the store keeps what it keeps of the group.
    #[must_use]
    pub fn key(&self, route: &Route<'_>) -> GroupKey {
        key_of(route, &self.there)
    }

    /// The name under which the store keeps what it keeps of a backend.
    #[must_use]
    pub fn entry(&self, route: &Route<'_>, there: &Backend) -> Entry {
        self.entry_at(route, &there.target, there.port)
    }

    /// The same, by what the backend is.
    #[must_use]
    pub fn entry_at(&self, route: &Route<'_>, target: &Target, port: Port) -> Entry {
        Entry { group: self.key(route), server: identity(route, target), port }
    }
}

/// The group with its load balancer, on clouds where load balancers may have groups of the same id.
pub(super) fn key_of(route: &Route<'_>, there: &GroupRef) -> GroupKey {
    let balancer = there.load_balancer.as_ref().filter(|_| route.there.group.load_balancer.is_some());
    let group = match balancer {
        Some(balancer) => [balancer.as_str(), "/", there.group.as_str()].concat().into(),
        None => there.group.text(),
    };
    GroupKey { cloud: Arc::clone(&route.target.name), group }
}

/// What the target knows a server by: without the address that it has no place for.
pub(super) fn identity(route: &Route<'_>, there: &Target) -> Arc<str> {
    let no_address = route.there.backend.losses().iter().any(|(field, _)| *field == Field::Address);
    match there {
        Target::Resource { id, kind: _, address } if no_address || address.is_none() => id.text(),
        Target::Resource { .. } => there.to_string().into(),
        Target::Address { ip, vpc, subnet, kind: _ } => {
            let vpc = vpc.as_ref().map_or("", VpcId::as_str);
            let subnet = subnet.as_ref().map_or("", SubnetId::as_str);
            format!("{vpc}/{subnet}/{ip}").into()
        }
    }
}
