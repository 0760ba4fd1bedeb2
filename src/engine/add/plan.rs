//! An add in the caller's ids → what is to be done, in the target's. Pure.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::{
    config::OnLoss,
    engine::{
        pair::{GroupPair, identity},
        resolve::Route,
    },
    model::{
        AddBackends, Backend, Fault, FaultKind, Field, GroupRef, Loss, LossPolicy, Lost, Operation, Traffic,
        Weight,
    },
    store::Remembered,
};

/// What is to be done for an add.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The group.
    pub pair: GroupPair,
    /// What to add. Nothing: answer what the group holds.
    pub items: Vec<Item>,
    /// What gets lost and has to be reported.
    pub losses: Vec<Loss>,
}

/// One backend on its way.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Item {
    /// As the caller names it.
    pub here: Backend,
    /// As the target names it.
    pub there: Backend,
    /// What the target has no place for and the gateway keeps.
    pub remembered: Remembered,
}

/// Plans an add.
///
/// # Errors
/// Ids without a row, and what the target cannot hold where the client is not told to do without.
pub fn plan(route: &Route<'_>, add: &AddBackends, ineffective: &[Loss]) -> Result<Plan, Fault> {
    let pair = GroupPair::of(route, &add.group)?;
    let mut losses = ineffective.to_vec();
    let items = items(route, &add.backends, &mut losses)?;
    Ok(Plan { pair, items, losses })
}

/// The backends of a request on their way.
///
/// # Errors
/// As [`plan`].
pub fn items(route: &Route<'_>, backends: &[Backend], losses: &mut Vec<Loss>) -> Result<Vec<Item>, Fault> {
    let items = backends.iter().map(|backend| item(route, backend, losses)).collect::<Result<Vec<_>, _>>()?;
    refuse_merged(route, &items)?;
    Ok(items)
}

impl Plan {
    /// The calls that the target will get when nothing goes wrong.
    #[must_use]
    pub fn steps(&self, route: &Route<'_>) -> Vec<Operation> {
        let look = Operation::DescribeGroup(self.pair.there.clone());
        if self.items.is_empty() {
            return vec![look];
        }
        let look = looks_first(route, self.items.len()).then_some(look);
        let items: Vec<&Item> = self.items.iter().collect();
        look.into_iter().chain(adds(&self.pair.there, &items, route)).collect()
    }
}

/// Whether the group has to be looked at before the first of so many adds: what takes several calls may have to be taken
/// back, by another process if this one dies, and what was there before must not be.
pub(in crate::engine) fn looks_first(route: &Route<'_>, adds: usize) -> bool {
    adds > route.there.capability.backends_per_call
}

/// Two backends of the caller that are one of the target's would be reported as two and be one.
fn refuse_merged(route: &Route<'_>, items: &[Item]) -> Result<(), Fault> {
    let mut known = HashMap::with_capacity(items.len());
    for later in items {
        let name = (identity(route, &later.there.target), later.there.port);
        if let Some(earlier) = known.insert(name, later) {
            let detail =
                format!("{} and {} are one backend of {}", earlier.here, later.here, route.there.title);
            let field = route.here.backend.wire_name(Field::Resource).to_owned();
            return Err(Fault::of_field(FaultKind::CannotHold, field, detail));
        }
    }
    Ok(())
}

/// Adds of as many backends each as the target takes in one call.
pub(in crate::engine) fn adds(group: &GroupRef, items: &[&Item], route: &Route<'_>) -> Vec<Operation> {
    let add = |chunk: &[&Item]| {
        let backends = chunk.iter().map(|item| item.there.clone()).collect();
        Operation::AddBackends(AddBackends { group: group.clone(), backends })
    };
    items.chunks(route.there.capability.backends_per_call).map(add).collect()
}

fn item(route: &Route<'_>, here: &Backend, losses: &mut Vec<Loss>) -> Result<Item, Fault> {
    let keeps_weight = !route.there.backend.losses().iter().any(|(field, _)| *field == Field::Weight);
    let traffic = match here.traffic {
        // What a cloud that keeps the weight of a disabled backend is told of one that nobody knows.
        Traffic::Off(None) if keeps_weight => Traffic::Off(Some(Weight::LOWEST)),
        traffic @ (Traffic::On(_) | Traffic::Off(_)) => traffic,
    };
    let there = Backend { target: route.server(&here.target)?, traffic, ..here.clone() };
    let lost = route.there.backend.lost(&there).map_err(|fault| Fault {
        field: Some(route.here.backend.wire_name(Field::Kind).to_owned().into()),
        ..fault
    })?;
    let mut remembered = Remembered::default();
    let hidden =
        route.hides_address(&here.target, &there.target).then(|| route.there.backend.policy(Field::Address));
    for (field, policy) in lost.into_iter().chain(hidden.map(|policy| (Field::Address, policy))) {
        settle_loss(route, here, field, policy, losses)?;
        keep(&mut remembered, here, field);
    }
    Ok(Item { here: here.clone(), there, remembered })
}

/// What becomes of a field of a backend that the target has no place for.
pub(in crate::engine) fn settle_loss(
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
