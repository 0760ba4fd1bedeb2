//! A target that is only supposed: it takes down what it is asked, and answers as if it held whatever the request takes for
//! granted. What the engine asks of it is what it would ask of the real one.

use std::sync::{Mutex, PoisonError};

use crate::{
    config::Target as TargetCloud,
    dialect::{Arrival, BoxFuture, read_handle},
    engine::{Route, Upstream},
    mapping::NamesBackends,
    model::{
        Backend, BackendId, BackendRef, Change, Fault, FaultKind, Group, GroupId, GroupRef, Health,
        LoadBalancer, LoadBalancerRef, Member, Operation, Outcome, Port, Reach, Target, Traffic, Updated,
        Weight,
    },
    telemetry::Account,
    wire::Reply,
};

/// What a target was asked.
#[derive(Debug)]
pub(super) struct Supposed {
    /// Whether members of its groups have ids of their own.
    gives_ids: bool,
    /// What its groups hold.
    members: Vec<Member>,
    asked: Mutex<Vec<Operation>>,
    passed: Mutex<bool>,
}

impl Supposed {
    /// A target that holds the backends that `operation` names.
    pub(super) fn of(route: &Route<'_>, operation: Option<&Operation>) -> Self {
        let gives_ids = route.there.capability.names_backends == NamesBackends::Id;
        let mut members: Vec<Member> = Vec::new();
        for (target, port) in operation.map(|asked| named(route, asked)).unwrap_or_default() {
            let id = BackendId::new(id_of(&target, port)).filter(|_| gives_ids);
            let traffic = Traffic::On(Weight::LOWEST);
            let backend = Backend { target, port, traffic, standby: false, description: None };
            members.push(Member { backend, id, health: Health::Unknown, also: None });
        }
        Self { gives_ids, members, asked: Mutex::default(), passed: Mutex::default() }
    }

    /// What it was asked, in order; and whether the call itself was passed on to it.
    pub(super) fn taken_down(&self) -> (Vec<Operation>, bool) {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone();
        (asked, *self.passed.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The group that backends were put into.
    pub(super) fn group_added_to(&self) -> Option<GroupRef> {
        let (asked, _) = self.taken_down();
        asked.iter().find_map(|step| {
            let Operation::AddBackends(add) = step else { return None };
            Some(add.group.clone())
        })
    }

    fn answer(&self, step: &Operation) -> Result<Outcome, Fault> {
        let member = |backend: &Backend| {
            let id = BackendId::new(id_of(&backend.target, backend.port)).filter(|_| self.gives_ids);
            Member { backend: backend.clone(), id, health: Health::Unknown, also: None }
        };
        let updated = |change: &Change| Updated { backend: change.backend.clone(), refusal: None };
        Ok(match step {
            Operation::AddBackends(add) => Outcome::Added(add.backends.iter().map(member).collect()),
            Operation::RemoveBackends(_) => Outcome::Removed(Vec::new()),
            Operation::UpdateBackends(update) => {
                Outcome::Updated(update.changes.iter().map(updated).collect())
            }
            Operation::ReplaceBackends(replace) => {
                Outcome::Replaced(replace.new.iter().map(member).collect())
            }
            Operation::DescribeGroup(group) => Outcome::Group(Group::of(group.clone(), self.members.clone())),
            Operation::DescribeHealth(_) => Outcome::Health(Vec::new()),
            Operation::ListGroups(_) => Outcome::Groups(Vec::new(), 0),
            Operation::CreateGroup(create) => Outcome::Created(self.made(&create.load_balancer)?),
            Operation::UpdateGroup(update) => {
                Outcome::GroupUpdated(Group::of(update.group.clone(), Vec::new()))
            }
            Operation::DeleteGroup(_) => Outcome::Deleted,
            Operation::ListLoadBalancers(list) => {
                let place = &list.place;
                let ids = list.filter.ids.iter();
                let found: Vec<LoadBalancer> = ids
                    .map(|id| balancer(&LoadBalancerRef { id: id.clone(), place: place.clone() }))
                    .collect();
                let count = found.len();
                Outcome::LoadBalancers(found, count)
            }
            Operation::DescribeLoadBalancer(named) => Outcome::LoadBalancer(Box::new(balancer(named))),
            Operation::ListRegions => Outcome::Regions(Vec::new()),
            Operation::ListProjects => Outcome::Projects(Vec::new()),
        })
    }

    fn made(&self, balancer: &LoadBalancerRef) -> Result<Group, Fault> {
        let group = GroupId::new("<the new group's id>");
        let group = group.ok_or_else(|| Fault::new(FaultKind::Internal, "an id without text"))?;
        let (load_balancer, place) = (Some(balancer.id.clone()), balancer.place.clone());
        Ok(Group::of(GroupRef { load_balancer, group, place }, self.members.clone()))
    }
}

impl Upstream for Supposed {
    fn call<'a>(
        &'a self,
        _: &'a TargetCloud,
        step: &'a Operation,
        _: &'a Account,
    ) -> BoxFuture<'a, Result<Outcome, Fault>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(step.clone());
        Box::pin(async move { self.answer(step) })
    }

    fn pass<'a>(
        &'a self,
        _: &'a TargetCloud,
        _: &'a Arrival,
        _: &'a Account,
    ) -> BoxFuture<'a, Result<Reply, Fault>> {
        *self.passed.lock().unwrap_or_else(PoisonError::into_inner) = true;
        Box::pin(async { Ok(Reply::new(http::StatusCode::OK, "text/plain", "")) })
    }
}

fn balancer(named: &LoadBalancerRef) -> LoadBalancer {
    LoadBalancer {
        id: named.id.clone(),
        place: named.place.clone(),
        name: None,
        address: None,
        reach: Reach::Internet,
        vpc: None,
        subnet: None,
        created: None,
        listeners: Vec::new(),
        groups: Vec::new(),
        group_count: 0,
    }
}

/// The members that a request takes for granted.
fn named(route: &Route<'_>, operation: &Operation) -> Vec<(Target, Port)> {
    let refs: Vec<&BackendRef> = match operation {
        Operation::RemoveBackends(remove) => remove.backends.iter().collect(),
        Operation::UpdateBackends(update) => update.changes.iter().map(|change| &change.backend).collect(),
        Operation::UpdateGroup(update) => update.changes.iter().map(|change| &change.backend).collect(),
        Operation::ReplaceBackends(replace) => replace.old.iter().collect(),
        Operation::AddBackends(_)
        | Operation::DescribeGroup(_)
        | Operation::DescribeHealth(_)
        | Operation::ListGroups(_)
        | Operation::CreateGroup(_)
        | Operation::DeleteGroup(_)
        | Operation::ListLoadBalancers(_)
        | Operation::DescribeLoadBalancer(_)
        | Operation::ListRegions
        | Operation::ListProjects => Vec::new(),
    };
    refs.into_iter().filter_map(|named| stands_for(route, named)).collect()
}

/// The backend of the target that a caller's name for one stands for.
pub(super) fn stands_for(route: &Route<'_>, named: &BackendRef) -> Option<(Target, Port)> {
    let (target, port) = match named {
        BackendRef::At { target, port } => (target.clone(), *port),
        BackendRef::Id(id) => read_handle(id).ok().map(|(_, target, port)| (target, port))?,
    };
    Some((route.server(&target).unwrap_or(target), port))
}

/// What stands for the id of a backend, which only the target's answer can tell.
pub(super) fn id_of(target: &Target, port: Port) -> String {
    format!("<BackendId of {target} port {port}>")
}
