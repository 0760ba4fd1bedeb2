//! An operation in the caller's ids → what is to be done, in the target's. Pure.

use super::resolve::Route;
use crate::{
    config::OnLoss,
    model::{
        AddBackends, Backend, Fault, FaultKind, Field, GroupId, GroupRef, LoadBalancerId, Loss, LossPolicy,
        Lost, Operation, OperationName, Target, Traffic,
    },
    store::{Entry, Remembered},
};

/// What is to be done for one request.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The group, as the caller names it.
    pub asked: GroupId,
    /// The group, as the target names it.
    pub group: GroupRef,
    /// The work.
    pub work: Work,
    /// What gets lost and has to be reported.
    pub losses: Vec<Loss>,
}

/// The work of a plan.
#[derive(Debug, Clone)]
pub enum Work {
    /// Add these backends, all or none.
    Add(Vec<Item>),
    /// Add nothing: answer what the group holds.
    List,
}

/// One backend on its way.
#[derive(Debug, Clone)]
pub struct Item {
    /// As the caller names it.
    pub here: Backend,
    /// As the target names it.
    pub there: Backend,
    /// What the target has no place for and the gateway keeps.
    pub remembered: Remembered,
}

/// Plans an operation.
///
/// # Errors
/// Ids without a row, and what the target cannot hold where the client is not told to do without.
pub fn plan(route: &Route<'_>, operation: &Operation, ineffective: &[Loss]) -> Result<Plan, Fault> {
    let add = match operation {
        Operation::AddBackends(add) => add,
        _ => return Err(not_translated(route, operation.name())),
    };
    let AddBackends { group, backends } = add;
    let (asked, group) = (group.group.clone(), route.group(group)?);
    let mut losses = ineffective.to_vec();
    let items =
        backends.iter().map(|backend| item(route, backend, &mut losses)).collect::<Result<Vec<_>, _>>()?;
    refuse_merged(route, &items)?;
    let work = if items.is_empty() { Work::List } else { Work::Add(items) };
    Ok(Plan { asked, group, work, losses })
}

impl Plan {
    /// The calls that the target will get when nothing goes wrong.
    #[must_use]
    pub fn steps(&self, route: &Route<'_>) -> Vec<Operation> {
        match &self.work {
            Work::List => vec![Operation::DescribeGroup(self.group.clone())],
            Work::Add(items) => {
                let look = self.looks_first(route).then(|| Operation::DescribeGroup(self.group.clone()));
                let items: Vec<&Item> = items.iter().collect();
                look.into_iter().chain(adds(&self.group, &items, route)).collect()
            }
        }
    }

    /// Whether the group has to be looked at before the first add: what was there before must not be taken back, and
    /// a target that does not tell duplicates leaves no other way to know.
    #[must_use]
    pub fn looks_first(&self, route: &Route<'_>) -> bool {
        let capability = &route.there.capability;
        match &self.work {
            Work::List => false,
            Work::Add(items) => !capability.tells_duplicates && items.len() > capability.backends_per_call,
        }
    }

    /// The name under which the store keeps what it keeps of a backend.
    #[must_use]
    pub fn entry(&self, route: &Route<'_>, there: &Backend) -> Entry {
        let server = identity(route, there);
        Entry { cloud: route.target.name.clone(), group: self.full_name(), server, port: there.port }
    }

    /// The group with its load balancer, on clouds where load balancers may have groups of the same id.
    pub(super) fn full_name(&self) -> String {
        let GroupRef { load_balancer, group, place: _ } = &self.group;
        load_balancer.iter().map(LoadBalancerId::as_str).chain([group.as_str()]).collect::<Vec<_>>().join("/")
    }
}

/// What the target knows a server by: without the address that it has no place for.
fn identity(route: &Route<'_>, there: &Backend) -> String {
    let no_address = route.there.backend.losses().iter().any(|(field, _)| *field == Field::Address);
    match &there.target {
        Target::Resource { id, kind: _, address: _ } if no_address => id.to_string(),
        Target::Resource { .. } => there.target.to_string(),
        Target::Address { ip, vpc, subnet, kind: _ } => format!("{vpc}/{subnet}/{ip}"),
    }
}

/// Two backends of the caller that are one of the target's would be reported as two and be one.
fn refuse_merged(route: &Route<'_>, items: &[Item]) -> Result<(), Fault> {
    let name = |item: &Item| (identity(route, &item.there), item.there.port);
    for (at, later) in items.iter().enumerate() {
        if let Some(earlier) = items.iter().take(at).find(|earlier| name(earlier) == name(later)) {
            let detail =
                format!("{} and {} are one backend of {}", earlier.here, later.here, route.there.title);
            let field = route.here.backend.wire_name(Field::Resource).to_owned();
            return Err(Fault::of_field(FaultKind::CannotHold, field, detail));
        }
    }
    Ok(())
}

/// Adds of as many backends each as the target takes in one call.
pub(super) fn adds(group: &GroupRef, items: &[&Item], route: &Route<'_>) -> Vec<Operation> {
    let add = |chunk: &[&Item]| {
        let backends = chunk.iter().map(|item| item.there.clone()).collect();
        Operation::AddBackends(AddBackends { group: group.clone(), backends })
    };
    items.chunks(route.there.capability.backends_per_call).map(add).collect()
}

fn item(route: &Route<'_>, here: &Backend, losses: &mut Vec<Loss>) -> Result<Item, Fault> {
    let there = Backend { target: route.server(&here.target)?, ..here.clone() };
    let written = route.there.backend.write(&there).map_err(|fault| Fault {
        field: Some(route.here.backend.wire_name(Field::Kind).to_owned().into()),
        ..fault
    })?;
    let mut remembered = Remembered::default();
    let hidden =
        route.hides_address(&here.target, &there.target).then(|| route.there.backend.policy(Field::Address));
    for (field, policy) in written.losses.into_iter().chain(hidden.map(|policy| (Field::Address, policy))) {
        settle_loss(route, here, field, policy, losses)?;
        keep(&mut remembered, here, field);
    }
    Ok(Item { here: here.clone(), there, remembered })
}

fn settle_loss(
    route: &Route<'_>,
    backend: &Backend,
    field: Field,
    policy: LossPolicy,
    losses: &mut Vec<Loss>,
) -> Result<(), Fault> {
    let name = route.here.backend.wire_name(field);
    match (policy, route.client.on_loss) {
        (LossPolicy::Remember, _) => {}
        (LossPolicy::Report, _) | (LossPolicy::Refuse, OnLoss::Report) => {
            let reason = format!("{} has no place for the {} of {backend}", route.there.title, field.name());
            losses.push(Loss { field: Lost::Backend(field), reason });
        }
        (LossPolicy::Refuse, OnLoss::Refuse) => {
            let detail = format!(
                "{} has no place for the {} of {backend}; leave `{name}` out, or set on_loss = \"report\" for this client to go on without it",
                route.there.title,
                field.name()
            );
            return Err(Fault::of_field(FaultKind::CannotHold, name.to_owned(), detail));
        }
    }
    Ok(())
}

fn keep(remembered: &mut Remembered, backend: &Backend, field: Field) {
    match field {
        Field::Description => remembered.description.clone_from(&backend.description),
        Field::Standby => remembered.standby = backend.standby,
        Field::Weight => {
            remembered.weight = match backend.traffic {
                Traffic::Off(weight) => weight,
                Traffic::On(_) => None,
            };
        }
        Field::Resource
        | Field::Kind
        | Field::Address
        | Field::Vpc
        | Field::Subnet
        | Field::Port
        | Field::Enabled => {}
    }
}

fn not_translated(route: &Route<'_>, operation: OperationName) -> Fault {
    let action = route.here.actions.calling(operation).map_or(operation.name(), |action| &action.name);
    let detail = format!("`{action}` is not translated by this version of the gateway");
    Fault::of_field(FaultKind::UnknownAction, action.to_owned(), detail)
}
