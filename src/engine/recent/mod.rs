//! Writes that were acknowledged a moment ago, over what reads tell: a cloud may show a change only after a second or
//! so, and callers read at once.
//!
//! Each is kept for as long as the cloud needs at the most. A read that agrees with one earlier may only be older than the
//! write before it, so it ends early only where nothing was pending when it was written, and a read has told otherwise
//! since: that one was old, and the next that agrees is new.

mod effects;

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use self::effects::{Effect, Effects};
use super::{
    pair::{GroupPair, key_of},
    resolve::Route,
};
use crate::{
    model::{Fault, FaultKind, Group, LoadBalancerId, Member},
    store::GroupKey,
};

/// What was written to each group.
#[derive(Debug, Default)]
pub(super) struct Recents {
    groups: Mutex<Groups>,
}

#[derive(Debug, Default)]
struct Groups {
    recent: HashMap<GroupKey, Recent>,
    /// When those of which nothing is left to tell were last dropped.
    swept: Option<Instant>,
}

/// How often that is done: not at every write, which would look at every group.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
struct Recent {
    existence: Option<Written<Existence>>,
    name: Option<Written<String>>,
    members: Effects,
}

/// Something that was written, and when it is to be forgotten.
#[derive(Debug)]
struct Written<T> {
    what: T,
    until: Instant,
    /// Whether nothing written before it was still to show.
    first: bool,
    /// Whether a read has told otherwise since.
    unshown: bool,
}

#[derive(Debug)]
enum Existence {
    Made(Box<Group>),
    Gone,
}

impl Recents {
    /// The group holds this member now.
    pub(super) fn is(&self, route: &Route<'_>, pair: &GroupPair, member: &Member) {
        self.effect(route, pair, Effect::Is(member.clone()));
    }

    /// The group does not hold this member any more.
    pub(super) fn gone(&self, route: &Route<'_>, pair: &GroupPair, member: &Member) {
        self.effect(route, pair, Effect::Gone(member.clone()));
    }

    fn effect(&self, route: &Route<'_>, pair: &GroupPair, effect: Effect) {
        self.note(route, pair, |recent, until| recent.members.put(effect, until));
    }

    /// The group is there now.
    pub(super) fn made(&self, route: &Route<'_>, pair: &GroupPair, group: &Group) {
        self.note(route, pair, |recent, until| {
            recent.existence = Some(Written::new(Existence::Made(Box::new(group.clone())), until, true));
        });
    }

    /// The group is not there any more.
    pub(super) fn unmade(&self, route: &Route<'_>, pair: &GroupPair) {
        self.note(route, pair, |recent, until| {
            *recent = Recent::default();
            recent.existence = Some(Written::new(Existence::Gone, until, true));
        });
    }

    /// The group has this name now.
    pub(super) fn named(&self, route: &Route<'_>, pair: &GroupPair, name: &str) {
        self.note(route, pair, |recent, until| {
            let first = recent.name.is_none();
            recent.name = Some(Written::new(name.to_owned(), until, first));
        });
    }

    fn note(&self, route: &Route<'_>, pair: &GroupPair, note: impl FnOnce(&mut Recent, Instant)) {
        let settles = route.there.capability.settles_after;
        // Where a caller's own cloud is the target, most calls go there past the engine, reads among them.
        if !settles.is_zero() && !route.same_cloud() {
            let (key, now) = (pair.key(route), Instant::now());
            let mut groups = self.lock();
            groups.sweep(now);
            note(groups.recent.entry(key).or_default(), now + settles);
        }
    }

    /// What a read of one group tells, after what was written to it.
    pub(super) fn over(
        &self,
        route: &Route<'_>,
        pair: &GroupPair,
        told: Result<Group, Fault>,
    ) -> Result<Group, Fault> {
        let key = pair.key(route);
        match self.lock().recent.get_mut(&key) {
            Some(recent) => recent.over(told, true),
            None => told,
        }
    }

    /// What a list of the groups of a load balancer tells, after what was written to each.
    pub(super) fn over_list(
        &self,
        route: &Route<'_>,
        balancer: &LoadBalancerId,
        told: Vec<Group>,
    ) -> Vec<Group> {
        let members = route.there.capability.lists_members;
        let mut groups = self.lock();
        let mut shown = Vec::new();
        let mut seen = Vec::new();
        for group in told {
            let key = key_of(route, &group.id);
            match groups.recent.get_mut(&key) {
                Some(recent) => shown.extend(recent.over(Ok(group), members).ok()),
                None => shown.push(group),
            }
            seen.push(key);
        }
        let of_target = |key: &GroupKey| key.cloud == route.target.name && !seen.contains(key);
        let unseen = groups.recent.iter_mut().filter(|(key, _)| of_target(key));
        for (_, recent) in unseen {
            let made = match &recent.existence {
                Some(Written { what: Existence::Made(group), until, .. }) if *until > Instant::now() => {
                    Some(group.id.load_balancer.as_ref() == Some(balancer))
                }
                Some(_) | None => None,
            };
            if made == Some(true) {
                let absent = || Fault::new(FaultKind::UnknownGroup, "");
                shown.extend(recent.over(Err(absent()), true).ok());
            }
        }
        shown
    }

    /// Whether a group of a load balancer was made or unmade a moment ago.
    pub(super) fn regrouped(&self, route: &Route<'_>, balancer: &LoadBalancerId) -> bool {
        let of_balancer = |key: &GroupKey| {
            let own = key.group.split_once('/').is_some_and(|(own, _)| own == balancer.as_str());
            own && key.cloud == route.target.name
        };
        let now = Instant::now();
        let fresh =
            |recent: &Recent| recent.existence.as_ref().is_some_and(|existence| existence.until > now);
        self.lock().recent.iter().any(|(key, recent)| of_balancer(key) && fresh(recent))
    }

    fn lock(&self) -> MutexGuard<'_, Groups> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Groups {
    fn sweep(&mut self, now: Instant) {
        if self.swept.is_none_or(|swept| now >= swept + SWEEP_EVERY) {
            self.recent.retain(|_, recent| recent.is_live(now));
            self.swept = Some(now);
        }
    }
}

impl<T> Written<T> {
    fn new(what: T, until: Instant, first: bool) -> Self {
        Self { what, until, first, unshown: false }
    }

    /// Whether it may be forgotten, now that a read shows it or does not.
    fn settled(&mut self, shown: bool) -> bool {
        let old_reads_are_over = self.first && self.unshown;
        self.unshown |= !shown;
        shown && old_reads_are_over
    }
}

impl Recent {
    fn is_live(&self, now: Instant) -> bool {
        let lives = |until: Instant| until > now;
        self.existence.as_ref().is_some_and(|existence| lives(existence.until))
            || self.name.as_ref().is_some_and(|name| lives(name.until))
            || self.members.are_live(now)
    }

    /// `members` is whether the read tells of members at all.
    fn over(&mut self, told: Result<Group, Fault>, members: bool) -> Result<Group, Fault> {
        let now = Instant::now();
        self.existence.take_if(|existence| existence.until <= now);
        self.name.take_if(|name| name.until <= now);
        self.members.drop_old(now);
        let mut group = self.exists(told)?;
        let told = group.name.clone();
        self.name.take_if(|name| name.settled(told.as_ref() == Some(&name.what)));
        if let Some(name) = &self.name {
            group.name = Some(name.what.clone());
        }
        if !members {
            return Ok(group);
        }
        self.members.lay_over(&mut group.members);
        group.count = group.members.len();
        Ok(group)
    }

    fn exists(&mut self, told: Result<Group, Fault>) -> Result<Group, Fault> {
        let existence = self.existence.as_ref().map(|existence| &existence.what);
        match (existence, told) {
            (Some(Existence::Made(group)), Err(fault)) if fault.kind == FaultKind::UnknownGroup => {
                Ok(Group::clone(group))
            }
            (Some(Existence::Gone), Ok(_)) => {
                Err(Fault::new(FaultKind::UnknownGroup, "it was deleted a moment ago"))
            }
            (Some(Existence::Made(_) | Existence::Gone) | None, told) => told,
        }
    }
}
