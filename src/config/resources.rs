//! Which thing here is which thing there.

use std::collections::HashMap;

use super::rows::{self, Row};
use crate::{
    mapping::{Diagnostic, SourceText, Tables},
    model::{GroupId, GroupRef, Kind, Target},
};

/// The resource map: one row per group or server, one column per cloud.
#[derive(Debug, Clone, Default)]
pub struct ResourceMap {
    groups: Vec<Row<GroupRef>>,
    servers: Vec<Row<ServerColumn>>,
    index: HashMap<String, Index>,
}

/// What one cloud calls a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerColumn {
    /// The server, interface, container or address.
    pub target: Target,
    /// The kind, where the row names one; else the kind of `target` is only a stand-in and the caller's counts.
    pub kind: Option<Kind>,
}

/// Where the things of one cloud are.
#[derive(Debug, Clone, Default)]
struct Index {
    /// Load balancers may have groups of the same id.
    groups: HashMap<GroupId, Vec<usize>>,
    servers: HashMap<Target, usize>,
}

impl ResourceMap {
    /// Reads a resource map over the clouds of `tables`, and what is to be looked at in it.
    ///
    /// # Errors
    /// Every problem of the file, and what would have been to be looked at.
    pub fn read(source: &SourceText, tables: &Tables) -> Result<(Self, Vec<Diagnostic>), Vec<Diagnostic>> {
        let ((groups, servers), warnings) = rows::read(source, tables)?;
        Ok((Self::new(groups, servers), warnings))
    }

    /// The group of the cloud `to` in the row in which the cloud `from` has `group`. A load balancer that the request
    /// names has to be the row's; without one, a group id that several load balancers have stands for none.
    #[must_use]
    pub fn group(&self, from: &str, group: &GroupRef, to: &str) -> Option<&GroupRef> {
        let places = self.index.get(from)?.groups.get(&group.group)?;
        let rows = places.iter().filter_map(|place| self.groups.get(*place));
        let mut fitting = rows.filter(|row| row.get(from).is_some_and(|own| may_be(own, group)));
        match (fitting.next(), fitting.next()) {
            (Some(only), None) => only.get(to),
            (Some(_), Some(_)) | (None, _) => None,
        }
    }

    /// The server of the cloud `to` in the row in which the cloud `from` has `target`. A row that names no address of
    /// an interface stands for all of them.
    #[must_use]
    pub fn server(&self, from: &str, target: &Target, to: &str) -> Option<&ServerColumn> {
        let servers = &self.index.get(from)?.servers;
        let place = servers.get(&identity(target)).or_else(|| servers.get(&without_address(target)?))?;
        self.servers.get(*place)?.get(to)
    }

    /// Every group that a cloud has a column for.
    pub fn groups_of(&self, cloud: &str) -> impl Iterator<Item = &GroupRef> {
        self.groups.iter().filter_map(move |row| row.get(cloud))
    }

    /// Every server that a cloud has a column for.
    pub fn servers_of(&self, cloud: &str) -> impl Iterator<Item = &ServerColumn> {
        self.servers.iter().filter_map(move |row| row.get(cloud))
    }

    fn new(groups: Vec<Row<GroupRef>>, servers: Vec<Row<ServerColumn>>) -> Self {
        let mut index: HashMap<String, Index> = HashMap::new();
        for (place, row) in groups.iter().enumerate() {
            for (cloud, own) in row {
                let groups = &mut index.entry(cloud.clone()).or_default().groups;
                groups.entry(own.group.clone()).or_default().push(place);
            }
        }
        for (place, row) in servers.iter().enumerate() {
            for (cloud, own) in row {
                let servers = &mut index.entry(cloud.clone()).or_default().servers;
                servers.insert(identity(&own.target), place);
            }
        }
        Self { groups, servers, index }
    }
}

/// A target without its kind: a row and a request may name different ones for the same thing.
pub(super) fn identity(target: &Target) -> Target {
    let mut identity = target.clone();
    match &mut identity {
        Target::Resource { kind, .. } => *kind = Kind::Instance,
        Target::Address { kind, .. } => *kind = Kind::Address,
    }
    identity
}

fn without_address(target: &Target) -> Option<Target> {
    match target {
        Target::Resource { id, address: Some(_), kind: _ } => {
            Some(Target::Resource { kind: Kind::Instance, id: id.clone(), address: None })
        }
        Target::Resource { address: None, .. } | Target::Address { .. } => None,
    }
}

fn may_be(own: &GroupRef, asked: &GroupRef) -> bool {
    match (&own.load_balancer, &asked.load_balancer) {
        (Some(own), Some(asked)) => own == asked,
        (None, _) | (_, None) => true,
    }
}
