//! What the target tells, as the caller is to see it.

use std::collections::BTreeSet;

use super::{execute::Execution, groups::shortened, pair::GroupPair};
use crate::{
    dialect::read_handle,
    mapping::NamesBackends,
    model::{Backend, Field, Group, Kind, Member, Port, ResourceId, Target},
    store::{Keepsake, Rank, Remembered},
};

/// How the description begins of a backend that has moved to another port, on a target that has no ids and whose callers
/// have no descriptions: it keeps the backend's id without a store.
const MOVED: &str = "moved-from-port-";

impl Execution<'_> {
    /// A group in the caller's ids, with what the gateway keeps of it.
    pub(super) fn group_here(&self, pair: &GroupPair, group: Group) -> Group {
        let kept = self.parts.kept.remembered_group(&pair.key(self.route));
        let members = self.members_here(pair, &group.members);
        let listeners = match kept.listener {
            Some(listener) if !self.route.there.group.is_listener() => vec![listener],
            Some(_) | None => group.listeners,
        };
        let mut options = group.options;
        options.retain(|option| kept.options.iter().all(|own| own.name != option.name));
        options.extend(kept.options);
        // A name that somebody else has given since is that one.
        let most = self.route.there.group.name_length.1 as usize;
        let full = kept.name.filter(|full| group.name.as_deref() == Some(&shortened(full, most)));
        let name = full.or(group.name);
        Group { id: pair.here.clone(), name, members, listeners, options, ..group }
    }

    /// Members in the caller's ids. Those that one request has added stand in its order, wherever the target lists them.
    pub(super) fn members_here(&self, pair: &GroupPair, members: &[Member]) -> Vec<Member> {
        let mut here: Vec<Member> =
            members.iter().map(|member| self.member_here(pair, member, members)).collect();
        let ranks: Vec<Option<Rank>> =
            members.iter().map(|member| self.kept(pair, &member.backend).rank).collect();
        let requests: BTreeSet<&str> = ranks.iter().flatten().map(|rank| rank.request.as_str()).collect();
        for request in requests {
            let places: Vec<(usize, usize)> = ranks
                .iter()
                .enumerate()
                .filter_map(|(at, rank)| {
                    rank.as_ref().filter(|rank| rank.request == request).map(|rank| (rank.place, at))
                })
                .collect();
            let mut sorted = places.clone();
            sorted.sort_unstable();
            let moved: Vec<Member> = sorted.iter().filter_map(|(_, at)| here.get(*at).cloned()).collect();
            for ((_, at), member) in places.iter().zip(moved) {
                if let Some(slot) = here.get_mut(*at) {
                    *slot = member;
                }
            }
        }
        here
    }

    /// A member in the caller's ids, with what the gateway keeps of it; `beside` is what the group holds.
    pub(super) fn member_here(&self, pair: &GroupPair, member: &Member, beside: &[Member]) -> Member {
        let there = &member.backend;
        let kept = self.kept(pair, there).over(there.clone());
        let backend = Backend { target: self.shown(&kept.target), ..kept };
        let id = self.naming(pair, there).id(member.id.clone(), beside);
        Member { backend, id, health: member.health, also: None }
    }

    /// A server of the target's as the caller is shown it. A bare address that no row gives an id is its own id, in a cloud
    /// that has no other word for one.
    pub(super) fn shown(&self, there: &Target) -> Target {
        let here = self.route.server_here(there);
        match (&here, self.hides(&here)) {
            (Target::Address { ip, .. }, true) => match ResourceId::new(ip.to_string()) {
                Some(id) => Target::Resource { kind: Kind::Instance, id, address: None },
                None => here,
            },
            (_, _) => here,
        }
    }

    /// Whether the caller's cloud has no word for such a thing.
    pub(super) fn hides(&self, here: &Target) -> bool {
        here.kind().is_address() && !self.route.here.backend.has_word_for(here.kind())
    }

    /// A backend that has changed its port, with what says which id it had before.
    pub(super) fn marked(&self, pair: &GroupPair, old: &Backend, new: Backend) -> Backend {
        let capability = (&self.route.here.capability, &self.route.there.capability);
        let needs_id = capability.0.names_backends == NamesBackends::Id
            && capability.1.names_backends == NamesBackends::Address;
        let has_room = self.route.there.backend.row(Field::Description).is_some()
            && (old.description.is_none() || moved_from(old).is_some());
        if old.port == new.port || !needs_id || !has_room {
            return new;
        }
        let id = self.naming(pair, old).handle(&[]).and_then(|id| read_handle(&id).ok());
        let first = id.map_or(old.port, |(_, _, port)| port);
        let description = (first != new.port).then(|| format!("{MOVED}{first}"));
        Backend { description, ..new }
    }

    /// What is kept of a backend; of one whose address the target has chosen, what was kept before that was told.
    pub(super) fn kept(&self, pair: &GroupPair, there: &Backend) -> Remembered {
        let kept = self.parts.kept.remembered(&pair.entry(self.route, there));
        if kept != Remembered::default() || there.target.address().is_none() {
            return kept;
        }
        let unnamed = there.target.without_address();
        self.parts.kept.remembered(&pair.entry_at(self.route, &unnamed, there.port))
    }

    /// Forgets what is kept of a backend.
    pub(super) fn forget(&self, pair: &GroupPair, there: &Backend) {
        let unnamed = there.target.without_address();
        self.keep(pair.entry(self.route, there), Remembered::default());
        self.keep(pair.entry_at(self.route, &unnamed, there.port), Remembered::default());
    }

    /// Takes down which ids are taken by members that have moved, as their descriptions say: a process that was started
    /// since then does not know.
    pub(super) fn learn_ids(&self, pair: &GroupPair, group: &Group) {
        if self.route.here.capability.names_backends == NamesBackends::Address || self.route.same_cloud() {
            return;
        }
        for member in group.members.iter().filter(|member| moved_from(&member.backend).is_some()) {
            let entry = pair.entry(self.route, &member.backend);
            let kept = self.parts.kept.remembered(&entry);
            if kept.id.is_none() {
                let id = self.naming(pair, &member.backend).handle(&[]);
                // No news for the store: the description says it again to whoever reads the group.
                self.parts.kept.keep(&Keepsake::Backend(entry, Remembered { id, ..kept }));
            }
        }
    }
}

/// The port that a backend had first, where its description says so.
pub(super) fn moved_from(there: &Backend) -> Option<Port> {
    there.description.as_ref()?.strip_prefix(MOVED)?.parse().ok().and_then(Port::new)
}
