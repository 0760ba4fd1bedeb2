//! What a request of this cloud asks for.

use super::{backends, balancers, groups, health, values};
use crate::{
    dialect::Asked,
    mapping::{Action, Cloud, Reading},
    model::{
        AddBackends, Backend, BackendRef, Change, CreateGroup, DescribeHealth, Detail, Fault, FaultKind,
        Field, GroupId, GroupRef, ListGroups, ListLoadBalancers, LoadBalancerId, LoadBalancerRef, Loss,
        Operation, OperationName, Place, Port, RegionId, RemoveBackends, ReplaceBackends, UpdateBackends,
        UpdateGroup,
    },
    wire::Params,
};

/// What is told of the backends of a request beside what they are.
#[derive(Debug, Default)]
struct Aside {
    /// The fields that the caller wrote, of each.
    given: Vec<Vec<Field>>,
    /// Fields that were given and have no effect.
    ineffective: Vec<Loss>,
}

/// The parameters of a request, and the row of its action.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request<'r> {
    /// The row.
    pub(super) action: &'r Action,
    /// The parameters; those that have to be there are.
    pub(super) params: &'r Params,
    /// The tables.
    pub(super) cloud: &'r Cloud,
}

impl Request<'_> {
    /// What it asks for.
    pub(super) fn asked(self) -> Result<Asked, Fault> {
        let mut aside = Aside::default();
        let operation = self.operation(&mut aside)?;
        let untranslated = self.action.untranslated_in(self.params);
        let Aside { given, ineffective } = aside;
        Ok(Asked { operation, given, ineffective, untranslated })
    }

    /// The operation that the row of the action names.
    fn operation(self, aside: &mut Aside) -> Result<Operation, Fault> {
        let Some(name) = self.action.operation() else {
            let detail = format!("`{}` is not translated by this gateway", self.action.name);
            return Err(Fault::of_field(FaultKind::UnknownAction, self.action.name.clone(), detail));
        };
        Ok(match name {
            OperationName::AddBackends => Operation::AddBackends(AddBackends {
                group: self.group()?,
                backends: self.backends(backends::LIST, aside)?,
            }),
            OperationName::RemoveBackends => Operation::RemoveBackends(RemoveBackends {
                scope: self.group()?.into(),
                backends: references(self.backends(backends::LIST, aside)?),
            }),
            OperationName::UpdateBackends => Operation::UpdateBackends(UpdateBackends {
                scope: self.group()?.into(),
                changes: changes(self.backends(backends::LIST, aside)?),
            }),
            OperationName::ReplaceBackends => {
                let group = self.group()?;
                let mut gone = Aside::default();
                let old = references(self.backends(backends::OLD_LIST, &mut gone)?);
                aside.ineffective.extend(gone.ineffective);
                let new = self.backends(backends::NEW_LIST, aside)?;
                Operation::ReplaceBackends(ReplaceBackends { group, old, new })
            }
            OperationName::DescribeGroup => Operation::DescribeGroup(self.group()?),
            OperationName::DescribeHealth => Operation::DescribeHealth(self.describe_health()?),
            OperationName::ListGroups => Operation::ListGroups(self.list_groups()?),
            OperationName::CreateGroup => Operation::CreateGroup(self.create_group(aside)?),
            OperationName::UpdateGroup => Operation::UpdateGroup(UpdateGroup {
                group: self.group()?,
                name: groups::read_name(self.params, self.cloud)?,
                options: Vec::new(),
                changes: changes(self.backends(backends::LIST, aside)?),
            }),
            OperationName::DeleteGroup => Operation::DeleteGroup(self.group()?),
            OperationName::ListLoadBalancers => Operation::ListLoadBalancers(self.list_load_balancers()?),
            OperationName::DescribeLoadBalancer => Operation::DescribeLoadBalancer(self.load_balancer()?),
            OperationName::ListRegions => Operation::ListRegions,
            OperationName::ListProjects => Operation::ListProjects,
        })
    }

    /// The listeners behind which health is asked for.
    fn describe_health(self) -> Result<DescribeHealth, Fault> {
        let group = &self.cloud.group;
        let protocols = || format!("one of {}", group.protocol_words());
        let protocol =
            values::one_of(self.params, health::PROTOCOL, |word| group.protocol_of(word), protocols)?;
        let port = values::whole(self.params, health::PORT, &(1..=u32::from(u16::MAX)))?.and_then(Port::new);
        Ok(DescribeHealth { load_balancer: self.load_balancer()?, port, protocol })
    }

    /// The load balancer whose groups are asked for, and how much of each.
    fn list_groups(self) -> Result<ListGroups, Fault> {
        // No other cloud has forwarding rules for groups, so whoever asks for them is told of none.
        values::flag(self.params, groups::WITH_RULES)?;
        let listeners = values::flag(self.params, groups::WITH_LISTENERS)?;
        Ok(ListGroups { load_balancer: self.load_balancer()?, page: groups::ALL, listeners, members: false })
    }

    /// The group that is to be made.
    fn create_group(self, aside: &mut Aside) -> Result<CreateGroup, Fault> {
        let name = groups::read_name(self.params, self.cloud)?;
        Ok(CreateGroup {
            load_balancer: self.load_balancer()?,
            name: Some(name.unwrap_or_else(|| self.cloud.group.default_name.clone())),
            listener: None,
            options: Vec::new(),
            backends: self.backends(backends::LIST, aside)?,
        })
    }

    /// Which load balancers are asked for, and which part of them.
    fn list_load_balancers(self) -> Result<ListLoadBalancers, Fault> {
        Ok(ListLoadBalancers {
            place: self.place(),
            filter: balancers::read_filter(self.params)?,
            page: balancers::read_page(self.params)?,
            detail: Detail::Summary,
        })
    }

    /// The group that is named.
    fn group(self) -> Result<GroupRef, Fault> {
        let name = &self.cloud.group.group;
        let group = self.params.filled(name).and_then(GroupId::new).ok_or_else(|| missing(name))?;
        Ok(GroupRef { load_balancer: None, group, place: self.place() })
    }

    /// The load balancer that is named.
    fn load_balancer(self) -> Result<LoadBalancerRef, Fault> {
        let id = self.params.filled(balancers::ID).and_then(LoadBalancerId::new);
        Ok(LoadBalancerRef { id: id.ok_or_else(|| missing(balancers::ID))?, place: self.place() })
    }

    /// Where it is to be carried out. Most SDKs leave the region out, although it is "required".
    fn place(self) -> Place {
        let region = self.params.filled(&self.cloud.group.region).and_then(RegionId::new);
        Place { region, project: None }
    }

    /// The backends of one list; what is told of them beside goes to `aside`.
    fn backends(self, list: &'static str, aside: &mut Aside) -> Result<Vec<Backend>, Fault> {
        let readings = backends::read_list(self.params, list, self.action.max_backends, self.cloud)?;
        let backend = |Reading { backend, given, ineffective }| {
            aside.given.push(given);
            aside.ineffective.extend(ineffective);
            backend
        };
        Ok(readings.into_iter().map(backend).collect())
    }
}

/// The names of backends of which nothing else counts.
fn references(backends: Vec<Backend>) -> Vec<BackendRef> {
    let name =
        |Backend { target, port, traffic: _, standby: _, description: _ }| BackendRef::At { target, port };
    backends.into_iter().map(name).collect()
}

/// The changes that the items of a list ask for.
fn changes(backends: Vec<Backend>) -> Vec<Change> {
    backends.into_iter().map(backends::change_to).collect()
}

/// A parameter that has to be there and is not.
fn missing(name: &str) -> Fault {
    Fault::of_field(FaultKind::MissingParameter, name.to_owned(), "")
}
