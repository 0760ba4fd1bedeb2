//! What an operation says of backends, list by list, down to the numbers that have bounds.

use weighbridge::model::{
    AddBackends, Backend, BackendRef, Change, CreateGroup, Operation, Port, RemoveBackends, ReplaceBackends,
    Traffic, UpdateBackends, UpdateGroup, Weight,
};

/// The numbers of one entry of a list, as far as it has them.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    pub port: Option<u16>,
    pub weight: Option<u8>,
}

/// The lists of an operation.
pub fn lists_of(operation: &Operation) -> Vec<Vec<Entry>> {
    match operation {
        Operation::AddBackends(AddBackends { backends, .. })
        | Operation::CreateGroup(CreateGroup { backends, .. }) => vec![all(backends, of_backend)],
        Operation::RemoveBackends(RemoveBackends { scope: _, backends }) => vec![all(backends, of_name)],
        Operation::ReplaceBackends(ReplaceBackends { group: _, old, new }) => {
            vec![all(old, of_name), all(new, of_backend)]
        }
        Operation::UpdateBackends(UpdateBackends { changes, .. })
        | Operation::UpdateGroup(UpdateGroup { changes, .. }) => vec![all(changes, of_change)],
        Operation::DescribeGroup(_)
        | Operation::DescribeHealth(_)
        | Operation::ListGroups(_)
        | Operation::DeleteGroup(_)
        | Operation::ListLoadBalancers(_)
        | Operation::DescribeLoadBalancer(_)
        | Operation::ListRegions
        | Operation::ListProjects => Vec::new(),
    }
}

fn all<T>(items: &[T], entry: fn(&T) -> Entry) -> Vec<Entry> {
    items.iter().map(entry).collect()
}

fn of_backend(backend: &Backend) -> Entry {
    let weight = match backend.traffic {
        Traffic::On(weight) => Some(weight),
        Traffic::Off(weight) => weight,
    };
    Entry { port: Some(backend.port.get()), weight: weight.map(Weight::get) }
}

fn of_name(name: &BackendRef) -> Entry {
    let port = match name {
        BackendRef::Id(_) => None,
        BackendRef::At { target: _, port } => Some(port.get()),
    };
    Entry { port, weight: None }
}

fn of_change(change: &Change) -> Entry {
    let named = of_name(&change.backend);
    Entry { port: change.port.map(Port::get).or(named.port), weight: change.weight.map(Weight::get) }
}
