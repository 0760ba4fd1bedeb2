//! How a server group is named.

use super::id::{GroupId, LoadBalancerId, ProjectId, RegionId};

/// Names one server group. A cloud fills what its requests say: one names the load balancer beside the group, the
/// other does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRef {
    /// The load balancer that holds the group.
    pub load_balancer: Option<LoadBalancerId>,
    /// The group.
    pub group: GroupId,
    /// Where it is.
    pub place: Place,
}

/// The region and the project of a thing, as far as they are known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// The region.
    pub region: Option<RegionId>,
    /// The project.
    pub project: Option<ProjectId>,
}
