//! Where a store is.

use std::{fmt, path::PathBuf, sync::Arc};

use jiff::Timestamp;

use super::{Disk, Memory, Sql, Store, Unavailable, sql::is_in_use};
use crate::crypto::Secret;

/// Where a store is. `Debug` and `Display` leave out what an address may hold of a password.
#[derive(Clone)]
pub enum StoreAt {
    /// In the memory of the process.
    Memory,
    /// In this file and beside it, of this process alone.
    Sqlite(PathBuf),
    /// In PostgreSQL, at this URL: for several replicas.
    Postgres(Secret),
}

impl StoreAt {
    /// The store there. A store that cannot be reached yet is opened when it can: see [`Store::tend`].
    #[must_use]
    pub fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Memory => Arc::new(Memory::new()),
            Self::Sqlite(path) => Arc::new(Disk::at(path)),
            Self::Postgres(url) => Arc::new(Sql::in_postgres(url)),
        }
    }

    /// Whether another config means the same place.
    #[must_use]
    pub fn is_at(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Memory, Self::Memory) => true,
            (Self::Sqlite(path), Self::Sqlite(other)) => path == other,
            (Self::Postgres(url), Self::Postgres(other)) => url.is(other.expose()),
            (Self::Memory | Self::Sqlite(_) | Self::Postgres(_), _) => false,
        }
    }

    /// Opens the store as a gateway would, and lets it go. A file that a running gateway has is left to it.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub async fn try_out(&self) -> Result<(), Unavailable> {
        if let Self::Sqlite(path) = self
            && is_in_use(path)
        {
            return Ok(());
        }
        let store = self.store();
        // At that time nothing in it is out of date.
        store.tend(Timestamp::UNIX_EPOCH).await;
        store.trouble().map_or(Ok(()), |trouble| Err(Unavailable(trouble)))
    }
}

impl fmt::Display for StoreAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory"),
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(_) => f.write_str("postgres://…"),
        }
    }
}

impl fmt::Debug for StoreAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
