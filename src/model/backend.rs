//! One backend of a server group.

use std::{fmt, net::IpAddr, num::NonZeroU16};

use serde::{Deserialize, Serialize};

use super::id::{BackendId, ResourceId, SubnetId, VpcId};

/// One backend: who receives traffic, on which port, and how much of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backend {
    /// Who receives the traffic.
    pub target: Target,
    /// On which port.
    pub port: Port,
    /// How much of it.
    pub traffic: Traffic,
    /// Whether it only serves when the others do not.
    pub standby: bool,
    /// A person's words, 1 to 80 characters.
    pub description: Option<String>,
}

/// What receives the traffic of a backend.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Target {
    /// Something that the cloud knows by an id.
    Resource {
        /// What kind of thing it is.
        kind: Kind,
        /// Its id.
        id: ResourceId,
        /// Which of its addresses, for an interface or a container that has several.
        address: Option<IpAddr>,
    },
    /// A bare address.
    Address {
        /// [`Kind::Address`] or [`Kind::Hybrid`].
        kind: Kind,
        /// The address.
        ip: IpAddr,
        /// The network in which it lies. A cloud may list one without telling; nobody adds one so.
        vpc: Option<VpcId>,
        /// The subnet in which it lies, likewise.
        subnet: Option<SubnetId>,
    },
}

/// The kinds of thing that receive traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    /// A cloud server.
    Instance,
    /// A network interface.
    Interface,
    /// A container instance.
    Container,
    /// A physical server.
    Metal,
    /// A bare address.
    Address,
    /// A server outside the cloud, by its address.
    Hybrid,
}

/// A port, 1 to 65535.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Port(NonZeroU16);

/// A weight, 1 to 100. Zero is no weight: see [`Traffic::Off`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub struct Weight(u8);

/// Whether a backend gets new traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Traffic {
    /// It does, by this weight.
    On(Weight),
    /// It does not. A cloud that drains by weight 0 cannot say which weight it had.
    Off(Option<Weight>),
}

/// A backend as a group lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The backend.
    pub backend: Backend,
    /// Its id inside the group, on clouds that give it one.
    pub id: Option<BackendId>,
    /// What the cloud's health checks say of it.
    pub health: Health,
    /// What else the cloud calls the thing: it lists an interface beside the server that it is attached to, and does not
    /// say which of the two was added.
    pub also: Option<Box<Target>>,
}

/// What health checks say of a backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Health {
    /// It answers.
    Healthy,
    /// It does not.
    Unhealthy,
    /// Nobody has asked it yet, or nobody does.
    Unknown,
}

/// What is to become of one backend of a group; what is none stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Which backend.
    pub backend: BackendRef,
    /// Another port. Its id stays the same, on clouds that give it one.
    pub port: Option<Port>,
    /// Another weight. One of a backend that is disabled is for the time when it no longer is.
    pub weight: Option<Weight>,
    /// Whether new traffic is sent to it.
    pub enabled: Option<bool>,
    /// Whether it only serves when the others do not.
    pub standby: Option<bool>,
    /// A person's words.
    pub description: Option<String>,
}

/// Names one backend of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum BackendRef {
    /// By its id inside the group.
    Id(BackendId),
    /// By what it is.
    At {
        /// Who receives the traffic.
        target: Target,
        /// On which port.
        port: Port,
    },
}

impl Change {
    /// A change of nothing.
    #[must_use]
    pub const fn of(backend: BackendRef) -> Self {
        Self { backend, port: None, weight: None, enabled: None, standby: None, description: None }
    }

    /// What the change makes of `old`. A backend that is enabled while its weight is not known gets `lowest`.
    #[must_use]
    pub fn applied(&self, old: &Backend, lowest: Weight) -> Backend {
        let (on, weight) = match old.traffic {
            Traffic::On(weight) => (true, Some(weight)),
            Traffic::Off(weight) => (false, weight),
        };
        let weight = self.weight.or(weight);
        let traffic = if self.enabled.unwrap_or(on) {
            Traffic::On(weight.unwrap_or(lowest))
        } else {
            Traffic::Off(weight)
        };
        Backend {
            target: old.target.clone(),
            port: self.port.unwrap_or(old.port),
            traffic,
            standby: self.standby.unwrap_or(old.standby),
            description: self.description.clone().or_else(|| old.description.clone()),
        }
    }
}

impl Health {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Healthy, Self::Unhealthy, Self::Unknown];

    /// The word for it in mapping files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
            Self::Unknown => "unknown",
        }
    }
}

impl Backend {
    /// Whether `other` stands for the same entry of a group. Both clouds let one server serve on several ports, and
    /// one interface with several addresses.
    #[must_use]
    pub fn same_entry(&self, other: &Self) -> bool {
        self.port == other.port && self.target.same_as(&other.target)
    }

    /// Whether this backend gets traffic as `wanted` says. A weight that is not known matches any.
    #[must_use]
    pub fn same_traffic(&self, wanted: &Self) -> bool {
        match (self.traffic, wanted.traffic) {
            (Traffic::On(is), Traffic::On(wanted)) => is == wanted,
            (Traffic::Off(_), Traffic::Off(_)) => true,
            (Traffic::On(_), Traffic::Off(_)) | (Traffic::Off(_), Traffic::On(_)) => false,
        }
    }
}

impl Target {
    /// What kind of thing it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Resource { kind, .. } | Self::Address { kind, .. } => *kind,
        }
    }

    /// The address that is named, by itself or beside an id.
    #[must_use]
    pub const fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Resource { address, id: _, kind: _ } => *address,
            Self::Address { ip, vpc: _, subnet: _, kind: _ } => Some(*ip),
        }
    }

    /// The same thing without the address that is named beside its id.
    #[must_use]
    pub fn without_address(&self) -> Self {
        match self.clone() {
            Self::Resource { kind, id, address: _ } => Self::Resource { kind, id, address: None },
            address @ Self::Address { .. } => address,
        }
    }

    /// Whether both name the same thing. Kinds are not compared: a cloud may report its own word for one.
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Resource { id, address, kind: _ },
                Self::Resource { id: id2, address: address2, kind: _ },
            ) => id == id2 && (address == address2 || address.is_none() || address2.is_none()),
            (
                Self::Address { ip, vpc, subnet, kind: _ },
                Self::Address { ip: ip2, vpc: vpc2, subnet: subnet2, kind: _ },
            ) => {
                let agrees =
                    |one: Option<&str>, other: Option<&str>| one.is_none() || other.is_none() || one == other;
                ip == ip2
                    && agrees(vpc.as_ref().map(VpcId::as_str), vpc2.as_ref().map(VpcId::as_str))
                    && agrees(subnet.as_ref().map(SubnetId::as_str), subnet2.as_ref().map(SubnetId::as_str))
            }
            (Self::Resource { .. }, Self::Address { .. }) | (Self::Address { .. }, Self::Resource { .. }) => {
                false
            }
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resource { id, address: None, kind: _ } => write!(f, "{id}"),
            Self::Resource { id, address: Some(ip), kind: _ } => write!(f, "{id} ({ip})"),
            Self::Address { ip, vpc: _, subnet: _, kind: _ } => write!(f, "{ip}"),
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} port {}", self.target, self.port)
    }
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Instance, Self::Interface, Self::Container, Self::Metal, Self::Address, Self::Hybrid];

    /// The word for it in mapping files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Instance => "instance",
            Self::Interface => "interface",
            Self::Container => "container",
            Self::Metal => "metal",
            Self::Address => "address",
            Self::Hybrid => "hybrid",
        }
    }

    /// Whether the thing is named by its address and not by an id.
    #[must_use]
    pub const fn is_address(self) -> bool {
        match self {
            Self::Address | Self::Hybrid => true,
            Self::Instance | Self::Interface | Self::Container | Self::Metal => false,
        }
    }

    /// Whether a thing of this kind may have several addresses, so that one of them has to be named.
    #[must_use]
    pub const fn has_addresses(self) -> bool {
        match self {
            Self::Interface | Self::Container => true,
            Self::Instance | Self::Metal | Self::Address | Self::Hybrid => false,
        }
    }
}

impl Port {
    /// A port; `None` for 0 and for what is above 65535.
    #[must_use]
    pub fn new(number: u32) -> Option<Self> {
        u16::try_from(number).ok().and_then(NonZeroU16::new).map(Self)
    }

    /// Its number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0.get()
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl Weight {
    /// The lowest.
    pub const LOWEST: Self = Self(1);

    /// A weight; `None` for 0 and for what is above 100.
    #[must_use]
    pub fn new(number: u32) -> Option<Self> {
        u8::try_from(number).ok().filter(|weight| (1..=100).contains(weight)).map(Self)
    }

    /// Its number.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl From<Weight> for u8 {
    fn from(weight: Weight) -> Self {
        weight.0
    }
}

impl TryFrom<u8> for Weight {
    type Error = &'static str;

    fn try_from(number: u8) -> Result<Self, Self::Error> {
        Self::new(number.into()).ok_or("a weight is 1 to 100")
    }
}

impl fmt::Display for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
