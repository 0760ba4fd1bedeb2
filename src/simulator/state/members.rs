//! The backends of groups: how they come, change and go.

use super::{Held, Numbers, State, groups::find, history::History};
use crate::{
    mapping::{DuplicateAdd, NamesBackends},
    model::{
        AddBackends, Backend, BackendId, BackendRef, Change, Fault, FaultKind, Field, GroupRef, Health,
        Member, Refusal, RemoveBackends, ReplaceBackends, Scope, Target, Traffic, UpdateBackends, Updated,
        Weight,
    },
};

/// "200 backends per instance": the larger of the two clouds' quotas, so that a demo does not meet it.
const QUOTA: usize = 200;

impl History {
    /// Whether it has a backend that is so named.
    fn holds(&self, named: &BackendRef) -> bool {
        self.truth().is_some_and(|group| group.members.iter().any(|member| names(named, member)))
    }
}

impl State {
    /// Adds all backends or none.
    pub(in crate::simulator) fn add(&self, add: &AddBackends) -> Result<Vec<Member>, Fault> {
        let AddBackends { group: name, backends } = add;
        let mut held = self.lock();
        let Held { groups, ailing, numbers } = &mut *held;
        find(groups, name)?.change(self.moment(), |group| {
            let fresh = self.fresh(&group.members, backends, numbers)?;
            group.members.extend(fresh);
            let told = if backends.is_empty() {
                group.members.iter().collect()
            } else {
                named(&group.members, backends)
            };
            Ok(ailing.checked(&group.listeners, told))
        })
    }

    /// Removes what is named; where the request names no group, wherever it is.
    pub(in crate::simulator) fn remove(&self, remove: &RemoveBackends) -> Result<Vec<Member>, Fault> {
        let RemoveBackends { scope, backends } = remove;
        let mut held = self.lock();
        let Held { groups, ailing, numbers: _ } = &mut *held;
        let (moment, mut gone) = (self.moment(), Vec::new());
        let holds = |group: &History| backends.is_empty() || backends.iter().any(|asked| group.holds(asked));
        for group in meant(groups, scope)?.filter(|group| holds(group)) {
            let removed = group.change(moment, |group| {
                if backends.is_empty() {
                    return Ok(ailing.checked(&group.listeners, &group.members));
                }
                let mut removed = Vec::new();
                for asked in backends {
                    removed.extend(group.members.extract_if(.., |member| names(asked, member)));
                }
                Ok(ailing.checked(&group.listeners, &removed))
            })?;
            gone.extend(removed);
        }
        match backends.first() {
            Some(first @ BackendRef::Id(_)) if gone.is_empty() => Err(unknown(first)),
            Some(_) | None => Ok(gone),
        }
    }

    /// Changes what is named. Where backends have ids, each of several changes succeeds or fails by itself; else all of
    /// them are made or none.
    pub(in crate::simulator) fn update(&self, update: &UpdateBackends) -> Result<Vec<Updated>, Fault> {
        let UpdateBackends { scope, changes } = update;
        let mut held = self.lock();
        let mut groups: Vec<&mut History> = meant(&mut held.groups, scope)?.collect();
        match self.cloud.capability.names_backends {
            NamesBackends::Address => self.update_together(&mut groups, changes),
            NamesBackends::Id => self.update_singly(&mut groups, changes),
        }
    }

    /// Puts the new ones where the old ones were, or changes nothing. What of the old is absent is no fault.
    pub(in crate::simulator) fn replace(&self, replace: &ReplaceBackends) -> Result<Vec<Member>, Fault> {
        let ReplaceBackends { group: name, old, new } = replace;
        let mut held = self.lock();
        let Held { groups, ailing, numbers } = &mut *held;
        find(groups, name)?.change(self.moment(), |group| {
            let mut left: Vec<Option<Member>> = group.members.drain(..).map(Some).collect();
            let mut places = Vec::new();
            for old in old {
                let is_old =
                    |member: &Option<Member>| member.as_ref().is_some_and(|member| names(old, member));
                for (place, member) in left.iter_mut().enumerate().filter(|(_, member)| is_old(member)) {
                    places.push(place);
                    *member = None;
                }
            }
            let kept: Vec<Member> = left.iter().flatten().cloned().collect();
            let mut fresh = self.fresh(&kept, new, numbers)?.into_iter();
            for (place, member) in places.into_iter().zip(&mut fresh) {
                if let Some(free) = left.get_mut(place) {
                    *free = Some(member);
                }
            }
            group.members = left.into_iter().flatten().chain(fresh).collect();
            Ok(ailing.checked(&group.listeners, named(&group.members, new)))
        })
    }

    /// What of `wanted` has to join `there`. A server that nobody knows, one entry too many, and on some clouds one
    /// that is there already, are faults.
    pub(super) fn fresh(
        &self,
        there: &[Member],
        wanted: &[Backend],
        numbers: &mut Numbers,
    ) -> Result<Vec<Member>, Fault> {
        if let Some(stranger) = wanted.iter().find(|backend| !self.knows(&backend.target)) {
            let detail = format!("there is no `{}`", stranger.target);
            let field = self.cloud.backend.wire_name(Field::Resource).to_owned();
            return Err(Fault::of_field(FaultKind::UnknownServer, field, detail));
        }
        let mut fresh: Vec<Member> = Vec::new();
        for backend in wanted {
            if there.iter().chain(&fresh).any(|member| member.backend.same_entry(backend)) {
                match self.cloud.capability.duplicate_add {
                    DuplicateAdd::Accept => continue,
                    DuplicateAdd::Refuse => return Err(Fault::new(FaultKind::AlreadyPresent, "")),
                }
            }
            let id = match self.cloud.capability.names_backends {
                NamesBackends::Address => None,
                NamesBackends::Id => {
                    numbers.backend += 1;
                    BackendId::new(format!("backend-sim{:05}", numbers.backend))
                }
            };
            fresh.push(Member {
                backend: self.as_held(backend.clone()),
                id,
                health: Health::Unknown,
                also: None,
            });
        }
        if there.len() + fresh.len() > QUOTA {
            return Err(Fault::new(FaultKind::QuotaExceeded, format!("a group holds {QUOTA} backends")));
        }
        Ok(fresh)
    }

    /// Makes one change, and gives what came of it.
    pub(super) fn apply<'m>(&self, change: &Change, members: &'m mut [Member]) -> Result<&'m Member, Fault> {
        let place = members.iter().position(|member| names(&change.backend, member));
        let (before, rest) = members.split_at_mut(place.ok_or_else(|| unknown(&change.backend))?);
        let (member, after) = rest.split_first_mut().ok_or_else(|| unknown(&change.backend))?;
        let backend = self.as_held(change.applied(&member.backend, Weight::LOWEST));
        let mut others = before.iter().chain(&*after);
        if backend.port != member.backend.port && others.any(|other| other.backend.same_entry(&backend)) {
            let detail = format!("{backend} is in the group already");
            return Err(Fault::new(FaultKind::AlreadyPresent, detail));
        }
        member.backend = backend;
        Ok(member)
    }

    fn update_together(
        &self,
        groups: &mut [&mut History],
        changes: &[Change],
    ) -> Result<Vec<Updated>, Fault> {
        let [group] = groups else {
            let field = self.cloud.group.group.clone();
            return Err(Fault::of_field(FaultKind::MissingParameter, field, "which group is not said"));
        };
        group.change(self.moment(), |group| {
            changes.iter().try_for_each(|change| self.apply(change, &mut group.members).map(drop))
        })?;
        let done = |change: &Change| Updated { backend: change.backend.clone(), refusal: None };
        Ok(changes.iter().map(done).collect())
    }

    fn update_singly(&self, groups: &mut [&mut History], changes: &[Change]) -> Result<Vec<Updated>, Fault> {
        let moment = self.moment();
        let mut update = |change: &Change| {
            let held = groups.iter_mut().find(|group| group.holds(&change.backend));
            let group = held.ok_or_else(|| unknown(&change.backend))?;
            group.change(moment, |group| self.apply(change, &mut group.members).map(drop))
        };
        if let [only] = changes {
            update(only)?;
            return Ok(vec![Updated { backend: only.backend.clone(), refusal: None }]);
        }
        let refusal = |Fault { kind, field, detail, cause: _ }| Refusal { kind, field, detail };
        let updated = |change: &Change| Updated {
            backend: change.backend.clone(),
            refusal: update(change).err().map(refusal),
        };
        Ok(changes.iter().map(updated).collect())
    }

    /// A backend as the cloud can hold it: one that drains by weight 0 forgets which weight a backend had.
    fn as_held(&self, backend: Backend) -> Backend {
        let traffic = match backend.traffic {
            Traffic::Off(_) if !self.cloud.group.is_listener() => Traffic::Off(None),
            traffic @ (Traffic::On(_) | Traffic::Off(_)) => traffic,
        };
        Backend { traffic, ..backend }
    }

    fn knows(&self, target: &Target) -> bool {
        self.servers.iter().any(|server| server.same_as(target))
    }
}

/// The groups that a request means: the one that it names, or all that it may.
fn meant<'g>(
    groups: &'g mut [History],
    scope: &Scope,
) -> Result<impl Iterator<Item = &'g mut History>, Fault> {
    if let Scope { load_balancer, group: Some(group), place } = scope {
        let name =
            GroupRef { load_balancer: load_balancer.clone(), group: group.clone(), place: place.clone() };
        return find(groups, &name).map(|only| vec![only].into_iter());
    }
    let of_balancer = |known: &&mut History| {
        let any = scope.load_balancer.is_none() || known.name.load_balancer == scope.load_balancer;
        any && known.truth().is_some()
    };
    let all: Vec<&mut History> = groups.iter_mut().filter(of_balancer).collect();
    Ok(all.into_iter())
}

/// The members that are `wanted`, in that order.
fn named<'m>(members: &'m [Member], wanted: &[Backend]) -> Vec<&'m Member> {
    let member = |backend: &Backend| members.iter().find(|member| member.backend.same_entry(backend));
    wanted.iter().filter_map(member).collect()
}

fn names(named: &BackendRef, member: &Member) -> bool {
    match named {
        BackendRef::Id(id) => member.id.as_ref() == Some(id),
        BackendRef::At { target, port } => {
            member.backend.port == *port && member.backend.target.same_as(target)
        }
    }
}

fn unknown(backend: &BackendRef) -> Fault {
    let (field, detail) = match backend {
        BackendRef::Id(id) => (id.to_string(), String::new()),
        BackendRef::At { target, port } => {
            (target.to_string(), format!("{target} port {port} is not in the group"))
        }
    };
    Fault::of_field(FaultKind::UnknownBackend, field, detail)
}
