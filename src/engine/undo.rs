//! What takes a step back.

use crate::{
    mapping::{Capability, NamesBackends},
    model::{BackendRef, GroupRef, Member, Operation, RemoveBackends},
};

/// The removals that take `members` of `group` out again, as many in one call as the target takes. A member that
/// the target names by an id which is not known cannot be taken back and is left out.
#[must_use]
pub(super) fn removals(group: &GroupRef, members: &[&Member], capability: &Capability) -> Vec<Operation> {
    let named: Vec<BackendRef> = members.iter().filter_map(|member| name(member, capability)).collect();
    let removal = |backends: &[BackendRef]| {
        Operation::RemoveBackends(RemoveBackends {
            load_balancer: group.load_balancer.clone(),
            group: Some(group.group.clone()),
            place: group.place.clone(),
            backends: backends.to_vec(),
        })
    };
    named.chunks(capability.backends_per_call).map(removal).collect()
}

fn name(member: &Member, capability: &Capability) -> Option<BackendRef> {
    match capability.names_backends {
        NamesBackends::Id => member.id.clone().map(BackendRef::Id),
        NamesBackends::Address => {
            Some(BackendRef::At { target: member.backend.target.clone(), port: member.backend.port })
        }
    }
}
