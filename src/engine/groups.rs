//! Operations on groups: create, delete, rename.

use tracing::error;

use super::{
    add::{
        plan::{Item, items},
        settle::LOOKS,
    },
    change::moves::Moves,
    execute::Execution,
    look::misfit,
    pair::GroupPair,
};
use crate::{
    config::OnLoss,
    mapping::{GroupTemplate, NamesBackends},
    model::{
        CreateGroup, Fault, FaultKind, Group, GroupField, GroupRef, Listener, ListenerOption,
        LoadBalancerRef, Loss, LossPolicy, Lost, Member, Operation, Outcome, Port, UpdateGroup,
    },
    store::{Remembered, RememberedGroup},
};

/// How often a port is tried that somebody else has taken between the look and the call.
const PORT_TRIES: usize = 5;

impl Execution<'_> {
    /// Makes a group, with what it is to hold from the start.
    pub(super) async fn create_group(
        &self,
        create: &CreateGroup,
        losses: &mut Vec<Loss>,
    ) -> Result<Outcome, Fault> {
        let balancer = self.only_balancer(&create.load_balancer)?;
        self.check_name(create.name.as_deref())?;
        let items = items(self.route, &create.backends, losses)?;
        let kept = self.listener_kept(create, losses)?;
        let made = self.make(create, &balancer).await?;
        let pair = self.pair_made(create, &balancer, &made);
        self.parts.recents.made(self.route, &pair, &made);
        self.parts.memory.remember_group(pair.key(self.route), kept);
        let members = if items.is_empty() { Vec::new() } else { self.fill(&pair, &items).await? };
        let group = Group { id: pair.here.clone(), count: members.len(), members, ..made };
        Ok(Outcome::Created(self.with_kept(&pair, group)))
    }

    /// Unmakes a group.
    pub(super) async fn delete_group(&self, group: &GroupRef) -> Result<Outcome, Fault> {
        let pair = GroupPair::of(self.route, group)?;
        let _turn = self.turn(&pair, true).await?;
        if let Err(fault) = self.call(&Operation::DeleteGroup(pair.there.clone())).await {
            let doubtful = fault.kind.leaves_doubt();
            if !doubtful || !self.is_gone(&pair).await {
                let still = if doubtful { "; afterwards the group was still there" } else { "" };
                let detail = format!("{}{still}", fault.detail).into();
                let field = Some(pair.here.group.to_string().into());
                return Err(Fault { field, detail, ..fault });
            }
        }
        self.parts.memory.forget_group(&pair.key(self.route));
        self.parts.recents.unmade(self.route, &pair);
        self.parts.repeats.forget(&pair.key(self.route));
        Ok(Outcome::Deleted)
    }

    /// Changes a group's name, settings and members: all of it or nothing.
    pub(super) async fn update_group(
        &self,
        update: &UpdateGroup,
        losses: &mut Vec<Loss>,
    ) -> Result<Outcome, Fault> {
        let UpdateGroup { group, name, options, changes } = update;
        let pair = GroupPair::of(self.route, group)?;
        self.check_name(name.as_deref())?;
        let _turn = self.turn(&pair, true).await?;
        // A caller in whose cloud ids name backends changes them by their ids, and is told nothing of the group.
        let blind = changes.is_empty() && self.route.here.capability.names_backends == NamesBackends::Id;
        let holds = if blind { Group::of(pair.there.clone(), Vec::new()) } else { self.group(&pair).await? };
        let moves = self.updates(&pair, &holds.members, changes, losses)?;
        let kept = self.options_kept(&pair, options, losses)?;
        let before = self.kept_before(&pair, &moves);
        self.carry(&pair, &moves).await?;
        if let Some(name) = name {
            self.rename(&pair, name, &moves, before).await?;
        }
        if let Some(kept) = kept {
            self.parts.memory.remember_group(pair.key(self.route), kept);
        }
        self.parts.repeats.forget(&pair.key(self.route));
        let told = self.changed(&pair, holds, name.as_deref(), &moves);
        Ok(Outcome::GroupUpdated(told))
    }

    /// The group after its change: the members that were named, or, if none was, all of them.
    fn changed(&self, pair: &GroupPair, holds: Group, name: Option<&str>, moves: &Moves) -> Group {
        let name = name.map(str::to_owned).or(holds.name);
        let named: Vec<Member> =
            moves.others.iter().map(|step| self.member_here(pair, &step.after())).collect();
        let all = self.group_here(pair, Group { name, ..holds });
        Group { members: if named.is_empty() { all.members } else { named }, ..all }
    }

    /// Whether the group shows this name, now or in a moment.
    async fn has_name(&self, pair: &GroupPair, name: &str) -> bool {
        for pause in LOOKS {
            tokio::time::sleep(pause).await;
            if self.look(pair).await.is_ok_and(|group| group.name.as_deref() == Some(name)) {
                return true;
            }
        }
        false
    }

    /// Gives a group another name. What was changed of its members before goes back if that fails.
    async fn rename(
        &self,
        pair: &GroupPair,
        name: &str,
        moves: &Moves,
        before: Vec<Remembered>,
    ) -> Result<(), Fault> {
        let step = Operation::UpdateGroup(UpdateGroup {
            group: pair.there.clone(),
            name: Some(name.to_owned()),
            options: Vec::new(),
            changes: Vec::new(),
        });
        let reply = match self.call(&step).await {
            Err(fault) if fault.kind.leaves_doubt() => {
                if self.has_name(pair, name).await {
                    Ok(())
                } else {
                    Err(fault)
                }
            }
            reply => reply.map(drop),
        };
        let Err(fault) = reply else {
            self.parts.recents.named(self.route, pair, name);
            return Ok(());
        };
        let what = self.take_back_moves(pair, moves, before).await;
        let doubt = if fault.kind.leaves_doubt() { "; the group did not show it afterwards" } else { "" };
        let told = fault.detail.trim_end_matches('.');
        let detail = format!("the name could not be changed: {told}{doubt}. {what}");
        Err(Fault { field: Some(self.field_at_fault(fault.kind, pair)), detail: detail.into(), ..fault })
    }

    /// Makes the group at the target. A group that is a listener there gets the first free port of its template.
    async fn make(&self, create: &CreateGroup, balancer: &LoadBalancerRef) -> Result<Group, Fault> {
        if !self.route.there.group.is_listener() {
            return self.make_once(create, balancer, None, Vec::new()).await;
        }
        let template = self.template()?;
        let groups = self.groups(balancer, true).await?;
        let mut taken: Vec<Port> =
            groups.iter().flat_map(|group| &group.listeners).map(|at| at.port).collect();
        for _ in 0..PORT_TRIES {
            let port = free_port(template, &taken).ok_or_else(|| no_port(template))?;
            let listener = Listener { protocol: template.protocol, port };
            let made =
                self.make_once(create, balancer, Some(listener.clone()), template.options.clone()).await;
            match made {
                Err(fault) if fault.kind == FaultKind::PortTaken => taken.push(port),
                Err(fault) if fault.kind.leaves_doubt() => {
                    return self.landed(create, balancer, &listener, &groups).await.ok_or(fault);
                }
                made => return made,
            }
        }
        Err(no_port(template))
    }

    async fn make_once(
        &self,
        create: &CreateGroup,
        balancer: &LoadBalancerRef,
        listener: Option<Listener>,
        options: Vec<ListenerOption>,
    ) -> Result<Group, Fault> {
        let (load_balancer, name) = (balancer.clone(), create.name.clone());
        let step = CreateGroup { load_balancer, name: name.clone(), listener, options, backends: Vec::new() };
        let listeners = step.listener.iter().cloned().collect();
        let reply = self.call(&Operation::CreateGroup(step.clone())).await.map_err(|fault| {
            let doubt = "; it could NOT be found out whether the group was made";
            let doubt = if fault.kind.leaves_doubt() { doubt } else { "" };
            let detail = format!("{}{doubt}", fault.detail);
            Fault { field: Some(create.load_balancer.id.to_string().into()), detail: detail.into(), ..fault }
        })?;
        let Outcome::Created(told) = reply else { return Err(misfit()) };
        let id = GroupRef {
            load_balancer: Some(balancer.id.clone()),
            group: told.id.group,
            place: balancer.place.clone(),
        };
        let created = Some(self.at);
        Ok(Group { name, listeners, options: step.options, created, ..Group::of(id, Vec::new()) })
    }

    /// The group whose creation was never answered: the one on that port that was not there before.
    async fn landed(
        &self,
        create: &CreateGroup,
        balancer: &LoadBalancerRef,
        listener: &Listener,
        before: &[Group],
    ) -> Option<Group> {
        for pause in LOOKS {
            tokio::time::sleep(pause).await;
            let Ok(groups) = self.groups(balancer, true).await else { continue };
            let is_new = |group: &&Group| {
                before.iter().all(|known| known.id.group != group.id.group)
                    && group.listeners.contains(listener)
                    && group.name == create.name
            };
            if let Some(found) = groups.iter().find(is_new) {
                return Some(found.clone());
            }
        }
        None
    }

    /// Puts the first backends into a new group. If that fails there is no group either.
    async fn fill(&self, pair: &GroupPair, items: &[Item]) -> Result<Vec<Member>, Fault> {
        let fault = match self.add(pair, items).await {
            Ok(members) => return Ok(members),
            Err(fault) => fault,
        };
        self.parts.memory.forget_group(&pair.key(self.route));
        let left = match self.surely(&Operation::DeleteGroup(pair.there.clone())).await {
            Ok(_) => {
                self.parts.recents.unmade(self.route, pair);
                "The group was not kept".to_owned()
            }
            Err(stuck) => {
                error!(fault = %stuck, group = %pair.there.group, "a group that a failed call had made cannot be deleted");
                format!("The group could NOT be deleted again and is `{}`", pair.here.group)
            }
        };
        Err(Fault { detail: format!("{}. {left}", fault.detail).into(), ..fault })
    }

    /// A group that was just made, by both names.
    fn pair_made(&self, create: &CreateGroup, balancer: &LoadBalancerRef, made: &Group) -> GroupPair {
        let load_balancer = Some(balancer.id.clone());
        let there = GroupRef { load_balancer, group: made.id.group.clone(), place: balancer.place.clone() };
        let here = self.route.group_here(&there, Some(&create.load_balancer.id));
        GroupPair { here, there }
    }

    fn with_kept(&self, pair: &GroupPair, group: Group) -> Group {
        let kept = self.parts.memory.remembered_group(&pair.key(self.route));
        let listeners = kept.listener.map_or(group.listeners, |listener| vec![listener]);
        Group { listeners, ..group }
    }

    /// The one load balancer of the target on which a group can be made.
    fn only_balancer(&self, balancer: &LoadBalancerRef) -> Result<LoadBalancerRef, Fault> {
        if let Some(row) = self.route.balancer_for_groups(balancer)? {
            return Ok(row);
        }
        let found = self.route.balancers(balancer)?;
        let names = found.iter().map(|known| known.id.to_string()).collect::<Vec<_>>().join(", ");
        match found.into_iter().next() {
            Some(only) if !names.contains(", ") => Ok(only),
            Some(_) | None => {
                let detail = format!(
                    "`{}` stands for several load balancers of {}: {names}; a [[load_balancer]] row of the resource map says on which one groups are made",
                    balancer.id, self.route.there.title
                );
                Err(Fault::of_field(FaultKind::CannotHold, balancer.id.to_string(), detail))
            }
        }
    }

    /// A name that the target would cut or refuse is refused before anything is sent.
    fn check_name(&self, name: Option<&str>) -> Result<(), Fault> {
        let table = &self.route.there.group;
        let (least, most) = table.name_length;
        let length = name.map_or(least as usize, |name| name.chars().count());
        if (least as usize..=most as usize).contains(&length) {
            return Ok(());
        }
        let own = self.route.here.group.name.clone();
        let detail = format!(
            "`{own}` has {length} characters, and {} takes {least} to {most}; choose another name",
            self.route.there.title
        );
        Err(Fault::of_field(FaultKind::CannotHold, own, detail))
    }

    fn template(&self) -> Result<&GroupTemplate, Fault> {
        let own = self.route.client.template.as_ref().or(self.route.there.group.template.as_ref());
        own.ok_or_else(|| {
            let detail = "the gateway has no `[template]` to make a group with";
            Fault::new(FaultKind::CannotHold, detail)
        })
    }

    /// The listener that the caller takes the new group for, which the target has no place for.
    fn listener_kept(&self, create: &CreateGroup, losses: &mut Vec<Loss>) -> Result<RememberedGroup, Fault> {
        let Some(listener) = create.listener.clone().filter(|_| !self.route.there.group.is_listener()) else {
            return Ok(RememberedGroup::default());
        };
        let what = format!("a listener on port {}", listener.port);
        self.lose_listener(&what, losses)?;
        Ok(RememberedGroup { listener: Some(listener), options: create.options.clone() })
    }

    /// Settings of the listener that the caller takes a group for, laid over those that are kept.
    fn options_kept(
        &self,
        pair: &GroupPair,
        options: &[ListenerOption],
        losses: &mut Vec<Loss>,
    ) -> Result<Option<RememberedGroup>, Fault> {
        if options.is_empty() {
            return Ok(None);
        }
        let names = options.iter().map(|option| option.name.as_str()).collect::<Vec<_>>().join(", ");
        self.lose_listener(&format!("settings of a listener ({names})"), losses)?;
        let mut kept = self.parts.memory.remembered_group(&pair.key(self.route));
        kept.options.retain(|known| options.iter().all(|option| option.name != known.name));
        kept.options.extend(options.iter().cloned());
        Ok(Some(kept))
    }

    fn lose_listener(&self, what: &str, losses: &mut Vec<Loss>) -> Result<(), Fault> {
        let field = GroupField::Listener;
        let reason = format!("a group of {} has no place for {what}", self.route.there.title);
        match (self.route.there.group.policy(field), self.route.client.on_loss) {
            (LossPolicy::Remember, _) => Ok(()),
            (LossPolicy::Report, _) | (LossPolicy::Refuse, OnLoss::Report) => {
                losses.push(Loss { field: Lost::Group(field), reason });
                Ok(())
            }
            (LossPolicy::Refuse, OnLoss::Refuse) => {
                let name = self.route.here.group.wire_name(field).to_owned();
                Err(Fault::of_field(FaultKind::CannotHold, name, reason))
            }
        }
    }

    async fn is_gone(&self, pair: &GroupPair) -> bool {
        for pause in LOOKS {
            tokio::time::sleep(pause).await;
            if self.look(pair).await.is_err_and(|fault| fault.kind == FaultKind::UnknownGroup) {
                return true;
            }
        }
        false
    }
}

fn free_port(template: &GroupTemplate, taken: &[Port]) -> Option<Port> {
    let (first, last) = template.ports;
    let mut ports = (first.get()..=last.get()).filter_map(|number| Port::new(number.into()));
    ports.find(|port| !taken.contains(port))
}

fn no_port(template: &GroupTemplate) -> Fault {
    let (first, last) = template.ports;
    let detail = format!(
        "no port from {first} to {last} is free on the load balancer; give the client's `template` other `ports`"
    );
    Fault::new(FaultKind::QuotaExceeded, detail)
}
