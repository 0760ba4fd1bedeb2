//! What was written to the members of one group, in the order in which it was first written.

use std::{
    collections::{VecDeque, hash_map::RandomState},
    hash::BuildHasher,
    net::IpAddr,
};

use hashbrown::HashTable;
use tokio::time::Instant;

use super::Written;
use crate::model::{Backend, BackendId, Member, Port, Target};

/// As many as are kept of one group, the oldest given up first: more than either cloud lets a group hold, so that
/// memory is bounded whatever callers do.
const MOST: usize = 512;

/// What became of a member.
#[derive(Debug)]
pub(super) enum Effect {
    Is(Member),
    Gone(Member),
}

/// Effects, found by what they are of: a busy group has as many as it has had writes in the last seconds.
#[derive(Debug, Default)]
pub(super) struct Effects {
    /// The place of the first of `rows`; places are counted from the first effect ever.
    first: usize,
    /// None where one has been dropped out of order.
    rows: VecDeque<Option<Written<Effect>>>,
    /// Places by the id that the cloud gives, and by port and server.
    by_id: HashTable<usize>,
    by_entry: HashTable<usize>,
    hasher: RandomState,
    /// When the last of them is to be forgotten.
    until: Option<Instant>,
}

impl Effects {
    pub(super) fn are_live(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| until > now)
    }

    /// Takes down what became of a member, in the place of what was known of it: whoever is shown only by this keeps it in
    /// the list.
    pub(super) fn put(&mut self, effect: Effect, until: Instant) {
        self.drop_first(Instant::now());
        self.until = self.until.max(Some(until));
        let member = effect.member();
        let beside: Vec<usize> = self.of_entry(&member.backend).collect();
        // One server and port is one member: another that came before it under another id is no more.
        for place in &beside {
            let ghost = |known: &Effect| matches!(known, Effect::Is(known) if !same(known, member));
            if self.at(*place).is_some_and(|known| ghost(&known.what)) {
                self.drop_at(*place);
            }
        }
        let known = member.id.iter().flat_map(|id| self.of_id(id)).chain(beside);
        let is_it = |place: &usize| self.at(*place).is_some_and(|known| same(known.what.member(), member));
        let place = known.filter(is_it).min();
        let fresh = Written::new(effect, until, place.is_none());
        if let Some(place) = place {
            self.drop_at(place);
        }
        let place = place.unwrap_or_else(|| {
            self.rows.push_back(None);
            self.first + self.rows.len() - 1
        });
        self.set(place, fresh);
    }

    /// Forgets what has been shown for long enough.
    pub(super) fn drop_old(&mut self, now: Instant) {
        self.drop_those(|effect| effect.until <= now);
    }

    /// Lays the effects over what a read tells, and forgets those that it shows for good.
    pub(super) fn lay_over(&mut self, members: &mut Vec<Member>) {
        self.drop_those(|effect| {
            let shown = effect.what.lay(members);
            effect.settled(shown)
        });
    }

    fn drop_those(&mut self, mut gone: impl FnMut(&mut Written<Effect>) -> bool) {
        for place in self.first..self.first + self.rows.len() {
            let row = self.rows.get_mut(place - self.first).and_then(Option::as_mut);
            if row.is_some_and(&mut gone) {
                self.drop_at(place);
            }
        }
        self.drop_first(Instant::now());
    }

    /// Gives back the rows at the front that tell nothing any more, and those that are too many.
    fn drop_first(&mut self, now: Instant) {
        while let Some(row) = self.rows.front() {
            if row.as_ref().is_some_and(|effect| effect.until > now) && self.rows.len() < MOST {
                return;
            }
            self.drop_at(self.first);
            self.rows.pop_front();
            self.first += 1;
        }
    }

    fn at(&self, place: usize) -> Option<&Written<Effect>> {
        self.rows.get(place.checked_sub(self.first)?)?.as_ref()
    }

    fn of_id(&self, id: &BackendId) -> impl Iterator<Item = usize> {
        let is_it = |known: &Written<Effect>| known.what.member().id.as_ref() == Some(id);
        let about = self.by_id.iter_hash(self.hasher.hash_one(id)).copied();
        about.filter(move |place| self.at(*place).is_some_and(is_it))
    }

    fn of_entry(&self, backend: &Backend) -> impl Iterator<Item = usize> {
        let is_it = |known: &Written<Effect>| known.what.member().backend.same_entry(backend);
        // Others may share a part of the hash, and even all of it: what is found is looked at.
        let about = self.by_entry.iter_hash(self.hasher.hash_one(entry_of(backend))).copied();
        about.filter(move |place| self.at(*place).is_some_and(is_it))
    }

    fn set(&mut self, place: usize, effect: Written<Effect>) {
        let (entry, id) = hashes(&self.hasher, &effect);
        let known = |place: &usize| {
            let row = self.rows.get(place - self.first).and_then(Option::as_ref);
            row.map_or((0, None), |known| hashes(&self.hasher, known))
        };
        self.by_entry.insert_unique(entry, place, |place| known(place).0);
        if let Some(id) = id {
            self.by_id.insert_unique(id, place, |place| known(place).1.unwrap_or_default());
        }
        if let Some(row) = self.rows.get_mut(place - self.first) {
            *row = Some(effect);
        }
    }

    fn drop_at(&mut self, place: usize) {
        let Some(effect) = self.rows.get_mut(place - self.first).and_then(Option::take) else { return };
        let (entry, id) = hashes(&self.hasher, &effect);
        drop_found(&mut self.by_entry, entry, place);
        if let Some(id) = id {
            drop_found(&mut self.by_id, id, place);
        }
    }
}

/// What an effect is found by: its entry, and the id that the cloud gives.
fn hashes(hasher: &RandomState, effect: &Written<Effect>) -> (u64, Option<u64>) {
    let Member { backend, id, .. } = effect.what.member();
    (hasher.hash_one(entry_of(backend)), id.as_ref().map(|id| hasher.hash_one(id)))
}

fn drop_found(table: &mut HashTable<usize>, hash: u64, place: usize) {
    if let Ok(row) = table.find_entry(hash, |known| *known == place) {
        row.remove();
    }
}

/// What every two backends share that are one entry.
fn entry_of(backend: &Backend) -> (Port, Result<&str, IpAddr>) {
    let server = match &backend.target {
        Target::Resource { id, kind: _, address: _ } => Ok(id.as_str()),
        Target::Address { ip, kind: _, vpc: _, subnet: _ } => Err(*ip),
    };
    (backend.port, server)
}

impl Effect {
    fn member(&self) -> &Member {
        match self {
            Self::Is(member) | Self::Gone(member) => member,
        }
    }

    /// Lays the effect over what a read tells; whether the read shows it already.
    fn lay(&self, members: &mut Vec<Member>) -> bool {
        let listed = members.iter().position(|known| same(known, self.member()));
        match (self, listed.and_then(|at| Some((at, members.get_mut(at)?)))) {
            (Self::Is(member), Some((_, known))) => {
                let shown = shows(&known.backend, &member.backend);
                if !shown {
                    known.backend = member.backend.clone();
                }
                shown
            }
            (Self::Is(member), None) => {
                members.push(member.clone());
                false
            }
            (Self::Gone(_), Some((at, _))) => {
                members.remove(at);
                false
            }
            (Self::Gone(_), None) => true,
        }
    }
}

/// Whether both are one member: by the id that the cloud gives, or by what it is.
fn same(one: &Member, other: &Member) -> bool {
    match (&one.id, &other.id) {
        (Some(one), Some(other)) => one == other,
        (None, _) | (_, None) => one.backend.same_entry(&other.backend),
    }
}

fn shows(told: &Backend, written: &Backend) -> bool {
    // A cloud that has no descriptions tells none.
    let described = told.description.is_none() || told.description == written.description;
    let same_state = told.traffic == written.traffic && told.standby == written.standby;
    told.port == written.port && same_state && described
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{Health, Kind, ResourceId, Traffic, Weight};

    fn member(server: usize, port: u32, id: Option<&str>) -> Member {
        let id_of_server = ResourceId::new(format!("uhost-{server}")).unwrap();
        let backend = Backend {
            target: Target::Resource { kind: Kind::Instance, id: id_of_server, address: None },
            port: Port::new(port).unwrap(),
            traffic: Traffic::On(Weight::LOWEST),
            standby: false,
            description: None,
        };
        Member { backend, id: id.and_then(BackendId::new), health: Health::Unknown, also: None }
    }

    fn shown(effects: &mut Effects) -> Vec<String> {
        let mut members = Vec::new();
        effects.lay_over(&mut members);
        members.iter().map(|member| member.backend.to_string()).collect()
    }

    fn later() -> Instant {
        Instant::now() + Duration::from_mins(1)
    }

    #[test]
    fn one_that_is_written_again_keeps_its_place_also_on_another_port() {
        let mut effects = Effects::default();
        for (server, port) in [(1, 80), (2, 80), (3, 80)] {
            effects.put(Effect::Is(member(server, port, Some(&format!("b-{server}")))), later());
        }
        effects.put(Effect::Is(member(2, 81, Some("b-2"))), later());
        assert_eq!(shown(&mut effects), ["uhost-1 port 80", "uhost-2 port 81", "uhost-3 port 80"]);
        // Its old port is free, and another id on a port ends the one before it.
        effects.put(Effect::Is(member(2, 80, Some("b-4"))), later());
        effects.put(Effect::Is(member(1, 80, Some("b-5"))), later());
        let all = ["uhost-2 port 81", "uhost-3 port 80", "uhost-2 port 80", "uhost-1 port 80"];
        assert_eq!(shown(&mut effects), all);
        effects.put(Effect::Gone(member(2, 81, None)), later());
        assert_eq!(shown(&mut effects), all[1..]);
    }

    #[test]
    fn what_is_kept_is_bounded_and_given_back_in_time() {
        let mut effects = Effects::default();
        for server in 0..3 * MOST {
            effects.put(Effect::Is(member(server, 80, Some(&format!("b-{server}")))), later());
        }
        assert!(effects.rows.len() <= MOST && effects.by_id.len() <= MOST && effects.by_entry.len() <= MOST);
        assert!(shown(&mut effects).contains(&format!("uhost-{} port 80", 3 * MOST - 1)));
        effects.drop_old(later() + Duration::from_secs(1));
        assert_eq!((effects.rows.len(), effects.by_id.len(), effects.by_entry.len()), (0, 0, 0));
    }
}
