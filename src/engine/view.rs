//! What the target tells, as the caller is to see it.

use super::{execute::Execution, pair::GroupPair};
use crate::{
    dialect::handle_of,
    mapping::NamesBackends,
    model::{Backend, BackendId, Group, Kind, Member, Target},
};

/// How many handles one server and port may have had: as many as backends that moved away from it.
const TURNS: u8 = 16;

impl Execution<'_> {
    /// A group in the caller's ids, with what the gateway keeps of it.
    pub(super) fn group_here(&self, pair: &GroupPair, group: Group) -> Group {
        let kept = self.parts.memory.remembered_group(&pair.key(self.route));
        let members = group.members.iter().map(|member| self.member_here(pair, member)).collect();
        let listeners = match kept.listener {
            Some(listener) if !self.route.there.group.is_listener() => vec![listener],
            Some(_) | None => group.listeners,
        };
        let mut options = group.options;
        options.retain(|option| kept.options.iter().all(|own| own.name != option.name));
        options.extend(kept.options);
        Group { id: pair.here.clone(), members, listeners, options, ..group }
    }

    /// A member in the caller's ids, with what the gateway keeps of it.
    pub(super) fn member_here(&self, pair: &GroupPair, member: &Member) -> Member {
        let there = &member.backend;
        let kept = self.parts.memory.recall(&pair.entry(self.route, there), there.clone());
        let backend = Backend { target: self.route.server_here(&kept.target), ..kept };
        Member { backend, id: self.id_here(pair, there, member.id.clone()), health: member.health }
    }

    /// The id by which the caller knows a backend, where the caller's cloud gives one: the target's own, the one that the
    /// caller has had since before a change of port, or one that decodes to what the backend is.
    pub(super) fn id_here(
        &self,
        pair: &GroupPair,
        there: &Backend,
        told: Option<BackendId>,
    ) -> Option<BackendId> {
        match self.route.here.capability.names_backends {
            NamesBackends::Address => None,
            NamesBackends::Id => told.or_else(|| self.handle(pair, there)),
        }
    }

    /// Whether an id needs no store to be read back.
    pub(super) fn is_plain(&self, pair: &GroupPair, there: &Backend, id: &BackendId) -> bool {
        let plain = handle_of(&pair.there.group, &self.canonical(&there.target), there.port, 0);
        plain.as_ref() == Some(id) || self.route.there.capability.names_backends == NamesBackends::Id
    }

    fn handle(&self, pair: &GroupPair, there: &Backend) -> Option<BackendId> {
        let entry = pair.entry(self.route, there);
        if let Some(id) = self.parts.memory.remembered(&entry).id {
            return Some(id);
        }
        let target = self.canonical(&there.target);
        let free = |id: &BackendId| {
            self.parts.memory.owner(&self.route.target.name, id).is_none_or(|owner| owner == entry)
        };
        let handles = (0..TURNS).filter_map(|turn| handle_of(&pair.there.group, &target, there.port, turn));
        handles.into_iter().find(free)
    }

    /// A server in the one form in which an add and a read agree: of a kind that the target has a word for, and with an
    /// address only where a row names one.
    fn canonical(&self, there: &Target) -> Target {
        let stand_in = |kind: Kind| self.route.there.backend.stand_in(kind);
        match self.route.server(&self.route.server_here(there)).unwrap_or_else(|_| there.clone()) {
            Target::Resource { kind, id, address } => {
                let named = self.route.names_address(there);
                Target::Resource { kind: stand_in(kind), id, address: address.filter(|_| named) }
            }
            address @ Target::Address { .. } => address,
        }
    }
}
