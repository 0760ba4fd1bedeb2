//! What can be asked of a load balancer, and what comes of it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{
    backend::{Backend, BackendRef, Change, Health, Member, Port, Target},
    balancer::{LoadBalancer, LoadBalancerFilter},
    fault::FaultKind,
    group::{Group, GroupRef, Listener, ListenerOption, Place, Protocol},
    id::{GroupId, LoadBalancerId, ProjectId, RegionId},
};

macro_rules! operations {
    ($($(#[$doc:meta])+ $name:ident = $word:literal,)+) => {
        /// The name of an operation, for tables, logs and metrics.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum OperationName {$($(#[$doc])+ $name,)+}

        impl OperationName {
            /// Every operation.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The word for it in mapping files.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {$(Self::$name => $word,)+}
            }
        }
    };
}

operations! {
    /// [`Operation::AddBackends`].
    AddBackends = "add-backends",
    /// [`Operation::RemoveBackends`].
    RemoveBackends = "remove-backends",
    /// [`Operation::UpdateBackends`].
    UpdateBackends = "update-backends",
    /// [`Operation::ReplaceBackends`].
    ReplaceBackends = "replace-backends",
    /// [`Operation::DescribeGroup`].
    DescribeGroup = "describe-group",
    /// [`Operation::DescribeHealth`].
    DescribeHealth = "describe-health",
    /// [`Operation::ListGroups`].
    ListGroups = "list-groups",
    /// [`Operation::CreateGroup`].
    CreateGroup = "create-group",
    /// [`Operation::UpdateGroup`].
    UpdateGroup = "update-group",
    /// [`Operation::DeleteGroup`].
    DeleteGroup = "delete-group",
    /// [`Operation::ListLoadBalancers`].
    ListLoadBalancers = "list-load-balancers",
    /// [`Operation::DescribeLoadBalancer`].
    DescribeLoadBalancer = "describe-load-balancer",
    /// [`Operation::ListRegions`].
    ListRegions = "list-regions",
    /// [`Operation::ListProjects`].
    ListProjects = "list-projects",
}

/// One thing asked of one cloud, in that cloud's ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// Put backends into a group.
    AddBackends(AddBackends),
    /// Take backends out of a group; one that is absent is no fault.
    RemoveBackends(RemoveBackends),
    /// Change weights, states or ports of backends.
    UpdateBackends(UpdateBackends),
    /// Put backends in the place of others.
    ReplaceBackends(ReplaceBackends),
    /// What a group is and holds.
    DescribeGroup(GroupRef),
    /// What health checks say of the backends of a load balancer.
    DescribeHealth(DescribeHealth),
    /// The groups of a load balancer.
    ListGroups(ListGroups),
    /// Make a group.
    CreateGroup(CreateGroup),
    /// Change a group's own attributes, and those of its backends where one call does both.
    UpdateGroup(UpdateGroup),
    /// Unmake a group.
    DeleteGroup(GroupRef),
    /// The load balancers.
    ListLoadBalancers(ListLoadBalancers),
    /// One load balancer.
    DescribeLoadBalancer(LoadBalancerRef),
    /// The regions.
    ListRegions,
    /// The projects.
    ListProjects,
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
    /// Where they are.
    pub scope: Scope,
    /// What to take out. Empty is legal: see [`AddBackends::backends`].
    pub backends: Vec<BackendRef>,
}

/// Change weights, states or ports of backends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateBackends {
    /// Where they are.
    pub scope: Scope,
    /// What is to change.
    pub changes: Vec<Change>,
}

/// Put backends in the place of others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplaceBackends {
    /// The group.
    pub group: GroupRef,
    /// What goes.
    pub old: Vec<BackendRef>,
    /// What comes.
    pub new: Vec<Backend>,
}

/// Where backends are that a request names: one cloud names their group, the other has ids that are enough.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope {
    /// The load balancer, where the request names it.
    pub load_balancer: Option<LoadBalancerId>,
    /// The group, where the request names it.
    pub group: Option<GroupId>,
    /// Where it is.
    pub place: Place,
}

/// What health checks say of the backends of a load balancer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeHealth {
    /// The load balancer.
    pub load_balancer: LoadBalancerRef,
    /// Only behind listeners on this port.
    pub port: Option<Port>,
    /// Only behind listeners of this protocol.
    pub protocol: Option<Protocol>,
}

/// The groups of a load balancer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListGroups {
    /// The load balancer.
    pub load_balancer: LoadBalancerRef,
    /// Which part of the list.
    pub page: Page,
    /// Whether the listeners of a group are asked for.
    pub listeners: bool,
    /// Whether the backends of a group are asked for.
    pub members: bool,
}

/// Make a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateGroup {
    /// The load balancer that is to hold it.
    pub load_balancer: LoadBalancerRef,
    /// Its name.
    pub name: Option<String>,
    /// The listener that it is, on clouds where a group is one.
    pub listener: Option<Listener>,
    /// Further settings of that listener.
    pub options: Vec<ListenerOption>,
    /// What it is to hold from the start.
    pub backends: Vec<Backend>,
}

/// Change a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateGroup {
    /// The group.
    pub group: GroupRef,
    /// Another name.
    pub name: Option<String>,
    /// Other settings of the listener that it is, on clouds where a group is one.
    pub options: Vec<ListenerOption>,
    /// What is to change of its backends.
    pub changes: Vec<Change>,
}

/// The load balancers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListLoadBalancers {
    /// Where they are.
    pub place: Place,
    /// Which of them.
    pub filter: LoadBalancerFilter,
    /// Which part of the list.
    pub page: Page,
    /// How much of each.
    pub detail: Detail,
}

/// How much of a load balancer is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// What it is.
    Summary,
    /// And how many groups it has.
    GroupCount,
    /// And its groups with their backends.
    Groups,
}

/// Names one load balancer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LoadBalancerRef {
    /// Its id.
    pub id: LoadBalancerId,
    /// Where it is.
    pub place: Place,
}

/// A part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// How many to leave out at the beginning.
    pub offset: usize,
    /// How many at most.
    pub limit: usize,
}

/// What came of an operation that succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The backends that were added, in the order of the request. For an empty request, what the group holds.
    Added(Vec<Member>),
    /// The backends are gone: those that the request named, as far as they were there. For an empty request, what the
    /// group holds.
    Removed(Vec<Member>),
    /// What became of each change, in the order of the request.
    Updated(Vec<Updated>),
    /// The backends that came, in the order of the request.
    Replaced(Vec<Member>),
    /// What a group is and holds.
    Group(Group),
    /// What health checks say.
    Health(Vec<Checked>),
    /// A part of the groups, and how many there are in all.
    Groups(Vec<Group>, usize),
    /// The group that was made.
    Created(Group),
    /// The group as it was changed: its name, and the backends that the request named.
    GroupUpdated(Group),
    /// The group is gone.
    Deleted,
    /// A part of the load balancers, and how many there are in all.
    LoadBalancers(Vec<LoadBalancer>, usize),
    /// One load balancer.
    LoadBalancer(Box<LoadBalancer>),
    /// The regions.
    Regions(Vec<RegionId>),
    /// The projects.
    Projects(Vec<ProjectId>),
}

/// What became of one change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Updated {
    /// Which backend.
    pub backend: BackendRef,
    /// Why it was not changed; none if it was.
    pub refusal: Option<Refusal>,
}

/// Why one item of a call was refused while others were not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What went wrong.
    pub kind: FaultKind,
    /// What it concerns, in the words of the caller.
    pub field: Option<Cow<'static, str>>,
    /// In words for the caller.
    pub detail: Cow<'static, str>,
}

/// What health checks say of one backend behind one listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Who receives the traffic.
    pub target: Target,
    /// On which port.
    pub port: Port,
    /// Behind which listener, where that is told.
    pub listener: Option<Listener>,
    /// What they say.
    pub health: Health,
}

impl Operation {
    /// Its name.
    #[must_use]
    pub const fn name(&self) -> OperationName {
        match self {
            Self::AddBackends(_) => OperationName::AddBackends,
            Self::RemoveBackends(_) => OperationName::RemoveBackends,
            Self::UpdateBackends(_) => OperationName::UpdateBackends,
            Self::ReplaceBackends(_) => OperationName::ReplaceBackends,
            Self::DescribeGroup(_) => OperationName::DescribeGroup,
            Self::DescribeHealth(_) => OperationName::DescribeHealth,
            Self::ListGroups(_) => OperationName::ListGroups,
            Self::CreateGroup(_) => OperationName::CreateGroup,
            Self::UpdateGroup(_) => OperationName::UpdateGroup,
            Self::DeleteGroup(_) => OperationName::DeleteGroup,
            Self::ListLoadBalancers(_) => OperationName::ListLoadBalancers,
            Self::DescribeLoadBalancer(_) => OperationName::DescribeLoadBalancer,
            Self::ListRegions => OperationName::ListRegions,
            Self::ListProjects => OperationName::ListProjects,
        }
    }

    /// Where what it concerns is; nowhere for what every place has in common.
    #[must_use]
    pub const fn place(&self) -> Option<&Place> {
        match self {
            Self::AddBackends(AddBackends { group, .. })
            | Self::ReplaceBackends(ReplaceBackends { group, .. })
            | Self::UpdateGroup(UpdateGroup { group, .. })
            | Self::DescribeGroup(group)
            | Self::DeleteGroup(group) => Some(&group.place),
            Self::RemoveBackends(RemoveBackends { scope, .. })
            | Self::UpdateBackends(UpdateBackends { scope, .. }) => Some(&scope.place),
            Self::DescribeHealth(DescribeHealth { load_balancer, .. })
            | Self::ListGroups(ListGroups { load_balancer, .. })
            | Self::CreateGroup(CreateGroup { load_balancer, .. })
            | Self::DescribeLoadBalancer(load_balancer) => Some(&load_balancer.place),
            Self::ListLoadBalancers(list) => Some(&list.place),
            Self::ListRegions | Self::ListProjects => None,
        }
    }

    /// The group that it names, if it names one and not a load balancer alone.
    #[must_use]
    pub const fn group(&self) -> Option<&GroupId> {
        match self.named() {
            Some((_, group)) => Some(group),
            None => None,
        }
    }

    /// The same with its load balancer, and where it is.
    #[must_use]
    pub fn group_ref(&self) -> Option<GroupRef> {
        let (load_balancer, group) = self.named()?;
        let place = self.place().cloned().unwrap_or_default();
        Some(GroupRef { load_balancer: load_balancer.cloned(), group: group.clone(), place })
    }

    const fn named(&self) -> Option<(Option<&LoadBalancerId>, &GroupId)> {
        match self {
            Self::AddBackends(AddBackends { group, .. })
            | Self::ReplaceBackends(ReplaceBackends { group, .. })
            | Self::UpdateGroup(UpdateGroup { group, .. })
            | Self::DescribeGroup(group)
            | Self::DeleteGroup(group) => Some((group.load_balancer.as_ref(), &group.group)),
            Self::RemoveBackends(RemoveBackends { scope, .. })
            | Self::UpdateBackends(UpdateBackends { scope, .. }) => match &scope.group {
                Some(group) => Some((scope.load_balancer.as_ref(), group)),
                None => None,
            },
            Self::DescribeHealth(_)
            | Self::ListGroups(_)
            | Self::CreateGroup(_)
            | Self::ListLoadBalancers(_)
            | Self::DescribeLoadBalancer(_)
            | Self::ListRegions
            | Self::ListProjects => None,
        }
    }

    /// Whether it leaves everything as it is.
    #[must_use]
    pub const fn is_read(&self) -> bool {
        match self {
            Self::AddBackends(_)
            | Self::RemoveBackends(_)
            | Self::UpdateBackends(_)
            | Self::ReplaceBackends(_)
            | Self::CreateGroup(_)
            | Self::UpdateGroup(_)
            | Self::DeleteGroup(_) => false,
            Self::DescribeGroup(_)
            | Self::DescribeHealth(_)
            | Self::ListGroups(_)
            | Self::ListLoadBalancers(_)
            | Self::DescribeLoadBalancer(_)
            | Self::ListRegions
            | Self::ListProjects => true,
        }
    }
}

impl From<GroupRef> for Scope {
    fn from(group: GroupRef) -> Self {
        let GroupRef { load_balancer, group, place } = group;
        Self { load_balancer, group: Some(group), place }
    }
}

impl Page {
    /// As much as a call may ask for at once on either cloud.
    pub const FIRST: Self = Self { offset: 0, limit: 100 };

    /// The part of `all`.
    #[must_use]
    pub fn of<T>(self, all: Vec<T>) -> Vec<T> {
        all.into_iter().skip(self.offset).take(self.limit).collect()
    }
}
