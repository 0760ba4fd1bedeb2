//! A server group: how it is named, and what it is.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    backend::{Member, Port},
    id::{GroupId, LoadBalancerId, ProjectId, RegionId},
};

/// Names one server group. A cloud fills what its requests say: one names the load balancer beside the group, the
/// other does not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupRef {
    /// The load balancer that holds the group.
    pub load_balancer: Option<LoadBalancerId>,
    /// The group.
    pub group: GroupId,
    /// Where it is.
    pub place: Place,
}

/// The region and the project of a thing, as far as they are known.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Place {
    /// The region.
    pub region: Option<RegionId>,
    /// The project.
    pub project: Option<ProjectId>,
}

/// A server group as a cloud tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// How it is named.
    pub id: GroupRef,
    /// Its name, for people.
    pub name: Option<String>,
    /// The listeners that send it traffic. On clouds where a group is a listener there is one.
    pub listeners: Vec<Listener>,
    /// Further settings of the listener that it is.
    pub options: Vec<ListenerOption>,
    /// Since when there is one.
    pub created: Option<Timestamp>,
    /// What it holds, in the order in which the cloud lists it; empty where `count` says more and the list was not
    /// told.
    pub members: Vec<Member>,
    /// How many backends it holds.
    pub count: usize,
}

/// Where traffic comes in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listener {
    /// By which protocol.
    pub protocol: Protocol,
    /// On which port.
    pub port: Port,
}

/// The protocol of a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Protocol {
    /// HTTP.
    Http,
    /// HTTPS.
    Https,
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// A setting of a listener that only one cloud has, in that cloud's own words: kept and given back, never translated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListenerOption {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// What a group has beside its backends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum GroupField {
    /// Its name.
    Name,
    /// The listener that it is.
    Listener,
}

impl Group {
    /// A group of which only its name in requests is known, and what it holds.
    #[must_use]
    pub const fn of(id: GroupRef, members: Vec<Member>) -> Self {
        let count = members.len();
        Self { id, name: None, listeners: Vec::new(), options: Vec::new(), created: None, members, count }
    }
}

impl Protocol {
    /// Every protocol.
    pub const ALL: [Self; 4] = [Self::Http, Self::Https, Self::Tcp, Self::Udp];

    /// The word for it in mapping files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

impl GroupField {
    /// Every field.
    pub const ALL: [Self; 2] = [Self::Name, Self::Listener];

    /// The word for it in mapping files, metrics and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Listener => "listener",
        }
    }
}
