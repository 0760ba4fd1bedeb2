//! What an operation names and holds, as far as a table tells of it.

use crate::model::{
    AddBackends, Backend, BackendRef, Change, CreateGroup, DescribeHealth, ListGroups, LoadBalancerId,
    LoadBalancerRef, Operation, RemoveBackends, ReplaceBackends, UpdateBackends, UpdateGroup,
};

/// The backends of an operation, and its load balancer.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Contents<'o> {
    /// The backends that it puts into a group.
    pub(super) coming: &'o [Backend],
    /// The changes that it makes.
    pub(super) changed: &'o [Change],
    /// The backends that it takes out.
    pub(super) gone: &'o [BackendRef],
    /// The load balancer that it names, alone or beside a group.
    pub(super) balancer: Option<&'o LoadBalancerId>,
    /// The load balancer that it is about, where that is no group.
    pub(super) about: Option<&'o LoadBalancerRef>,
}

impl<'o> Contents<'o> {
    /// Those of an operation.
    pub(super) fn of(operation: &'o Operation) -> Self {
        let none = Self::default();
        let about = |balancer: &'o LoadBalancerRef| Self {
            balancer: Some(&balancer.id),
            about: Some(balancer),
            ..Self::default()
        };
        match operation {
            Operation::AddBackends(AddBackends { group, backends }) => {
                Self { coming: backends, balancer: group.load_balancer.as_ref(), ..none }
            }
            Operation::RemoveBackends(RemoveBackends { scope, backends }) => {
                Self { gone: backends, balancer: scope.load_balancer.as_ref(), ..none }
            }
            Operation::UpdateBackends(UpdateBackends { scope, changes }) => {
                Self { changed: changes, balancer: scope.load_balancer.as_ref(), ..none }
            }
            Operation::ReplaceBackends(ReplaceBackends { group, old, new }) => {
                Self { coming: new, gone: old, balancer: group.load_balancer.as_ref(), ..none }
            }
            Operation::UpdateGroup(UpdateGroup { group, changes, name: _, options: _ }) => {
                Self { changed: changes, balancer: group.load_balancer.as_ref(), ..none }
            }
            Operation::DescribeGroup(group) | Operation::DeleteGroup(group) => {
                Self { balancer: group.load_balancer.as_ref(), ..none }
            }
            Operation::CreateGroup(CreateGroup { load_balancer, backends, .. }) => {
                Self { coming: backends, ..about(load_balancer) }
            }
            Operation::ListGroups(ListGroups { load_balancer, .. })
            | Operation::DescribeHealth(DescribeHealth { load_balancer, .. })
            | Operation::DescribeLoadBalancer(load_balancer) => about(load_balancer),
            Operation::ListLoadBalancers(_) | Operation::ListRegions | Operation::ListProjects => none,
        }
    }
}
