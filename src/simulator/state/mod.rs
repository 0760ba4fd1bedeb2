//! What a simulated cloud holds: its load balancers, their groups, and what reads still see of the past of each.

mod balancers;
mod groups;
mod history;
mod members;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use tokio::time::Instant;

use history::{History, Moment};

use crate::{
    mapping::Cloud,
    model::{
        Fault, FaultKind, Group, GroupId, GroupRef, Health, Listener, LoadBalancer, LoadBalancerId, Member,
        Place, Target,
    },
};

/// When everything was made, so that an answer is the same in every run: 2026-01-01T00:00:00Z.
const CREATED: Timestamp = Timestamp::constant(1_767_225_600, 0);

/// What one cloud holds.
#[derive(Debug)]
pub(super) struct State {
    cloud: Arc<Cloud>,
    servers: Vec<Target>,
    /// Where the groups are that were there from the start.
    places: Vec<Place>,
    /// Without their groups: reads fill these in.
    balancers: Vec<LoadBalancer>,
    /// What stands before the first `-` of a group's id.
    prefix: String,
    /// How much later than writes reads see a change.
    lag: Duration,
    held: Mutex<Held>,
}

/// What changes.
#[derive(Debug, Default)]
struct Held {
    groups: Vec<History>,
    ailing: Ailing,
    numbers: Numbers,
}

/// The servers that do not answer health checks, by their ids or addresses.
#[derive(Debug, Default)]
struct Ailing(Vec<String>);

/// The numbers that were given out last.
#[derive(Debug, Default)]
struct Numbers {
    group: u32,
    backend: u32,
}

/// A change of a group that is under way.
#[derive(Debug)]
pub(super) struct Turn<'s> {
    state: &'s State,
    group: GroupRef,
}

impl State {
    pub(super) fn new(cloud: Arc<Cloud>, groups: Vec<GroupRef>, servers: Vec<Target>, lag: Duration) -> Self {
        let places = groups.iter().map(|group| group.place.clone()).collect();
        let balancers = balancers::of(&groups);
        let prefix = groups.first().map_or("group", |first| {
            let id = first.group.as_str();
            id.split_once('-').map_or(id, |(prefix, _)| prefix)
        });
        let prefix = prefix.to_owned();
        let groups = groups::at_first(groups, &cloud).into_iter().map(History::of_old).collect();
        let held = Mutex::new(Held { groups, ..Held::default() });
        Self { cloud, servers, places, balancers, prefix, lag, held }
    }

    /// What a group holds, whether reads see it yet or not.
    pub(super) fn members(&self, group: &str) -> Vec<Member> {
        let known = self.groups().into_iter().find(|known| known.id.group.as_str() == group);
        known.map(|group| group.members).unwrap_or_default()
    }

    /// Every group, whether reads see it yet or not.
    pub(super) fn groups(&self) -> Vec<Group> {
        let held = self.lock();
        held.groups.iter().filter_map(History::truth).map(|group| held.ailing.told(group)).collect()
    }

    /// From now on, a server does not answer health checks.
    pub(super) fn ail(&self, server: &str) {
        self.lock().ailing.0.push(server.to_owned());
    }

    /// Begins a change of a group, if there is one of that name.
    pub(super) fn turn(
        &self,
        load_balancer: Option<&LoadBalancerId>,
        group: &GroupId,
    ) -> Result<Option<Turn<'_>>, Fault> {
        let mut held = self.lock();
        let Some(known) = held.groups.iter_mut().find(|known| known.is(load_balancer, group)) else {
            return Ok(None);
        };
        if known.busy {
            return Err(Fault::new(FaultKind::Busy, ""));
        }
        known.busy = true;
        Ok(Some(Turn { state: self, group: known.name.clone() }))
    }

    fn moment(&self) -> Moment {
        Moment { now: Instant::now(), lag: self.lag }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// The groups of a load balancer as reads see them, in the order in which they were made.
    fn shown<'h>(&'h self, of: &'h LoadBalancerId, moment: Moment) -> impl Iterator<Item = Group> + use<'h> {
        let shown = self.groups.iter().filter_map(move |history| history.shown(moment));
        let of_balancer = shown.filter(|group| group.id.load_balancer.as_ref() == Some(of));
        of_balancer.map(|group| self.ailing.told(group))
    }
}

impl Ailing {
    /// A group with what health checks say of its members.
    fn told(&self, group: &Group) -> Group {
        Group { members: self.checked(&group.listeners, &group.members), ..group.clone() }
    }

    /// Members with what health checks say of them behind `listeners`.
    fn checked<'m>(
        &self,
        listeners: &[Listener],
        members: impl IntoIterator<Item = &'m Member>,
    ) -> Vec<Member> {
        let checked = |member: &Member| {
            let health = match listeners {
                [] => Health::Unknown,
                [_, ..] if self.0.contains(&server(&member.backend.target)) => Health::Unhealthy,
                [_, ..] => Health::Healthy,
            };
            Member { health, ..member.clone() }
        };
        members.into_iter().map(checked).collect()
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if let Some(group) = self.state.lock().groups.iter_mut().find(|known| known.name == self.group) {
            group.busy = false;
        }
    }
}

/// What a server is called: an interface has several addresses and is one thing.
fn server(target: &Target) -> String {
    match target {
        Target::Resource { id, kind: _, address: _ } => id.to_string(),
        Target::Address { ip, kind: _, vpc: _, subnet: _ } => ip.to_string(),
    }
}
