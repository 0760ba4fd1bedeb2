//! Operations that leave everything as it is: groups, their health, load balancers.

use std::net::IpAddr;

use futures_util::{StreamExt, future::join, stream};

use super::{
    execute::Execution,
    look::{MOST_PAGES, is_momentary, misfit},
    pair::{GroupPair, key_of},
};
use crate::model::{
    Checked, DescribeHealth, Detail, Fault, FaultKind, Field, Group, GroupRef, Health, ListGroups,
    ListLoadBalancers, LoadBalancer, LoadBalancerFilter, LoadBalancerId, LoadBalancerRef, Loss, LossPolicy,
    Lost, Member, Operation, Outcome, Page, Place, Target,
};

impl Execution<'_> {
    /// One group. A caller in whose cloud a group is a listener is told of the listener and of health as well.
    pub(super) async fn describe_group(
        &self,
        group: &GroupRef,
        losses: &mut Vec<Loss>,
    ) -> Result<Outcome, Fault> {
        let pair = GroupPair::of(self.route, group)?;
        let mut found = self.group(&pair).await?;
        if self.route.here.group.is_listener() && !self.route.there.capability.lists_members {
            self.complete(&pair, &mut found).await?;
        }
        let balancer = self.balancer_of(&pair, &found);
        let mut here = self.group_here(&pair, found);
        here.id.load_balancer = here.id.load_balancer.or(balancer);
        self.report_hidden(&here.members, losses);
        Ok(Outcome::Group(here))
    }

    /// The groups of a load balancer.
    pub(super) async fn list_groups(
        &self,
        list: &ListGroups,
        losses: &mut Vec<Loss>,
    ) -> Result<Outcome, Fault> {
        let balancers = self.route.balancers(&list.load_balancer)?;
        let mut found = Vec::new();
        for balancer in &balancers {
            let groups = self.own_groups(&list.load_balancer, balancer, list.listeners).await?;
            found.extend(groups.into_iter().map(|(pair, group)| (balancer.clone(), pair, group)));
        }
        let total = found.len();
        let page = list.page.of(found);
        let groups = self.with_members(page, list.members).await?;
        for group in &groups {
            self.report_hidden(&group.members, losses);
        }
        Ok(Outcome::Groups(groups, total))
    }

    /// What health checks say of the backends of a load balancer.
    pub(super) async fn describe_health(&self, asked: &DescribeHealth) -> Result<Outcome, Fault> {
        let mut checks = Vec::new();
        for balancer in self.route.balancers(&asked.load_balancer)? {
            if self.route.there.capability.lists_members {
                for (pair, group) in self.own_groups(&asked.load_balancer, &balancer, true).await? {
                    let group = self.group_here(&pair, group);
                    checks.extend(group.members.iter().map(|member| check_of(&group, member)));
                }
            } else {
                let here =
                    |check: Checked| Checked { target: self.route.server_here(&check.target), ..check };
                checks.extend(self.checks(&balancer).await?.into_iter().map(here));
            }
        }
        let fits = |check: &Checked| match &check.listener {
            Some(listener) => {
                asked.port.is_none_or(|port| port == listener.port)
                    && asked.protocol.is_none_or(|protocol| protocol == listener.protocol)
            }
            None => asked.port.is_none() && asked.protocol.is_none(),
        };
        checks.retain(fits);
        Ok(Outcome::Health(checks))
    }

    /// The load balancers that the caller knows.
    pub(super) async fn list_load_balancers(&self, list: &ListLoadBalancers) -> Result<Outcome, Fault> {
        let mut known: Vec<(LoadBalancer, Vec<LoadBalancerRef>)> = Vec::new();
        for there in self.balancers_there(list).await? {
            for here in self.route.balancers_here(&there.id) {
                let own = LoadBalancerRef { id: there.id.clone(), place: there.place.clone() };
                match known.iter_mut().find(|(balancer, _)| balancer.id == here.id) {
                    Some((_, all)) => all.push(own),
                    None => known.push((self.load_balancer_here(here, there.clone()), vec![own])),
                }
            }
        }
        known.retain(|(balancer, _)| list.filter.fits(balancer));
        let total = known.len();
        let detailed = |(balancer, there): (LoadBalancer, Vec<LoadBalancerRef>)| async move {
            self.detailed(balancer, &there, list.detail).await
        };
        let page = stream::iter(list.page.of(known)).map(detailed).buffered(self.route.target.concurrency);
        let found: Vec<Result<LoadBalancer, Fault>> = page.collect().await;
        Ok(Outcome::LoadBalancers(found.into_iter().collect::<Result<_, _>>()?, total))
    }

    /// One load balancer with its listeners.
    pub(super) async fn describe_load_balancer(&self, asked: &LoadBalancerRef) -> Result<Outcome, Fault> {
        let mut found: Option<LoadBalancer> = None;
        for balancer in self.route.balancers(asked)? {
            let reply = self.call(&Operation::DescribeLoadBalancer(balancer.clone())).await;
            let reply = reply.map_err(|fault| Fault { field: Some(asked.id.to_string().into()), ..fault })?;
            let Outcome::LoadBalancer(mut told) = reply else { return Err(misfit()) };
            // Where a group is a listener, a new one is a new listener, which the read may not show yet.
            if self.route.there.group.is_listener() && self.parts.recents.regrouped(self.route, &balancer.id)
            {
                let groups = self.groups(&balancer, true).await?;
                told.listeners = groups.into_iter().flat_map(|group| group.listeners).collect();
            }
            match &mut found {
                Some(first) => first.listeners.extend(told.listeners),
                None => found = Some(self.load_balancer_here(asked.clone(), *told)),
            }
        }
        let found = found.ok_or_else(misfit)?;
        Ok(Outcome::LoadBalancer(Box::new(found)))
    }

    /// Every load balancer of the target that may fit.
    async fn balancers_there(&self, list: &ListLoadBalancers) -> Result<Vec<LoadBalancer>, Fault> {
        let mut asks: Vec<(Place, Vec<LoadBalancerId>)> = Vec::new();
        for id in &list.filter.ids {
            let asked = LoadBalancerRef { id: id.clone(), place: list.place.clone() };
            let found = match self.route.balancers(&asked) {
                Ok(found) => found,
                // One that no row knows is none, as the caller's cloud says of one that it does not have.
                Err(fault) if fault.kind == FaultKind::UnknownLoadBalancer => continue,
                Err(fault) => return Err(fault),
            };
            for LoadBalancerRef { id, place } in found {
                match asks.iter_mut().find(|(known, _)| *known == place) {
                    Some((_, ids)) => ids.push(id),
                    None => asks.push((place, vec![id])),
                }
            }
        }
        if list.filter.ids.is_empty() {
            let places = self.route.balancer_places(&list.place)?;
            asks.extend(places.into_iter().map(|place| (place, Vec::new())));
        }
        let mut found = Vec::new();
        for (place, ids) in asks {
            found.extend(self.balancers_in(place, ids, list.detail).await?);
        }
        Ok(found)
    }

    /// The load balancers of one place, from all pages: those of these ids, or all.
    async fn balancers_in(
        &self,
        place: Place,
        ids: Vec<LoadBalancerId>,
        detail: Detail,
    ) -> Result<Vec<LoadBalancer>, Fault> {
        let filter = LoadBalancerFilter { ids, ..LoadBalancerFilter::default() };
        let mut found: Vec<LoadBalancer> = Vec::new();
        for _ in 0..MOST_PAGES {
            let page = Page { offset: found.len(), ..Page::FIRST };
            let step = ListLoadBalancers { place: place.clone(), filter: filter.clone(), page, detail };
            let reply = self.call(&Operation::ListLoadBalancers(step)).await?;
            let Outcome::LoadBalancers(told, total) = reply else { return Err(misfit()) };
            let complete = told.is_empty() || found.len() + told.len() >= total;
            found.extend(told.into_iter().map(|balancer| LoadBalancer { place: place.clone(), ..balancer }));
            if complete {
                break;
            }
        }
        Ok(found)
    }

    fn load_balancer_here(&self, here: LoadBalancerRef, there: LoadBalancer) -> LoadBalancer {
        let region = here.place.region.or_else(|| self.route.region_here(&there.place));
        let place = Place { region, project: here.place.project };
        LoadBalancer { id: here.id, place, ..there }
    }

    /// A load balancer with as much of its groups as is asked for.
    async fn detailed(
        &self,
        balancer: LoadBalancer,
        there: &[LoadBalancerRef],
        detail: Detail,
    ) -> Result<LoadBalancer, Fault> {
        if detail == Detail::Summary {
            return Ok(balancer);
        }
        let here = LoadBalancerRef { id: balancer.id.clone(), place: balancer.place.clone() };
        let mut found = Vec::new();
        for own in there {
            let groups = self.own_groups(&here, own, true).await?;
            found.extend(groups.into_iter().map(|(pair, group)| (own.clone(), pair, group)));
        }
        let group_count = found.len();
        let groups = match detail {
            Detail::Groups => self.with_members(found, true).await?,
            Detail::GroupCount | Detail::Summary => Vec::new(),
        };
        Ok(LoadBalancer { groups, group_count, ..balancer })
    }

    /// The groups of a load balancer that belong to this one of the caller's, by both names. Load balancers of the caller
    /// may share one of the target's: a group without a row then belongs to the first.
    async fn own_groups(
        &self,
        here: &LoadBalancerRef,
        there: &LoadBalancerRef,
        listeners: bool,
    ) -> Result<Vec<(GroupPair, Group)>, Fault> {
        let told = |fault: Fault| {
            let absent = fault.kind == FaultKind::UnknownLoadBalancer;
            Fault { field: if absent { Some(here.id.to_string().into()) } else { fault.field }, ..fault }
        };
        let groups = self.groups(there, listeners).await.map_err(told)?;
        let first = self.route.balancers_here(&there.id).into_iter().next();
        let shared = first.is_none_or(|first| first.id == here.id);
        let pair = |group: Group| {
            let name = group.id.clone();
            let key = key_of(self.route, &name);
            let made_on = || self.parts.kept.remembered_group(&key).load_balancer;
            let known = match self.route.row_of(&name) {
                Some(row) => row.load_balancer.clone(),
                None => made_on(),
            };
            // One that the caller names by the target's own id holds whatever the target says.
            let own = known.map_or(shared, |known| known == here.id) || here.id == there.id;
            let mut named = self.route.group_here(&name, Some(&here.id));
            named.load_balancer.get_or_insert_with(|| here.id.clone());
            own.then_some((GroupPair { here: named, there: name }, group))
        };
        Ok(groups.into_iter().filter_map(pair).collect())
    }

    /// Groups in the caller's ids, with what they hold where that is asked for.
    async fn with_members(
        &self,
        found: Vec<(LoadBalancerRef, GroupPair, Group)>,
        members: bool,
    ) -> Result<Vec<Group>, Fault> {
        if !members || self.route.there.capability.lists_members {
            return Ok(found.into_iter().map(|(_, pair, group)| self.group_here(&pair, group)).collect());
        }
        let mut balancers: Vec<LoadBalancerRef> = Vec::new();
        for (balancer, _, _) in &found {
            if !balancers.contains(balancer) {
                balancers.push(balancer.clone());
            }
        }
        let pairs = found.into_iter().map(|(_, pair, group)| (pair, group)).collect();
        let checks = async {
            let mut checks = Vec::new();
            for balancer in &balancers {
                checks.extend(self.checks(balancer).await?);
            }
            Ok::<_, Fault>(checks)
        };
        let (described, checks) = join(self.described(pairs), checks).await;
        let checks = checks?;
        let here = |(pair, mut group): (GroupPair, Group)| {
            lay_health(&mut group, &checks);
            self.group_here(&pair, group)
        };
        Ok(described?.into_iter().map(here).collect())
    }

    /// The listeners of a group and the health of its members, from a target that tells of them elsewhere.
    async fn complete(&self, pair: &GroupPair, group: &mut Group) -> Result<(), Fault> {
        let told = group.id.load_balancer.clone().or_else(|| pair.there.load_balancer.clone());
        let Some(id) = told else { return Ok(()) };
        let balancer = LoadBalancerRef { id, place: pair.there.place.clone() };
        let (checks, groups) = join(self.checks(&balancer), self.groups(&balancer, true)).await;
        lay_health(group, &checks?);
        match groups {
            Ok(groups) => {
                let same = |listed: &&Group| listed.id.group == pair.there.group;
                group.listeners = groups.iter().find(same).map_or_else(Vec::new, |own| own.listeners.clone());
            }
            Err(fault) if is_momentary(fault.kind) => return Err(fault),
            Err(fault) => tracing::warn!(%fault, "the listeners of a group cannot be read"),
        }
        Ok(())
    }

    fn balancer_of(&self, pair: &GroupPair, group: &Group) -> Option<LoadBalancerId> {
        let there = group.id.load_balancer.as_ref().or(pair.there.load_balancer.as_ref())?;
        self.route.balancers_here(there).into_iter().next().map(|balancer| balancer.id)
    }

    /// What a read cannot tell the caller, since the caller's cloud has no words for it, is reported.
    fn report_hidden(&self, members: &[Member], losses: &mut Vec<Loss>) {
        let table = &self.route.here.backend;
        let addresses = members.iter().filter(|member| is_own_id(&member.backend.target));
        for member in addresses {
            let reason = format!("{} is a bare address of {}", member.backend, self.route.there.title);
            losses.push(Loss { field: Lost::Backend(Field::Kind), reason });
        }
        for member in members {
            let Ok(written) = table.write(&member.backend) else { continue };
            for (field, policy) in written.losses {
                // A reply tells an address in a field of its own.
                if policy != LossPolicy::Remember && field != Field::Address {
                    let reason = format!(
                        "{} has no place for the {} of {}",
                        self.route.here.title,
                        field.name(),
                        member.backend
                    );
                    losses.push(Loss { field: Lost::Backend(field), reason });
                }
            }
        }
    }
}

/// Whether a server is shown by its address for want of an id.
fn is_own_id(target: &Target) -> bool {
    matches!(target, Target::Resource { id, .. } if id.as_str().parse::<IpAddr>().is_ok())
}

fn check_of(group: &Group, member: &Member) -> Checked {
    Checked {
        target: member.backend.target.clone(),
        port: member.backend.port,
        listener: group.listeners.first().cloned(),
        health: member.health,
    }
}

/// A member that is checked behind several listeners is as ill as behind the worst.
fn lay_health(group: &mut Group, checks: &[Checked]) {
    for member in &mut group.members {
        let own = |check: &&Checked| {
            check.port == member.backend.port && check.target.same_as(&member.backend.target)
        };
        let states: Vec<Health> = checks.iter().filter(own).map(|check| check.health).collect();
        member.health = [Health::Unhealthy, Health::Healthy]
            .into_iter()
            .find(|state| states.contains(state))
            .unwrap_or(Health::Unknown);
    }
}
