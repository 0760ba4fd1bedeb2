//! A load balancer, as far as reads tell of it.

use jiff::Timestamp;

use super::{
    group::{Group, Listener, Place},
    id::{LoadBalancerId, SubnetId, VpcId},
};

/// A load balancer as a cloud tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadBalancer {
    /// Its id.
    pub id: LoadBalancerId,
    /// Where it is.
    pub place: Place,
    /// Its name, for people.
    pub name: Option<String>,
    /// The address on which it is reached.
    pub address: Option<String>,
    /// From where it is reached.
    pub reach: Reach,
    /// Its network.
    pub vpc: Option<VpcId>,
    /// Its subnet.
    pub subnet: Option<SubnetId>,
    /// Since when there is one.
    pub created: Option<Timestamp>,
    /// Its listeners, where they were asked for.
    pub listeners: Vec<Listener>,
    /// Its groups, where they were asked for.
    pub groups: Vec<Group>,
    /// How many groups it has, where that was asked for.
    pub group_count: usize,
}

/// From where a load balancer is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reach {
    /// From everywhere.
    Internet,
    /// From its own network.
    Intranet,
}

/// Which load balancers are asked for: those that fit everything that is some.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LoadBalancerFilter {
    /// Those of these ids; none means all.
    pub ids: Vec<LoadBalancerId>,
    /// Those of these names; none means all.
    pub names: Vec<String>,
    /// The one at this address.
    pub address: Option<String>,
    /// Those that are reached from here.
    pub reach: Option<Reach>,
    /// Those in this network.
    pub vpc: Option<VpcId>,
    /// Those in this subnet.
    pub subnet: Option<SubnetId>,
}

impl LoadBalancerFilter {
    /// Whether a load balancer fits.
    #[must_use]
    pub fn fits(&self, balancer: &LoadBalancer) -> bool {
        let same = |wanted: &Option<String>, is: &Option<String>| wanted.is_none() || wanted == is;
        (self.ids.is_empty() || self.ids.contains(&balancer.id))
            && (self.names.is_empty() || balancer.name.as_ref().is_some_and(|name| self.names.contains(name)))
            && same(&self.address, &balancer.address)
            && self.reach.is_none_or(|reach| reach == balancer.reach)
            && (self.vpc.is_none() || self.vpc == balancer.vpc)
            && (self.subnet.is_none() || self.subnet == balancer.subnet)
    }
}
