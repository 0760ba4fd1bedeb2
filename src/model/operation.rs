//! What can be asked of a load balancer, and what comes of it.

use super::{
    backend::{Backend, Member, Port, Target},
    group::{GroupRef, Place},
    id::{BackendId, GroupId, LoadBalancerId},
};

/// One thing asked of one cloud, in that cloud's ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// Put backends into a group.
    AddBackends(AddBackends),
    /// Take backends out of a group; one that is absent is no fault.
    RemoveBackends(RemoveBackends),
    /// List the backends of a group.
    DescribeGroup(GroupRef),
}

/// The name of an operation, for tables, logs and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OperationName {
    /// [`Operation::AddBackends`].
    AddBackends,
    /// [`Operation::RemoveBackends`].
    RemoveBackends,
    /// [`Operation::DescribeGroup`].
    DescribeGroup,
}

/// Put backends into a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddBackends {
    /// The group.
    pub group: GroupRef,
    /// What to add. Empty is legal: Terraform sends an empty last batch.
    pub backends: Vec<Backend>,
}

/// Take backends out of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoveBackends {
    /// The load balancer, where the request names it.
    pub load_balancer: Option<LoadBalancerId>,
    /// The group, where the request names it.
    pub group: Option<GroupId>,
    /// Where it is.
    pub place: Place,
    /// What to take out.
    pub backends: Vec<BackendRef>,
}

/// Names one backend of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// What came of an operation that succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The backends that were added, in the order of the request. For an empty request, what the group holds.
    Added(Vec<Member>),
    /// The backends are gone.
    Removed,
    /// What the group holds.
    Group(Vec<Member>),
}

impl Operation {
    /// Its name.
    #[must_use]
    pub const fn name(&self) -> OperationName {
        match self {
            Self::AddBackends(_) => OperationName::AddBackends,
            Self::RemoveBackends(_) => OperationName::RemoveBackends,
            Self::DescribeGroup(_) => OperationName::DescribeGroup,
        }
    }
}

impl OperationName {
    /// Every operation.
    pub const ALL: [Self; 3] = [Self::AddBackends, Self::RemoveBackends, Self::DescribeGroup];

    /// The word for it in mapping files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AddBackends => "add-backends",
            Self::RemoveBackends => "remove-backends",
            Self::DescribeGroup => "describe-group",
        }
    }
}
