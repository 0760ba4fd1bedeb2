//! The ids by which a caller knows the backends of a target that gives them none.

use std::{cell::OnceCell, iter};

use super::{execute::Execution, pair::GroupPair, view::moved_from};
use crate::{
    dialect::handle_of,
    mapping::NamesBackends,
    model::{Backend, BackendId, Member, Target},
};

/// How many handles one server and port may have had: as many as backends that moved away from it.
const TURNS: u8 = 16;

/// The names of one backend of one group of the target.
pub(super) struct Naming<'n> {
    execution: &'n Execution<'n>,
    pair: &'n GroupPair,
    there: &'n Backend,
    target: OnceCell<Target>,
    plain: OnceCell<Option<BackendId>>,
}

impl Execution<'_> {
    /// The names of a backend of a group.
    pub(super) fn naming<'n>(&'n self, pair: &'n GroupPair, there: &'n Backend) -> Naming<'n> {
        Naming { execution: self, pair, there, target: OnceCell::new(), plain: OnceCell::new() }
    }
}

impl Naming<'_> {
    /// The id by which the caller knows the backend, where the caller's cloud gives one: the target's own, the one that the
    /// caller has had since before a change of port, or one that decodes to what the backend is; `beside` is what the group
    /// holds, as far as that is known.
    pub(super) fn id(&self, told: Option<BackendId>, beside: &[Member]) -> Option<BackendId> {
        match self.execution.route.here.capability.names_backends {
            NamesBackends::Address => None,
            NamesBackends::Id => told.or_else(|| self.handle(beside)),
        }
    }

    /// Whether an id needs no store to be read back, and is what any read makes of the backend.
    pub(super) fn is_plain(&self, id: &BackendId) -> bool {
        // The target chooses an address where none is named, and tells of it on reads only.
        let target = &self.there.target;
        let complete = !target.kind().has_addresses() || target.address().is_some();
        self.execution.route.there.capability.names_backends == NamesBackends::Id
            || (complete && self.plain() == Some(id))
    }

    /// The id by which a caller whose cloud gives ids knows the backend of a target that gives none; `beside` as for
    /// [`id`](Self::id).
    pub(super) fn handle(&self, beside: &[Member]) -> Option<BackendId> {
        let Self { execution, pair, there, .. } = self;
        if let Some(id) = execution.kept(pair, there).id {
            return Some(id);
        }
        if let Some(port) = moved_from(there) {
            return handle_of(&pair.there.group, self.target(), port, 0);
        }
        let entry = pair.entry(execution.route, there);
        let kept = &execution.parts.kept;
        let free =
            |id: &BackendId| kept.owner(&execution.route.target.name, id).is_none_or(|owner| owner == entry);
        // One that has moved away took its id along.
        let left = beside.iter().filter(|member| {
            moved_from(&member.backend) == Some(there.port) && member.backend.target.same_as(&there.target)
        });
        let taken: Vec<Option<BackendId>> = left
            .map(|member| execution.kept(pair, &member.backend).id.or_else(|| self.plain().cloned()))
            .collect();
        let later = (1..TURNS).map(|turn| handle_of(&pair.there.group, self.target(), there.port, turn));
        let mut handles = iter::once_with(|| self.plain().cloned()).chain(later).flatten();
        handles.find(|id| free(id) && !taken.contains(&Some(id.clone())))
    }

    /// The id that says what the backend is and no more.
    fn plain(&self) -> Option<&BackendId> {
        let Self { pair, there, .. } = self;
        self.plain.get_or_init(|| handle_of(&pair.there.group, self.target(), there.port, 0)).as_ref()
    }

    /// The server as the target tells of it: of a kind that it has a word for.
    fn target(&self) -> &Target {
        self.target.get_or_init(|| match self.there.target.clone() {
            Target::Resource { kind, id, address } => {
                Target::Resource { kind: self.execution.route.there.backend.stand_in(kind), id, address }
            }
            address @ Target::Address { .. } => address,
        })
    }
}
