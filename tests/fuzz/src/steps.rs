//! One step of every kind, in the ids that the golden cases have at each target.

use weighbridge::model::{
    AddBackends, Backend, BackendId, BackendRef, Change, CreateGroup, DescribeHealth, Detail, GroupId,
    GroupRef, Kind, ListGroups, ListLoadBalancers, Listener, LoadBalancerFilter, LoadBalancerId,
    LoadBalancerRef, Operation, Page, Place, Port, Protocol, RegionId, RemoveBackends, ReplaceBackends,
    ResourceId, Scope, Target, Traffic, UpdateBackends, UpdateGroup, Weight,
};

/// The steps that a target of this cloud may be asked to do.
pub fn of(id: &str) -> Vec<Operation> {
    let named = if id == "aliyun" {
        Named::new("cn-hangzhou", "lb-bp1b6c719dfa08ex", "rsp-cige6j5e7p", "i-bp1example00000001", None)
    } else {
        Named::new("cn-bj2", "ulb-abc123", "vserver-def456", "uhost-ghi789", Some("backend-hjz2421u"))
    };
    let named = named.expect("ids that are not empty");
    named.of_backends().into_iter().chain(named.of_groups()).chain(named.of_balancers()).collect()
}

/// What steps name.
struct Named {
    balancer: LoadBalancerRef,
    group: GroupRef,
    backend: Backend,
    name: BackendRef,
    other: BackendRef,
}

impl Named {
    fn new(region: &str, balancer: &str, group: &str, server: &str, id: Option<&str>) -> Option<Self> {
        let place = Place { region: RegionId::new(region), project: None };
        let balancer = LoadBalancerRef { id: LoadBalancerId::new(balancer)?, place: place.clone() };
        let group = GroupRef { load_balancer: Some(balancer.id.clone()), group: GroupId::new(group)?, place };
        let target = Target::Resource { kind: Kind::Instance, id: ResourceId::new(server)?, address: None };
        let (port, traffic) = (Port::new(80)?, Traffic::On(Weight::new(100)?));
        let at = BackendRef::At { target: target.clone(), port };
        let named = |at: BackendRef, more: &str| {
            id.and_then(|id| BackendId::new(format!("{id}{more}"))).map_or(at, BackendRef::Id)
        };
        let beside = BackendRef::At { target: target.clone(), port: Port::new(81)? };
        let (name, other) = (named(at, ""), named(beside, "2"));
        let backend = Backend { target, port, traffic, standby: false, description: None };
        Some(Self { balancer, group, backend, name, other })
    }

    fn of_backends(&self) -> Vec<Operation> {
        let (group, backends) = (self.group.clone(), vec![self.backend.clone()]);
        let (scope, names) = (Scope::from(self.group.clone()), vec![self.name.clone()]);
        let change =
            Change { enabled: Some(true), weight: Weight::new(100), ..Change::of(self.name.clone()) };
        let other = Change { backend: self.other.clone(), ..change.clone() };
        vec![
            Operation::AddBackends(AddBackends { group: group.clone(), backends: backends.clone() }),
            Operation::AddBackends(AddBackends { group: group.clone(), backends: Vec::new() }),
            Operation::RemoveBackends(RemoveBackends { scope: scope.clone(), backends: names.clone() }),
            Operation::UpdateBackends(UpdateBackends { scope: scope.clone(), changes: vec![change.clone()] }),
            Operation::UpdateBackends(UpdateBackends { scope, changes: vec![change, other] }),
            Operation::ReplaceBackends(ReplaceBackends { group, old: names, new: backends }),
        ]
    }

    fn of_groups(&self) -> Vec<Operation> {
        let (group, load_balancer) = (self.group.clone(), self.balancer.clone());
        let name = Some("group".to_owned());
        let listener = Port::new(80).map(|port| Listener { protocol: Protocol::Http, port });
        let page = Page::FIRST;
        vec![
            Operation::DescribeGroup(group.clone()),
            Operation::DeleteGroup(group.clone()),
            Operation::UpdateGroup(UpdateGroup {
                group,
                name: name.clone(),
                options: Vec::new(),
                changes: Vec::new(),
            }),
            Operation::ListGroups(ListGroups {
                load_balancer: load_balancer.clone(),
                page,
                listeners: true,
                members: true,
            }),
            Operation::CreateGroup(CreateGroup {
                load_balancer,
                name,
                listener,
                options: Vec::new(),
                backends: Vec::new(),
            }),
        ]
    }

    fn of_balancers(&self) -> Vec<Operation> {
        let load_balancer = self.balancer.clone();
        let place = load_balancer.place.clone();
        let list = |detail| {
            let (place, filter) = (place.clone(), LoadBalancerFilter::default());
            Operation::ListLoadBalancers(ListLoadBalancers { place, filter, page: Page::FIRST, detail })
        };
        vec![
            list(Detail::Summary),
            list(Detail::GroupCount),
            list(Detail::Groups),
            Operation::DescribeHealth(DescribeHealth {
                load_balancer: load_balancer.clone(),
                port: None,
                protocol: None,
            }),
            Operation::DescribeLoadBalancer(load_balancer),
        ]
    }
}
