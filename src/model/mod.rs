//! Floor 1: what a backend add *means*, with no cloud and no wire in it.
//!
//! The same types serve a caller's request and the calls that the gateway makes: an [`Operation`] is addressed in
//! the ids of one cloud, and the engine turns an operation in the caller's ids into operations in the target's.

mod backend;
mod balancer;
mod fault;
mod field;
mod group;
mod id;
mod loss;
mod operation;

pub use backend::{Backend, BackendRef, Change, Health, Kind, Member, Port, Target, Traffic, Weight};
pub use balancer::{LoadBalancer, LoadBalancerFilter, Reach};
pub use fault::{Fault, FaultKind};
pub use field::Field;
pub use group::{Group, GroupField, GroupRef, Listener, ListenerOption, Place, Protocol};
pub use id::{BackendId, GroupId, LoadBalancerId, ProjectId, RegionId, ResourceId, SubnetId, VpcId};
pub use loss::{Loss, LossPolicy, Lost};
pub use operation::{
    AddBackends, Checked, CreateGroup, DescribeHealth, Detail, ListGroups, ListLoadBalancers,
    LoadBalancerRef, Operation, OperationName, Outcome, Page, Refusal, RemoveBackends, ReplaceBackends,
    Scope, UpdateBackends, UpdateGroup, Updated,
};
