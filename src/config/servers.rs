//! The servers of a resource map, by what each cloud calls them.
//!
//! A million rows of values with allocations of their own took 1.8 GB, and 2.9 s to drop when a reload had replaced them.
//! So the texts of a cloud stand in one, and the index holds places instead of keys.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher, RandomState},
    net::IpAddr,
};

use hashbrown::HashTable;

use crate::model::{Kind, ResourceId, SubnetId, Target, VpcId};

/// What one cloud calls a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerColumn {
    /// The server, interface, container or address.
    pub target: Target,
    /// The kind, where the row names one; else the kind of `target` is only a stand-in and the caller's counts.
    pub kind: Option<Kind>,
}

/// The servers of every row.
#[derive(Debug, Clone, Default)]
pub(super) struct Servers {
    rows: usize,
    clouds: BTreeMap<String, Column>,
}

impl Servers {
    /// Adds a row, into which the next columns go.
    pub(super) fn add_row(&mut self) {
        self.rows += 1;
    }

    /// Puts what `cloud` calls the server of the last row, and tells that row's place.
    ///
    /// # Errors
    /// The place of the row that has it already.
    pub(super) fn put(&mut self, cloud: &str, server: &ServerColumn) -> Result<usize, usize> {
        let row = self.rows.saturating_sub(1);
        match self.clouds.get_mut(cloud) {
            Some(column) => column.put(row, server),
            None => self.clouds.entry(cloud.to_owned()).or_default().put(row, server),
        }
        .map(|()| row)
    }

    /// Gives back the room that was kept for further rows.
    pub(super) fn close(&mut self) {
        for column in self.clouds.values_mut() {
            column.cells.text.shrink_to_fit();
            column.cells.rows.shrink_to_fit();
        }
    }

    /// The server of the cloud `to` in the row in which the cloud `from` has `target`.
    pub(super) fn beside(&self, from: &str, target: &Target, to: &str) -> Option<ServerColumn> {
        let row = self.clouds.get(from)?.row_of(target)?;
        self.clouds.get(to)?.cells.server(row)
    }

    /// Every server that a cloud has a column for.
    pub(super) fn of(&self, cloud: &str) -> impl Iterator<Item = ServerColumn> {
        let cells = self.clouds.get(cloud).map(|column| &column.cells);
        cells.into_iter().flat_map(|cells| (0..cells.rows.len()).filter_map(|row| cells.server(row)))
    }
}

/// What one cloud calls the servers.
#[derive(Debug, Clone, Default)]
struct Column {
    cells: Cells,
    hasher: RandomState,
    /// Rows by what they are about, each with its hash: a table that grows would have to look at every row for it.
    index: HashTable<(u64, usize)>,
    /// Rows of addresses, by the address alone.
    addresses: HashTable<(u64, usize)>,
}

impl Column {
    fn put(&mut self, row: usize, server: &ServerColumn) -> Result<(), usize> {
        let identity = Identity::of(&server.target);
        if let Some(first) = self.exact(identity) {
            return Err(first);
        }
        self.cells.put(row, server);
        let hash = self.hasher.hash_one(identity);
        self.index.insert_unique(hash, (hash, row), |(hash, _)| *hash);
        if let Target::Address { ip, .. } = server.target {
            let hash = self.hasher.hash_one(ip);
            self.addresses.insert_unique(hash, (hash, row), |(hash, _)| *hash);
        }
        Ok(())
    }

    /// The row of a server. One that names no address of an interface stands for all of them.
    fn row_of(&self, target: &Target) -> Option<usize> {
        let any_address = || match target {
            Target::Resource { id, address: Some(_), kind: _ } => {
                self.exact(Identity::Resource(id.as_str(), None))
            }
            Target::Resource { address: None, .. } | Target::Address { .. } => None,
        };
        let exact = self.exact(Identity::of(target));
        exact.or_else(any_address).or_else(|| self.untold_network(target))
    }

    fn exact(&self, identity: Identity<'_>) -> Option<usize> {
        let wanted = self.hasher.hash_one(identity);
        let is = |(hash, row): &(u64, usize)| *hash == wanted && self.cells.identity(*row) == Some(identity);
        self.index.find(wanted, is).map(|(_, row)| *row)
    }

    /// The one row of an address whose network is not told.
    fn untold_network(&self, target: &Target) -> Option<usize> {
        let (Target::Address { ip, vpc: None, .. } | Target::Address { ip, subnet: None, .. }) = target
        else {
            return None;
        };
        let alike = self.addresses.iter_hash(self.hasher.hash_one(ip)).map(|(_, row)| *row);
        // The hash of another address may look the same.
        let fits = |row: &usize| {
            self.cells.address(*row) == Some(*ip)
                && self.cells.server(*row).is_some_and(|own| own.target.same_as(target))
        };
        let mut rows = alike.filter(fits);
        match (rows.next(), rows.next()) {
            (Some(row), None) => Some(row),
            (Some(_), Some(_)) | (None, _) => None,
        }
    }
}

/// A column's cells, by the place of the row.
#[derive(Debug, Clone, Default)]
struct Cells {
    rows: Vec<Option<Cell>>,
    text: String,
}

/// One cell. Its kind says which form the server has.
#[derive(Debug, Clone, Copy)]
struct Cell {
    kind: Kind,
    named_kind: Option<Kind>,
    ip: Option<IpAddr>,
    /// Where its texts begin, and how long they are: the id, or network and subnet. No text is one that is not there.
    at: usize,
    lengths: (usize, usize),
}

impl Cells {
    fn put(&mut self, row: usize, server: &ServerColumn) {
        let (kind, ip, first, second) = match &server.target {
            Target::Resource { kind, id, address } => (*kind, *address, id.as_str(), ""),
            Target::Address { kind, ip, vpc, subnet } => {
                let (vpc, subnet) = (vpc.as_ref().map(VpcId::as_str), subnet.as_ref().map(SubnetId::as_str));
                (*kind, Some(*ip), vpc.unwrap_or_default(), subnet.unwrap_or_default())
            }
        };
        let (at, lengths) = (self.text.len(), (first.len(), second.len()));
        self.text.push_str(first);
        self.text.push_str(second);
        self.rows.resize(row, None);
        self.rows.push(Some(Cell { kind, named_kind: server.kind, ip, at, lengths }));
    }

    fn cell(&self, row: usize) -> Option<Cell> {
        *self.rows.get(row)?
    }

    fn texts(&self, Cell { at, lengths: (first, second), .. }: Cell) -> (&str, &str) {
        let text = |from: usize, length: usize| self.text.get(from..from + length).unwrap_or_default();
        (text(at, first), text(at + first, second))
    }

    fn server(&self, row: usize) -> Option<ServerColumn> {
        let cell = self.cell(row)?;
        let (first, second) = self.texts(cell);
        let Cell { kind, named_kind, ip, .. } = cell;
        let target = if kind.is_address() {
            Target::Address { kind, ip: ip?, vpc: VpcId::new(first), subnet: SubnetId::new(second) }
        } else {
            Target::Resource { kind, id: ResourceId::new(first)?, address: ip }
        };
        Some(ServerColumn { target, kind: named_kind })
    }

    fn identity(&self, row: usize) -> Option<Identity<'_>> {
        let cell = self.cell(row)?;
        let (first, second) = self.texts(cell);
        Some(if cell.kind.is_address() {
            Identity::Address(cell.ip?, first, second)
        } else {
            Identity::Resource(first, cell.ip)
        })
    }

    /// The address of a row that is about one.
    fn address(&self, row: usize) -> Option<IpAddr> {
        let cell = self.cell(row)?;
        cell.ip.filter(|_| cell.kind.is_address())
    }
}

/// A target without its kind: a row and a request may name different ones for the same thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Identity<'t> {
    Resource(&'t str, Option<IpAddr>),
    Address(IpAddr, &'t str, &'t str),
}

impl<'t> Identity<'t> {
    fn of(target: &'t Target) -> Self {
        match target {
            Target::Resource { id, address, kind: _ } => Self::Resource(id.as_str(), *address),
            Target::Address { ip, vpc, subnet, kind: _ } => {
                let (vpc, subnet) = (vpc.as_ref().map(VpcId::as_str), subnet.as_ref().map(SubnetId::as_str));
                Self::Address(*ip, vpc.unwrap_or_default(), subnet.unwrap_or_default())
            }
        }
    }
}
