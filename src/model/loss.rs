//! What the target cannot hold.

use serde::{Deserialize, Serialize};

use super::{field::Field, group::GroupField};

/// One field that did not reach the target, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// The field.
    pub field: Lost,
    /// Why, in words for the caller.
    pub reason: String,
}

/// What can get lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lost {
    /// A field of a backend.
    Backend(Field),
    /// Something that a group has beside its backends.
    Group(GroupField),
    /// A parameter of the caller's cloud that has no meaning anywhere else.
    Parameter(String),
}

impl Lost {
    /// The word for it in metrics and reports.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Backend(field) => field.name(),
            Self::Group(field) => field.name(),
            Self::Parameter(_) => "parameter",
        }
    }
}

/// What becomes of a field that a cloud has no place for: a row of its mapping file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LossPolicy {
    /// The gateway keeps it and gives it back on reads; nobody needs to be told.
    Remember,
    /// The call goes on without it, and the caller is told.
    Report,
    /// The call is refused, unless the client's `on_loss` says to report instead.
    Refuse,
}

impl LossPolicy {
    /// Every policy.
    pub const ALL: [Self; 3] = [Self::Remember, Self::Report, Self::Refuse];

    /// The word for it in mapping files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Remember => "remember",
            Self::Report => "report",
            Self::Refuse => "refuse",
        }
    }
}
