//! The groups: what they are, how they are made, changed and unmade.

use super::{CREATED, Held, Numbers, State, history::History};
use crate::{
    mapping::Cloud,
    model::{
        Checked, CreateGroup, DescribeHealth, Fault, FaultKind, Group, GroupField, GroupId, GroupRef,
        ListGroups, Listener, ListenerOption, Port, Protocol, UpdateGroup,
    },
};

/// The groups of a cloud at the start: empty, and each behind a listener of its own.
pub(super) fn at_first(names: Vec<GroupRef>, cloud: &Cloud) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for name in names {
        // Two rows of the resource map may stand for one group.
        if groups.iter().any(|known| is_same(&known.id, &name)) {
            continue;
        }
        let (protocol, first) = cloud
            .group
            .listener
            .as_ref()
            .map_or((Protocol::Tcp, 80), |names| (names.default_protocol, names.default_port.get()));
        let taken = |port: &Port| {
            let beside = groups.iter().filter(|known| known.id.load_balancer == name.load_balancer);
            beside.flat_map(|known| &known.listeners).any(|listener| listener.port == *port)
        };
        let free = (u32::from(first)..).map_while(Port::new).find(|port| !taken(port));
        let listeners = free.map(|port| Listener { protocol, port }).into_iter().collect();
        let called = Some(cloud.group.default_name.clone());
        groups.push(Group { name: called, listeners, created: Some(CREATED), ..Group::of(name, Vec::new()) });
    }
    groups
}

/// The fault of a group that is not there.
pub(super) fn unknown(group: &GroupId) -> Fault {
    Fault::of_field(FaultKind::UnknownGroup, group.to_string(), "")
}

/// The group of this name, to change it.
pub(super) fn find<'g>(groups: &'g mut [History], name: &GroupRef) -> Result<&'g mut History, Fault> {
    let is_it =
        |known: &&mut History| known.is(name.load_balancer.as_ref(), &name.group) && known.truth().is_some();
    groups.iter_mut().find(is_it).ok_or_else(|| unknown(&name.group))
}

impl State {
    /// What a group is and holds, as reads see it.
    pub(in crate::simulator) fn describe(&self, name: &GroupRef) -> Result<Group, Fault> {
        let (held, moment) = (self.lock(), self.moment());
        let mut named = held.groups.iter().filter(|known| known.is(name.load_balancer.as_ref(), &name.group));
        let shown = named.find_map(|known| known.shown(moment));
        shown.map(|group| held.ailing.told(group)).ok_or_else(|| unknown(&name.group))
    }

    /// A part of the groups of a load balancer, and how many there are in all.
    pub(in crate::simulator) fn list_groups(&self, list: &ListGroups) -> Result<(Vec<Group>, usize), Fault> {
        let ListGroups { load_balancer, page, listeners: _, members: _ } = list;
        let id = &self.balancer(&load_balancer.id)?.id;
        let groups: Vec<Group> = self.lock().shown(id, self.moment()).collect();
        let total = groups.len();
        Ok((page.of(groups), total))
    }

    /// What health checks say of every backend behind every listener that is asked for.
    pub(in crate::simulator) fn describe_health(
        &self,
        asked: &DescribeHealth,
    ) -> Result<Vec<Checked>, Fault> {
        let DescribeHealth { load_balancer, port, protocol } = asked;
        let id = &self.balancer(&load_balancer.id)?.id;
        let (held, mut checked) = (self.lock(), Vec::new());
        for group in held.shown(id, self.moment()) {
            let asked = |listener: &&Listener| {
                port.is_none_or(|port| port == listener.port)
                    && protocol.is_none_or(|protocol| protocol == listener.protocol)
            };
            for listener in group.listeners.iter().filter(asked) {
                checked.extend(group.members.iter().map(|member| Checked {
                    target: member.backend.target.clone(),
                    port: member.backend.port,
                    listener: Some(listener.clone()),
                    health: member.health,
                }));
            }
        }
        Ok(checked)
    }

    /// Makes a group with all that it is to hold, or none.
    pub(in crate::simulator) fn create_group(&self, create: CreateGroup) -> Result<Group, Fault> {
        let CreateGroup { load_balancer, name, listener, options, backends } = create;
        let balancer = self.balancer(&load_balancer.id)?;
        let (mut held, moment) = (self.lock(), self.moment());
        let Held { groups, ailing, numbers } = &mut *held;
        let id = GroupRef {
            load_balancer: Some(balancer.id.clone()),
            group: self.fresh_id(groups, numbers)?,
            place: balancer.place.clone(),
        };
        let listeners = self.listener_of(listener, &id, groups)?.into_iter().collect();
        let members = self.fresh(&[], &backends, numbers)?;
        let name = name.unwrap_or_else(|| self.cloud.group.default_name.clone());
        let made =
            Group { name: Some(name), listeners, options, created: Some(CREATED), ..Group::of(id, members) };
        let told = ailing.told(&made);
        groups.retain(|known| !known.is_over(moment));
        groups.push(History::of_new(made, moment));
        Ok(told)
    }

    /// Changes all that is asked for, or nothing. Of the members, those come back that the request named; all of them
    /// if it named none.
    pub(in crate::simulator) fn update_group(&self, update: UpdateGroup) -> Result<Group, Fault> {
        let UpdateGroup { group: asked, name, options, changes } = update;
        let mut held = self.lock();
        let Held { groups, ailing, numbers: _ } = &mut *held;
        find(groups, &asked)?.change(self.moment(), |group| {
            if let Some(name) = name {
                group.name = Some(name);
            }
            for option in options {
                set(&mut group.options, option);
            }
            let mut named = Vec::new();
            for change in &changes {
                named.push(self.apply(change, &mut group.members)?.clone());
            }
            let members = if changes.is_empty() { &group.members } else { &named };
            let members = ailing.checked(&group.listeners, members);
            Ok(Group { members, count: group.members.len(), ..group.clone() })
        })
    }

    /// Unmakes a group.
    pub(in crate::simulator) fn delete_group(&self, name: &GroupRef) -> Result<(), Fault> {
        let mut held = self.lock();
        let group = find(&mut held.groups, name)?;
        let is_bound = group.truth().is_some_and(|group| !group.listeners.is_empty());
        if is_bound && !self.cloud.group.is_listener() {
            let detail = "a listener sends it traffic";
            return Err(Fault::of_field(FaultKind::GroupInUse, name.group.to_string(), detail));
        }
        group.end(self.moment());
        Ok(())
    }

    /// The listener that a new group is; none on clouds where a group is none.
    fn listener_of(
        &self,
        asked: Option<Listener>,
        group: &GroupRef,
        groups: &[History],
    ) -> Result<Option<Listener>, Fault> {
        let Some(names) = &self.cloud.group.listener else { return Ok(None) };
        let default = || Listener { protocol: names.default_protocol, port: names.default_port };
        let listener = asked.unwrap_or_else(default);
        let beside = groups.iter().filter_map(History::truth);
        let mut listeners = beside
            .filter(|other| other.id.load_balancer == group.load_balancer)
            .flat_map(|other| &other.listeners);
        if listeners.any(|other| other.port == listener.port) {
            let field = self.cloud.group.wire_name(GroupField::Listener).to_owned();
            let detail = format!("there is a listener on port {}", listener.port);
            return Err(Fault::of_field(FaultKind::PortTaken, field, detail));
        }
        Ok(Some(listener))
    }

    /// An id that no group has.
    fn fresh_id(&self, groups: &[History], numbers: &mut Numbers) -> Result<GroupId, Fault> {
        loop {
            numbers.group += 1;
            let id = GroupId::new(format!("{}-sim{:05}", self.prefix, numbers.group))
                .ok_or_else(|| Fault::new(FaultKind::Internal, "an id without text"))?;
            if groups.iter().all(|known| known.name.group != id) {
                return Ok(id);
            }
        }
    }
}

fn is_same(one: &GroupRef, other: &GroupRef) -> bool {
    one.group == other.group && one.load_balancer == other.load_balancer
}

fn set(options: &mut Vec<ListenerOption>, option: ListenerOption) {
    match options.iter_mut().find(|known| known.name == option.name) {
        Some(known) => known.value = option.value,
        None => options.push(option),
    }
}
