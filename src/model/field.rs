//! The closed list of fields that one backend record can have.

use serde::{Deserialize, Serialize};

/// A field of a backend, whatever a cloud calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Field {
    /// The id of the server, interface or container.
    Resource,
    /// What kind of thing receives the traffic.
    Kind,
    /// An address: of the interface that `Resource` names, or of the backend itself.
    Address,
    /// The network in which `Address` lies.
    Vpc,
    /// The subnet in which `Address` lies.
    Subnet,
    /// The port that receives traffic.
    Port,
    /// The share of traffic.
    Weight,
    /// Whether new traffic is sent at all.
    Enabled,
    /// Whether it only serves when the others do not.
    Standby,
    /// A person's words.
    Description,
}

impl Field {
    /// Every field, in the order in which tables and reports list them.
    pub const ALL: [Self; 10] = [
        Self::Resource,
        Self::Kind,
        Self::Address,
        Self::Vpc,
        Self::Subnet,
        Self::Port,
        Self::Weight,
        Self::Enabled,
        Self::Standby,
        Self::Description,
    ];

    /// The word for it in mapping files, metrics and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Resource => "resource",
            Self::Kind => "kind",
            Self::Address => "address",
            Self::Vpc => "vpc",
            Self::Subnet => "subnet",
            Self::Port => "port",
            Self::Weight => "weight",
            Self::Enabled => "enabled",
            Self::Standby => "standby",
            Self::Description => "description",
        }
    }
}
