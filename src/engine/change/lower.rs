//! What a caller asks of members of a group → moves, given what the group holds. Pure but for what the store knows.

use super::moves::{Fate, Move, Moves};
use crate::{
    dialect::read_handle,
    engine::{
        add::plan::{Item, items, settle_loss},
        execute::Execution,
        pair::{GroupPair, identity},
    },
    mapping::NamesBackends,
    model::{
        Backend, BackendId, BackendRef, Change, Fault, FaultKind, Field, GroupId, Loss, Member, Port, Target,
        Traffic, Weight,
    },
    store::Remembered,
};

impl Execution<'_> {
    /// The moves of a removal. What is absent needs none; a server that no row knows and the group does not show is no
    /// server.
    pub(in crate::engine) fn removals(
        &self,
        pair: &GroupPair,
        members: &[Member],
        backends: &[BackendRef],
    ) -> Result<Vec<Move>, Fault> {
        let mut moves: Vec<Move> = Vec::new();
        for backend in backends {
            let Some(old) = self.found(pair, members, backend)? else {
                self.refuse_another(members, backend)?;
                continue;
            };
            if !moves.iter().any(|step| step.old.backend.same_entry(&old.backend)) {
                moves.push(Move { what: self.name_of(&old), old, fate: Fate::Goes });
            }
        }
        Ok(moves)
    }

    /// To remove what is absent is no fault. But an id that says server and port of a member that goes by another id now may
    /// be meant for it all the same, and to answer that it is gone would be a lie.
    fn refuse_another(&self, members: &[Member], backend: &BackendRef) -> Result<(), Fault> {
        let BackendRef::Id(id) = backend else { return Ok(()) };
        if self.route.there.capability.names_backends == NamesBackends::Id {
            return Ok(());
        }
        let (_, target, port) = self.decoded(id)?;
        let stands = |member: &Member| member.backend.port == port && member.backend.target.same_as(&target);
        if members.iter().any(stands) {
            return Err(unknown_backend(backend, "another backend is on that server and port now"));
        }
        Ok(())
    }

    /// The move of a change, after those `before` it.
    ///
    /// # Errors
    /// [`FaultKind::UnknownBackend`] for one that the group does not hold, [`FaultKind::AlreadyPresent`] for a port that
    /// the same server serves on already, and what the target cannot hold.
    pub(in crate::engine) fn update(
        &self,
        pair: &GroupPair,
        members: &[Member],
        before: &[Move],
        change: &Change,
        losses: &mut Vec<Loss>,
    ) -> Result<Move, Fault> {
        let old = self.found(pair, members, &change.backend)?;
        let old = old.ok_or_else(|| unknown_backend(&change.backend, "the group does not hold it"))?;
        let known = self.kept(pair, &old.backend).over(old.backend.clone());
        let new = change.applied(&known, Weight::LOWEST);
        let now = |member: &Member| {
            let moved = before.iter().find(|step| step.old.backend.same_entry(&member.backend));
            moved.map_or_else(|| member.clone(), Move::after)
        };
        let taken = members.iter().any(|member| now(member).backend.same_entry(&new));
        if new.port != old.backend.port && taken {
            let detail = format!("{} is in the group already", self.name_of(&Member { backend: new, ..old }));
            return Err(Fault::new(FaultKind::AlreadyPresent, detail));
        }
        let what = self.name_of(&old);
        let new = self.marked(pair, &old.backend, new);
        let kept = self.kept_of(pair, members, &old, &new, change, losses)?;
        let fate = Fate::Becomes { new, named: change.clone(), kept };
        Ok(Move { what, old, fate })
    }

    /// The moves of a swap: a server that goes on with another port keeps its place where the target can do that.
    pub(in crate::engine) fn replacement(
        &self,
        pair: &GroupPair,
        members: &[Member],
        old: &[BackendRef],
        new: &[Backend],
        losses: &mut Vec<Loss>,
    ) -> Result<Moves, Fault> {
        let mut leaving = self.removals(pair, members, old)?;
        // Of several that leave, the first of the group is the first whose place is taken.
        let place =
            |step: &Move| members.iter().position(|member| member.backend.same_entry(&step.old.backend));
        leaving.sort_by_key(place);
        let mut moves = Moves::default();
        // Who stays is settled first: nobody takes a place that is kept.
        let stays = |item: &Item| members.iter().any(|member| member.backend.same_entry(&item.there));
        let (staying, coming): (Vec<Item>, Vec<Item>) =
            items(self.route, new, losses)?.into_iter().partition(stays);
        for item in staying.into_iter().chain(coming) {
            let same = |step: &Move| step.old.backend.same_entry(&item.there);
            let stays = members.iter().find(|member| member.backend.same_entry(&item.there));
            let same_server = |step: &Move| {
                identity(self.route, &step.old.backend.target) == identity(self.route, &item.there.target)
            };
            let stand_in =
                leaving.iter().position(same_server).filter(|_| self.route.there.capability.changes_ports);
            if let Some(member) = stays {
                leaving.retain(|step| !same(step));
                moves.others.push(becomes(&self.name_of(member), member, item));
            } else if let Some(place) = stand_in {
                let left = leaving.remove(place);
                moves.others.push(becomes(&left.what, &left.old, item));
            } else {
                moves.adds.push(item);
            }
        }
        moves.others.extend(leaving);
        Ok(moves)
    }

    /// The member that a caller names, if the group holds it.
    pub(in crate::engine) fn found(
        &self,
        pair: &GroupPair,
        members: &[Member],
        backend: &BackendRef,
    ) -> Result<Option<Member>, Fault> {
        let at = |target: &Target, port: Port| {
            let fits =
                |member: &&Member| member.backend.port == port && member.backend.target.same_as(target);
            members.iter().find(fits).cloned()
        };
        match backend {
            BackendRef::Id(id) if self.route.there.capability.names_backends == NamesBackends::Id => {
                Ok(members.iter().find(|member| member.id.as_ref() == Some(id)).cloned())
            }
            BackendRef::Id(id) => {
                let (group, target, port) = self.decoded(id)?;
                if group != pair.there.group {
                    return Ok(None);
                }
                // An id is whose the gateway would tell it of: another may stand by now where its backend once stood.
                let own = |member: &&Member| {
                    self.naming(pair, &member.backend).id(None, members).as_ref() == Some(id)
                };
                let unaddressed = target.kind().has_addresses() && target.address().is_none();
                let found = members.iter().find(own).cloned();
                Ok(found.or_else(|| at(&target, port).filter(|_| unaddressed)))
            }
            BackendRef::At { target, port } => match self.route.server(target) {
                Ok(there) => Ok(at(&there, *port)),
                // What a read has told by the target's own id, or by its address, may be named so.
                Err(fault) => {
                    let told = |member: &&Member| {
                        member.backend.port == *port && self.shown(&member.backend.target).same_as(target)
                    };
                    members.iter().find(told).cloned().map(Some).ok_or(fault)
                }
            },
        }
    }

    /// What an id of a backend stands for, in the target's words: what it says, or where its backend has moved since.
    pub(in crate::engine) fn decoded(&self, id: &BackendId) -> Result<(GroupId, Target, Port), Fault> {
        let named = BackendRef::Id(id.clone());
        let read = read_handle(id).map_err(|error| unknown_backend(&named, &error.to_string()));
        let (group, target, port) = read?;
        let owner = self.parts.kept.owner(&self.route.target.name, id);
        Ok((group, target, owner.map_or(port, |entry| entry.port)))
    }

    /// A member in the caller's words.
    pub(in crate::engine) fn name_of(&self, member: &Member) -> String {
        let Backend { target, port, .. } = &member.backend;
        format!("{} port {port}", self.route.server_here(target))
    }

    /// What the target has no place for of a changed backend, and the gateway keeps.
    fn kept_of(
        &self,
        pair: &GroupPair,
        members: &[Member],
        old: &Member,
        new: &Backend,
        change: &Change,
        losses: &mut Vec<Loss>,
    ) -> Result<Remembered, Fault> {
        let table = &self.route.there.backend;
        let before = self.kept(pair, &old.backend);
        let here = Backend { target: self.route.server_here(&new.target), ..new.clone() };
        if change.standby == Some(true) && table.row(Field::Standby).is_none() {
            settle_loss(self.route, &here, Field::Standby, table.policy(Field::Standby), losses)?;
        }
        let no_description = table.row(Field::Description).is_none();
        if change.description.is_some() && no_description {
            settle_loss(self.route, &here, Field::Description, table.policy(Field::Description), losses)?;
        }
        let loses_weight = table.losses().iter().any(|(field, _)| *field == Field::Weight);
        let weight = match new.traffic {
            Traffic::Off(weight) if loses_weight => weight,
            Traffic::Off(_) | Traffic::On(_) => None,
        };
        let id = self.naming(pair, &old.backend).id(old.id.clone(), members);
        let id = id.filter(|id| !self.naming(pair, new).is_plain(id));
        let description = if no_description { new.description.clone() } else { before.description };
        let standby = new.standby && table.row(Field::Standby).is_none();
        Ok(Remembered { description, weight, standby, id, rank: before.rank })
    }
}

/// A member that goes on as an item of a request says.
fn becomes(what: &str, old: &Member, item: Item) -> Move {
    let Item { here, there, remembered } = item;
    let (enabled, weight) = match here.traffic {
        Traffic::On(weight) => (true, Some(weight)),
        Traffic::Off(weight) => (false, weight),
    };
    let at = BackendRef::At { target: old.backend.target.clone(), port: old.backend.port };
    let port = (there.port != old.backend.port).then_some(there.port);
    let named = Change { port, weight, enabled: Some(enabled), ..Change::of(at) };
    let traffic = match (here.traffic, old.backend.traffic) {
        // A cloud that keeps the weight of a disabled backend keeps it here too.
        (Traffic::Off(None), Traffic::On(weight) | Traffic::Off(Some(weight))) => Traffic::Off(Some(weight)),
        (_, _) => there.traffic,
    };
    let new = Backend { traffic, ..there };
    Move { what: what.to_owned(), old: old.clone(), fate: Fate::Becomes { new, named, kept: remembered } }
}

/// A backend that no group holds, or that an id does not say.
pub(in crate::engine) fn unknown_backend(backend: &BackendRef, why: &str) -> Fault {
    let name = match backend {
        BackendRef::Id(id) => id.to_string(),
        BackendRef::At { target, port } => format!("{target} port {port}"),
    };
    Fault::of_field(FaultKind::UnknownBackend, name.clone(), format!("`{name}`: {why}"))
}
