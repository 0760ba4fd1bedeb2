//! What the groups of a simulated cloud hold.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::{
    mapping::{Cloud, DuplicateAdd, NamesBackends},
    model::{
        AddBackends, BackendId, BackendRef, Fault, FaultKind, Field, GroupId, GroupRef, Health, Member,
        RemoveBackends, Scope, Target,
    },
};

/// "200 backends per instance": the larger of the two clouds' quotas, so that a demo does not meet it.
const QUOTA: usize = 200;

#[derive(Debug)]
pub(super) struct State {
    servers: Vec<Target>,
    groups: Mutex<Vec<Group>>,
}

#[derive(Debug)]
struct Group {
    name: GroupRef,
    /// The members, and since when each is one.
    members: Vec<(Member, Instant)>,
    busy: bool,
    numbered: u32,
}

/// A change of a group that is under way.
#[derive(Debug)]
pub(super) struct Turn<'s> {
    state: &'s State,
    group: GroupId,
}

impl State {
    pub(super) fn new(groups: Vec<GroupRef>, servers: Vec<Target>) -> Self {
        let group = |name| Group { name, members: Vec::new(), busy: false, numbered: 0 };
        Self { servers, groups: Mutex::new(groups.into_iter().map(group).collect()) }
    }

    pub(super) fn members(&self, group: &str) -> Vec<Member> {
        let groups = self.lock();
        groups
            .iter()
            .find(|known| known.name.group.as_str() == group)
            .map_or_else(Vec::new, |g| g.members.iter().map(|(member, _)| member.clone()).collect())
    }

    /// Begins a change; none while another is under way.
    pub(super) fn turn(&self, group: &GroupId) -> Option<Turn<'_>> {
        let mut groups = self.lock();
        if let Some(known) = groups.iter_mut().find(|known| known.name.group == *group) {
            if known.busy {
                return None;
            }
            known.busy = true;
        }
        Some(Turn { state: self, group: group.clone() })
    }

    /// Adds all backends or none.
    pub(super) fn add(&self, add: AddBackends, cloud: &Cloud) -> Result<Vec<Member>, Fault> {
        let AddBackends { group: name, backends } = add;
        let mut groups = self.lock();
        let group = find(&mut groups, &name)?;
        if let Some(stranger) = backends.iter().find(|backend| !self.knows(&backend.target)) {
            let detail = format!("there is no `{}`", stranger.target);
            let field = cloud.backend.wire_name(Field::Resource).to_owned();
            return Err(Fault::of_field(FaultKind::UnknownServer, field, detail));
        }
        let is_there =
            |backend: &_| group.members.iter().any(|(member, _)| member.backend.same_entry(backend));
        if cloud.capability.duplicate_add == DuplicateAdd::Refuse && backends.iter().any(is_there) {
            return Err(Fault::new(FaultKind::AlreadyPresent, ""));
        }
        let fresh: Vec<_> = backends.iter().filter(|backend| !is_there(backend)).cloned().collect();
        if group.members.len() + fresh.len() > QUOTA {
            return Err(Fault::new(FaultKind::QuotaExceeded, format!("a group holds {QUOTA} backends")));
        }
        for backend in fresh {
            group.numbered += 1;
            let id = match cloud.capability.names_backends {
                NamesBackends::Address => None,
                NamesBackends::Id => BackendId::new(format!("backend-sim{:05}", group.numbered)),
            };
            group.members.push((Member { backend, id, health: Health::Healthy }, Instant::now()));
        }
        let asked = |member: &&Member| backends.iter().any(|backend| member.backend.same_entry(backend));
        let members = group.members.iter().map(|(member, _)| member);
        Ok(members.filter(asked).cloned().collect())
    }

    /// Removes what is named; where the request names no group, wherever it is.
    pub(super) fn remove(&self, remove: &RemoveBackends) -> Result<(), Fault> {
        let RemoveBackends { scope: Scope { group, .. }, backends } = remove;
        let mut groups = self.lock();
        let meant = |known: &&mut Group| group.as_ref().is_none_or(|group| known.name.group == *group);
        let mut found = 0;
        for group in groups.iter_mut().filter(meant) {
            let before = group.members.len();
            group.members.retain(|(member, _)| !backends.iter().any(|named| names(named, member)));
            found += before - group.members.len();
        }
        match backends.first() {
            Some(BackendRef::Id(id)) if found == 0 => {
                Err(Fault::of_field(FaultKind::UnknownBackend, id.to_string(), ""))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// What a group holds that has been there for `lag`: a cloud may show a change only after a second or so.
    pub(super) fn describe(&self, name: &GroupRef, lag: Duration) -> Result<Vec<Member>, Fault> {
        let mut groups = self.lock();
        let shown = find(&mut groups, name)?.members.iter().filter(|(_, since)| since.elapsed() >= lag);
        Ok(shown.map(|(member, _)| member.clone()).collect())
    }

    fn knows(&self, target: &Target) -> bool {
        self.servers.iter().any(|server| server.same_as(target))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Group>> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if let Some(group) = self.state.lock().iter_mut().find(|known| known.name.group == self.group) {
            group.busy = false;
        }
    }
}

fn find<'g>(groups: &'g mut [Group], name: &GroupRef) -> Result<&'g mut Group, Fault> {
    let unknown = || Fault::of_field(FaultKind::UnknownGroup, name.group.to_string(), "");
    let of_balancer =
        |known: &GroupRef| name.load_balancer.is_none() || known.load_balancer == name.load_balancer;
    let mut known = groups.iter_mut();
    known.find(|known| known.name.group == name.group && of_balancer(&known.name)).ok_or_else(unknown)
}

fn names(named: &BackendRef, member: &Member) -> bool {
    match named {
        BackendRef::Id(id) => member.id.as_ref() == Some(id),
        BackendRef::At { target, port } => {
            member.backend.port == *port && member.backend.target.same_as(target)
        }
    }
}
