//! What a call asks for, by its action and its parameters.

use super::{
    backends, balancers, changes,
    envelope::wrong,
    groups::{self, whole},
};
use crate::{
    dialect::Asked,
    mapping::{Action, Cloud, Reading},
    model::{
        AddBackends, CreateGroup, Detail, Fault, FaultKind, GroupId, GroupRef, ListGroups, ListLoadBalancers,
        LoadBalancerId, LoadBalancerRef, Operation, OperationName, Page, Place, ProjectId, RegionId,
        RemoveBackends, Scope, UpdateBackends, UpdateGroup,
    },
    wire::Params,
};

/// The action that tells of load balancers without their groups.
const SIMPLE: &str = "DescribeULBSimple";

/// How many a list tells at most when a request does not say: no page has a figure for DescribeVServer.
const GROUPS: u32 = 100;
const LOAD_BALANCERS: u32 = 20;
const SIMPLE_LOAD_BALANCERS: u32 = 10_000;

/// The parameters of one call, and what they are read by.
#[derive(Debug)]
pub(super) struct Request<'r> {
    pub(super) action: &'r Action,
    pub(super) params: &'r Params,
    pub(super) cloud: &'r Cloud,
}

/// Reads the operation of one request.
pub(super) type Reader<'r> = fn(&Request<'r>) -> Result<Asked, Fault>;

impl<'r> Request<'r> {
    /// Who reads requests for an operation; none for one that this cloud's callers cannot ask for.
    pub(super) fn reader(operation: OperationName) -> Option<Reader<'r>> {
        match operation {
            OperationName::AddBackends => Some(Self::add_backends),
            OperationName::RemoveBackends => Some(Self::remove_backends),
            OperationName::UpdateBackends => Some(Self::update_backends),
            OperationName::DescribeGroup | OperationName::ListGroups => Some(Self::describe_groups),
            OperationName::CreateGroup => Some(Self::create_group),
            OperationName::UpdateGroup => Some(Self::update_group),
            OperationName::DeleteGroup => Some(Self::delete_group),
            OperationName::ListLoadBalancers => Some(Self::list_load_balancers),
            OperationName::ListRegions => Some(|_| Ok(Asked::all(Operation::ListRegions))),
            OperationName::ListProjects => Some(|_| Ok(Asked::all(Operation::ListProjects))),
            OperationName::ReplaceBackends
            | OperationName::DescribeHealth
            | OperationName::DescribeLoadBalancer => None,
        }
    }

    fn add_backends(&self) -> Result<Asked, Fault> {
        let Self { action, params, cloud } = *self;
        let readings: Vec<Reading> = if action.lists.iter().any(|name| name == backends::BATCH) {
            backends::read_batch(params, action.max_backends, cloud)?
        } else {
            vec![backends::read_single(params, cloud)?]
        };
        let ineffective = readings.iter().flat_map(|reading| reading.ineffective.clone()).collect();
        let given = readings.iter().map(|reading| reading.given.clone()).collect();
        let backends = readings.into_iter().map(|reading| reading.backend).collect();
        let operation = Operation::AddBackends(AddBackends { group: self.group()?, backends });
        Ok(Asked { given, ineffective, ..Asked::all(operation) })
    }

    fn remove_backends(&self) -> Result<Asked, Fault> {
        let backends = vec![changes::read_name(self.params)?];
        Ok(Asked::all(Operation::RemoveBackends(RemoveBackends { scope: self.scope(), backends })))
    }

    fn update_backends(&self) -> Result<Asked, Fault> {
        let Self { action, params, cloud } = *self;
        let changes = match action.lists.first() {
            Some(list) => changes::read_batch(params, list, action, cloud)?,
            None => vec![changes::read_single(params, cloud)?],
        };
        Ok(Asked::all(Operation::UpdateBackends(UpdateBackends { scope: self.scope(), changes })))
    }

    /// One VServer, or all of them. A page is checked either way, though one VServer is always the whole of it.
    fn describe_groups(&self) -> Result<Asked, Fault> {
        let page = self.page(GROUPS)?;
        if self.params.filled(&self.cloud.group.group).is_some() {
            return Ok(Asked::all(Operation::DescribeGroup(self.group()?)));
        }
        let load_balancer = self.load_balancer()?;
        let list = ListGroups { load_balancer, page, listeners: true, members: true };
        Ok(Asked::all(Operation::ListGroups(list)))
    }

    fn create_group(&self) -> Result<Asked, Fault> {
        let Self { action: _, params, cloud } = *self;
        let name = groups::read_name(params, cloud)?;
        let create = CreateGroup {
            load_balancer: self.load_balancer()?,
            name: Some(name.unwrap_or_else(|| cloud.group.default_name.clone())),
            listener: groups::read_listener(params, cloud)?,
            options: groups::read_options(params, cloud)?,
            backends: Vec::new(),
        };
        Ok(Asked::all(Operation::CreateGroup(create)))
    }

    fn update_group(&self) -> Result<Asked, Fault> {
        let Self { action: _, params, cloud } = *self;
        let update = UpdateGroup {
            group: self.group()?,
            name: groups::read_name(params, cloud)?,
            options: groups::read_options(params, cloud)?,
            changes: Vec::new(),
        };
        Ok(Asked::all(Operation::UpdateGroup(update)))
    }

    fn delete_group(&self) -> Result<Asked, Fault> {
        Ok(Asked::all(Operation::DeleteGroup(self.group()?)))
    }

    fn list_load_balancers(&self) -> Result<Asked, Fault> {
        let (detail, most) = if self.action.name == SIMPLE {
            (Detail::GroupCount, SIMPLE_LOAD_BALANCERS)
        } else {
            (Detail::Groups, LOAD_BALANCERS)
        };
        let list = ListLoadBalancers {
            place: self.place(),
            filter: balancers::read_filter(self.params),
            page: self.page(most)?,
            detail,
        };
        Ok(Asked::all(Operation::ListLoadBalancers(list)))
    }

    fn page(&self, most: u32) -> Result<Page, Fault> {
        Ok(Page { offset: self.number("Offset", 0)?, limit: self.number("Limit", most)? })
    }

    fn number(&self, name: &str, default: u32) -> Result<usize, Fault> {
        let number = match self.params.filled(name) {
            None => Some(default),
            Some(text) => whole(text),
        };
        number.and_then(|number| usize::try_from(number).ok()).ok_or_else(|| {
            let found = self.params.filled(name).unwrap_or_default();
            let allowed = format!("a whole number from 0 to {}", u32::MAX);
            wrong(FaultKind::InvalidParameter, name, &allowed, found)
        })
    }

    fn place(&self) -> Place {
        let names = &self.cloud.group;
        Place {
            region: self.named(Some(&names.region), RegionId::new),
            project: self.named(names.project.as_deref(), ProjectId::new),
        }
    }

    fn scope(&self) -> Scope {
        let name = self.cloud.group.load_balancer.as_deref();
        let load_balancer = self.named(name, LoadBalancerId::new);
        Scope { load_balancer, group: None, place: self.place() }
    }

    fn load_balancer(&self) -> Result<LoadBalancerRef, Fault> {
        let Scope { load_balancer, group: _, place } = self.scope();
        let name = self.cloud.group.load_balancer.clone().unwrap_or_default();
        let missing = || Fault::of_field(FaultKind::MissingParameter, name, "");
        Ok(LoadBalancerRef { id: load_balancer.ok_or_else(missing)?, place })
    }

    fn group(&self) -> Result<GroupRef, Fault> {
        let Scope { load_balancer, group: _, place } = self.scope();
        let name = &self.cloud.group.group;
        let missing = || Fault::of_field(FaultKind::MissingParameter, name.clone(), "");
        let group = self.named(Some(name), GroupId::new).ok_or_else(missing)?;
        Ok(GroupRef { load_balancer, group, place })
    }

    fn named<T>(&self, name: Option<&str>, id: impl Fn(String) -> Option<T>) -> Option<T> {
        self.params.filled(name?).map(str::to_owned).and_then(id)
    }
}
