//! Floor 2: what has to be known again after a stop, a kill, or by another replica: nonces that were used, what a target
//! could not hold, answers that may be asked for once more, and the journal of what is being changed at a target.
//!
//! [`Store`] is the seam. [`Memory`] forgets with the process; [`Sql`] keeps it in a database, with one schema and one code
//! path for PostgreSQL and SQLite; [`Disk`] keeps beside a SQLite file what comes with every request. What the engine reads all
//! the time it reads from [`Kept`], a view that is filled from the store.

mod disk;
mod forgotten;
mod kept;
mod location;
mod memory;
mod nonces;
mod remembered;
mod sql;
#[cfg(test)]
mod tests;

use std::{fmt, time::Duration};

use futures_util::future::BoxFuture;
use jiff::Timestamp;

pub use self::{
    disk::Disk,
    kept::{Kept, Question},
    location::StoreAt,
    memory::Memory,
    remembered::{Entry, GroupKey, Rank, Remembered, RememberedGroup},
    sql::Sql,
};

/// What a gateway must not forget.
///
/// Every method fails with [`Unavailable`] alone, and at once where the store is known to be out of order.
pub trait Store: Send + Sync + fmt::Debug {
    /// Whether other processes write to it too: what was read before may be old.
    fn is_shared(&self) -> bool;

    /// Why it cannot be used, as far as is known; none when it can.
    fn trouble(&self) -> Option<String>;

    /// Looks whether it can be used, opens it where it is not open yet, and drops what is out of date.
    fn tend(&self, now: Timestamp) -> BoxFuture<'_, ()>;

    /// Whether this key id uses this nonce for the first time within `keep`. A nonce that was not used before is used now,
    /// for good: a kill of the process does not give it back.
    fn first_use<'a>(
        &'a self,
        key_id: &'a str,
        nonce: &'a str,
        now: Timestamp,
        keep: Duration,
    ) -> BoxFuture<'a, Result<bool, Unavailable>>;

    /// What is kept of all groups, or of one.
    fn kept<'a>(&'a self, group: Option<&'a GroupKey>) -> BoxFuture<'a, Result<Vec<Keepsake>, Unavailable>>;

    /// What was begun and is not known to have ended, of all groups or of one, the oldest first.
    fn unfinished<'a>(
        &'a self,
        group: Option<&'a GroupKey>,
    ) -> BoxFuture<'a, Result<Vec<Intention>, Unavailable>>;

    /// What was answered to a request that may be repeated.
    fn answer<'a>(
        &'a self,
        request: &'a RequestDigest,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<String>, Unavailable>>;

    /// Writes all of it or nothing. Once it has returned, a kill of the process forgets none of it; an [`Write::Begun`] is not
    /// forgotten when the machine loses its power either.
    fn write(&self, writes: Vec<Write>) -> BoxFuture<'_, Result<(), Unavailable>>;

    /// Takes a lane for this process if no other process is in its way: alone, or with others who share it. What is taken
    /// is given back by as many calls of [`release`](Self::release), or when the process ends.
    fn hold<'a>(&'a self, lane: &'a GroupKey, alone: bool) -> BoxFuture<'a, Result<bool, Unavailable>>;

    /// Gives a lane back.
    fn release<'a>(&'a self, lane: &'a GroupKey, alone: bool) -> BoxFuture<'a, ()>;
}

/// What two requests share that are the same.
pub type RequestDigest = [u8; 32];

/// The store cannot be used, and why. Holds no part of an address or a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the store cannot be used: {0}")]
pub struct Unavailable(pub String);

/// Something that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keepsake {
    /// Of a backend.
    Backend(Entry, Remembered),
    /// Of a group.
    Group(GroupKey, RememberedGroup),
}

/// An entry of the journal: what is about to be done to a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intention {
    /// Its name; no two have the same.
    pub id: String,
    /// The lane that it is done in.
    pub lane: GroupKey,
    /// When it was begun.
    pub began: Timestamp,
    /// What is to be done, in words that the engine alone understands.
    pub what: String,
}

/// One thing to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Keeps what a target could not hold; nothing to keep forgets what was kept.
    Keep(Keepsake),
    /// Forgets a group that is gone, and its backends.
    ForgetGroup(GroupKey),
    /// Something is about to be done; one of the same id takes its place.
    Begun(Intention),
    /// It has been done, or nothing of it is left.
    Ended(String),
    /// A request was answered.
    Answered {
        /// What it shares with a repeat.
        request: RequestDigest,
        /// The group that the answer tells of.
        group: Option<GroupKey>,
        /// For how long a repeat gets the same answer.
        until: Timestamp,
        /// The answer, in words that the engine alone understands.
        answer: String,
    },
    /// What was answered of a group is not so any more.
    ForgetAnswers(GroupKey),
    /// What was answered of the groups of a target may not be so any more.
    ForgetAnswersOf(String),
}

impl Keepsake {
    /// The group that it is of.
    #[must_use]
    pub const fn group(&self) -> &GroupKey {
        match self {
            Self::Backend(entry, _) => &entry.group,
            Self::Group(group, _) => group,
        }
    }

    /// Whether there is nothing to keep.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Backend(_, remembered) => *remembered == Remembered::default(),
            Self::Group(_, remembered) => *remembered == RememberedGroup::default(),
        }
    }
}
