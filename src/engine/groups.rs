//! Operations on groups: create, delete, rename.

use tracing::{error, warn};

use super::{
    add::{
        ends::End,
        plan::{Item, items},
        settle::LOOKS,
    },
    change::{Aim, Renaming, moves::Moves, recover::Found},
    execute::Execution,
    journal::{Deed, Intent, Making},
    look::{is_momentary, misfit},
    pair::{GroupPair, key_of},
};
use crate::{
    config::OnLoss,
    crypto::sha256,
    mapping::{GroupTemplate, NamesBackends},
    model::{
        CreateGroup, Fault, FaultKind, Group, GroupField, GroupId, GroupRef, Listener, ListenerOption,
        LoadBalancerRef, Loss, LossPolicy, Lost, Member, Operation, Outcome, Port, Protocol, UpdateGroup,
    },
    store::RememberedGroup,
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
        let name = create.name.as_deref().map(|name| self.name_there(name, losses)).transpose()?;
        let items = items(self.route, &create.backends, losses)?;
        let kept = self.kept_of_new(create, name.as_deref(), losses)?;
        self.turn_to_make(&balancer).await?;
        let before = self.groups(&balancer, true).await.map_err(|fault| self.of_balancer(fault, create))?;
        self.check_port(create, &before)?;
        // Which listener it becomes there, if any, is not the caller's to say.
        let there = CreateGroup { name, load_balancer: balancer.clone(), listener: None, ..create.clone() };
        let making = Making {
            asked: create.clone(),
            there: there.clone(),
            before: before.iter().map(|group| group.id.group.clone()).collect(),
            items: items.clone(),
            kept: kept.clone(),
        };
        let intent = Intent::on(self.route, Deed::Make(Box::new(making)));
        self.begin(&self.lane_of(&balancer), &intent).await?;
        let made = self.make(&there, &before).await.map_err(|fault| self.of_balancer(fault, create))?;
        let pair = self.pair_made(create, &made);
        self.parts.recents.made(self.route, &pair, &made);
        let members = self.fill(&pair, items, kept).await?;
        let group = self.group_here(&pair, made);
        Ok(Outcome::Created(Group { count: members.len(), members, ..group }))
    }

    /// Unmakes a group.
    pub(super) async fn delete_group(&self, group: &GroupRef) -> Result<Outcome, Fault> {
        let pair = GroupPair::of(self.route, group)?;
        self.turn_to_change(&pair, true).await?;
        if let Err(fault) = self.call(&Operation::DeleteGroup(pair.there.clone())).await {
            let gone = if fault.kind.leaves_doubt() { self.is_gone(&pair).await } else { Some(false) };
            if gone != Some(true) {
                let doubt = match (fault.kind.leaves_doubt(), gone) {
                    (false, _) => "",
                    (true, Some(_)) => "; afterwards the group was still there",
                    (true, None) => "; it could NOT be found out whether the group is gone",
                };
                let detail = format!("{}{doubt}", fault.detail).into();
                let field = Some(pair.here.group.to_string().into());
                return Err(Fault { field, detail, ..fault });
            }
        }
        self.forget_group(&pair);
        self.parts.recents.unmade(self.route, &pair);
        self.forget_answers(&pair);
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
        let name_there = name.as_deref().map(|name| self.name_there(name, losses)).transpose()?;
        self.turn_to_change(&pair, true).await?;
        // A caller in whose cloud ids name backends changes them by their ids, and is told nothing of the group.
        let blind = name.is_some()
            && changes.is_empty()
            && self.route.here.capability.names_backends == NamesBackends::Id;
        let holds = if blind { Group::of(pair.there.clone(), Vec::new()) } else { self.group(&pair).await? };
        let moves = self.updates(&pair, &holds.members, changes, losses)?;
        let settings = self.settings(&pair, options, name.as_deref().zip(name_there.as_deref()), losses)?;
        let name_there = name_there.map(|to| Renaming { from: holds.name.clone(), to });
        let aim = Aim { name: name_there, settings, ..Aim::of(&pair, moves) };
        let moves = aim.moves.clone();
        self.achieve(aim).await?;
        self.forget_answers(&pair);
        let told = self.changed(&pair, holds, name.as_deref(), &moves);
        Ok(Outcome::GroupUpdated(told))
    }

    /// The group after its change: the members that were named, or, if none was, all of them.
    fn changed(&self, pair: &GroupPair, holds: Group, name: Option<&str>, moves: &Moves) -> Group {
        let name = name.map(str::to_owned).or(holds.name);
        let named: Vec<Member> =
            moves.others.iter().map(|step| self.member_here(pair, &step.after(), &holds.members)).collect();
        let all = self.group_here(pair, Group { name, ..holds });
        Group { members: if named.is_empty() { all.members } else { named }, ..all }
    }

    /// Makes the group at the target. A group that is a listener there gets the first free port of its template.
    async fn make(&self, create: &CreateGroup, before: &[Group]) -> Result<Group, Fault> {
        if !self.route.there.group.is_listener() {
            return self.make_once(create, None, Vec::new(), before).await;
        }
        let template = self.template()?;
        let mut taken: Vec<Port> =
            before.iter().flat_map(|group| &group.listeners).map(|listener| listener.port).collect();
        for _ in 0..PORT_TRIES {
            let port = free_port(template, &taken).ok_or_else(|| no_port(template))?;
            let listener = Some(Listener { protocol: template.protocol, port });
            match self.make_once(create, listener, template.options.clone(), before).await {
                Err(fault) if fault.kind == FaultKind::PortTaken => taken.push(port),
                made => return made,
            }
        }
        Err(no_port(template))
    }

    /// One try, in the target's ids. A lost answer has landed if a group of this name is there that was not there before.
    async fn make_once(
        &self,
        create: &CreateGroup,
        listener: Option<Listener>,
        options: Vec<ListenerOption>,
        before: &[Group],
    ) -> Result<Group, Fault> {
        let step = CreateGroup { listener, options, backends: Vec::new(), ..create.clone() };
        let reply = self.call(&Operation::CreateGroup(step.clone())).await;
        let fault = match reply {
            Ok(Outcome::Created(told)) => return Ok(self.fresh(step, told.id.group)),
            Ok(_) => misfit(),
            Err(fault) => fault,
        };
        if !fault.kind.leaves_doubt() {
            return Err(fault);
        }
        let known: Vec<GroupId> = before.iter().map(|group| group.id.group.clone()).collect();
        if let Ok(Some(group)) = self.landed(&step, &known).await {
            return Ok(self.fresh(step, group));
        }
        let goes_on = self.goes_on(true);
        let detail =
            format!("{}; it could NOT be found out whether the group was made{goes_on}", fault.detail);
        Err(Fault { detail: detail.into(), ..fault })
    }

    /// The group that a step has made.
    fn fresh(&self, step: CreateGroup, group: GroupId) -> Group {
        let CreateGroup { load_balancer, name, listener, options, backends: _ } = step;
        let id = GroupRef { load_balancer: Some(load_balancer.id), group, place: load_balancer.place };
        let (listeners, created) = (listener.into_iter().collect(), Some(self.at));
        Group { name, listeners, options, created, ..Group::of(id, Vec::new()) }
    }

    /// The group whose creation was never answered; none if it does not show.
    ///
    /// # Errors
    /// Why the last look told nothing.
    async fn landed(&self, step: &CreateGroup, before: &[GroupId]) -> Result<Option<GroupId>, Fault> {
        let mut told = Ok(None);
        for pause in LOOKS {
            tokio::time::sleep(pause).await;
            let groups = match self.groups(&step.load_balancer, true).await {
                Ok(groups) => groups,
                Err(fault) => {
                    told = Err(fault);
                    continue;
                }
            };
            let is_new = |group: &&Group| {
                !before.contains(&group.id.group)
                    && group.name == step.name
                    && step.listener.as_ref().is_none_or(|listener| group.listeners.contains(listener))
            };
            let mut found = groups.iter().filter(is_new);
            // Two of them may be somebody else's as well.
            if let (Some(group), None) = (found.next(), found.next()) {
                return Ok(Some(group.id.group.clone()));
            }
            told = Ok(None);
        }
        told
    }

    /// Puts the first backends into a new group. If that fails there is no group either.
    async fn fill(
        &self,
        pair: &GroupPair,
        items: Vec<Item>,
        kept: RememberedGroup,
    ) -> Result<Vec<Member>, Fault> {
        let moves = Moves { adds: items, others: Vec::new() };
        let aim = Aim { settings: Some(kept), before: Some(Vec::new()), ..Aim::of(pair, moves) };
        if aim.moves.adds.is_empty() {
            self.reached(&aim, &[]);
            return Ok(Vec::new());
        }
        match self.fill_in_its_lane(&aim).await {
            Ok(members) => Ok(members),
            Err(fault) => {
                let left = self.unmake(pair).await;
                Err(Fault { detail: format!("{}. {left}", fault.detail).into(), ..fault })
            }
        }
    }

    async fn fill_in_its_lane(&self, aim: &Aim) -> Result<Vec<Member>, Fault> {
        self.turn(&aim.pair, true).await?;
        let intent = Intent::on(self.route, Deed::Fill(Box::new(aim.clone())));
        self.come_to(&aim.pair.key(self.route), &intent).await?;
        self.leave_first_lane();
        let mut ends: Vec<End> = aim.moves.adds.iter().map(|_| End::Untried).collect();
        self.reach(aim, &mut ends).await?;
        Ok(self.reached(aim, &ends))
    }

    /// Unmakes a group that a failed call had made, and tells what came of it.
    async fn unmake(&self, pair: &GroupPair) -> String {
        match self.surely(pair, &Operation::DeleteGroup(pair.there.clone())).await {
            Ok(_) => {
                self.forget_group(pair);
                self.parts.recents.unmade(self.route, pair);
                "The group was not kept".to_owned()
            }
            Err(stuck) => {
                error!(fault = %stuck, group = %pair.there.group, "a group that a failed call had made cannot be deleted");
                let goes_on = self.goes_on(is_momentary(stuck.kind));
                format!("The group could NOT be deleted again and is `{}`{goes_on}", pair.here.group)
            }
        }
    }

    /// A group whose filling was cut short is found full, or unmade. That it does not show says nothing while it is new.
    pub(super) async fn put_filling_right(&self, aim: &Aim) -> Result<Found, Fault> {
        let mut told = Ok(Found::TakenBack);
        for pause in LOOKS {
            tokio::time::sleep(pause).await;
            told = match self.group(&aim.pair).await {
                Ok(group) => {
                    let ends = self.ends_shown(aim, &group.members);
                    if ends.iter().all(|end| end.member().is_some()) {
                        self.reached(aim, &ends);
                        return Ok(Found::Whole);
                    }
                    Ok(Found::TakenBack)
                }
                Err(fault) if fault.kind == FaultKind::UnknownGroup => Ok(Found::TakenBack),
                Err(fault) => Err(fault),
            };
        }
        told?;
        self.unmake_cut_short(&aim.pair).await
    }

    /// A group whose making was cut short is found whole where nothing was to be put into it, or unmade.
    pub(super) async fn put_making_right(&self, making: &Making) -> Result<Found, Fault> {
        let Some(group) = self.landed(&making.there, &making.before).await? else {
            return Ok(Found::TakenBack);
        };
        let made = self.fresh(making.there.clone(), group);
        let pair = self.pair_made(&making.asked, &made);
        if !making.items.is_empty() {
            return self.unmake_cut_short(&pair).await;
        }
        let settings = Some(making.kept.clone());
        self.reached(&Aim { settings, ..Aim::of(&pair, Moves::default()) }, &[]);
        Ok(Found::Whole)
    }

    async fn unmake_cut_short(&self, pair: &GroupPair) -> Result<Found, Fault> {
        warn!(group = %pair.there.group, "a group whose making was cut short is unmade");
        self.surely(pair, &Operation::DeleteGroup(pair.there.clone())).await?;
        self.forget_group(pair);
        self.parts.recents.unmade(self.route, pair);
        Ok(Found::TakenBack)
    }

    /// A group that was just made, by both names.
    fn pair_made(&self, create: &CreateGroup, made: &Group) -> GroupPair {
        let here = self.route.group_here(&made.id, Some(&create.load_balancer.id));
        GroupPair { here, there: made.id.clone() }
    }

    /// A fault that concerns the load balancer of a new group.
    fn of_balancer(&self, fault: Fault, create: &CreateGroup) -> Fault {
        let field = if fault.kind == FaultKind::PortTaken {
            self.route.here.group.wire_name(GroupField::Listener).to_owned()
        } else if fault.kind == FaultKind::UnknownLoadBalancer {
            create.load_balancer.id.to_string()
        } else {
            return fault;
        };
        Fault { field: Some(field.into()), ..fault }
    }

    /// A caller in whose cloud a group is a listener is refused a port that another has.
    fn check_port(&self, create: &CreateGroup, before: &[Group]) -> Result<(), Fault> {
        let Some(wanted) = &create.listener else { return Ok(()) };
        let conflicts = |listener: &Listener| {
            let datagrams = |listener: &Listener| listener.protocol == Protocol::Udp;
            listener.port == wanted.port && datagrams(listener) == datagrams(wanted)
        };
        let takes = |group: &&Group| {
            let kept = self.parts.kept.remembered_group(&key_of(self.route, &group.id));
            let own = kept.load_balancer.is_none_or(|own| own == create.load_balancer.id);
            own && (kept.listener.iter().any(conflicts) || group.listeners.iter().any(conflicts))
        };
        match before.iter().find(takes) {
            None => Ok(()),
            Some(group) => {
                let name = group.name.as_deref().unwrap_or_default();
                let detail = format!("the port {} is that of the group `{name}`", wanted.port);
                let field = self.route.here.group.wire_name(GroupField::Listener).to_owned();
                Err(Fault::of_field(FaultKind::PortTaken, field, detail))
            }
        }
    }

    /// The one load balancer of the target on which a group can be made.
    fn only_balancer(&self, balancer: &LoadBalancerRef) -> Result<LoadBalancerRef, Fault> {
        if let Some(row) = self.route.balancer_for_groups(balancer)? {
            return Ok(row);
        }
        let found = self.route.balancers(balancer)?;
        if let [only] = found.as_slice() {
            return Ok(only.clone());
        }
        let names = found.iter().map(|known| known.id.as_str()).collect::<Vec<_>>().join(", ");
        let detail = format!(
            "`{}` stands for several load balancers of {}: {names}; a [[load_balancer]] row of the resource map says on which one groups are made",
            balancer.id, self.route.there.title
        );
        Err(Fault::of_field(FaultKind::CannotHold, balancer.id.to_string(), detail))
    }

    /// The name as the target takes it: one that is too long is kept, and a shorter one stands for it there.
    fn name_there(&self, name: &str, losses: &mut Vec<Loss>) -> Result<String, Fault> {
        let (_, most) = self.route.there.group.name_length;
        let length = name.chars().count();
        if length <= most as usize {
            return Ok(name.to_owned());
        }
        let what = format!("a name of {length} characters, and takes {most}");
        self.lose(GroupField::Name, &what, losses)?;
        Ok(shortened(name, most as usize))
    }

    fn template(&self) -> Result<&GroupTemplate, Fault> {
        let own = self.route.client.template.as_ref().or(self.route.there.group.template.as_ref());
        own.ok_or_else(|| {
            let detail = "the gateway has no `[template]` to make a group with";
            Fault::new(FaultKind::CannotHold, detail)
        })
    }

    /// What the target has no place for of a new group.
    fn kept_of_new(
        &self,
        create: &CreateGroup,
        name: Option<&str>,
        losses: &mut Vec<Loss>,
    ) -> Result<RememberedGroup, Fault> {
        let load_balancer = Some(create.load_balancer.id.clone());
        let name = create.name.clone().filter(|full| Some(full.as_str()) != name);
        let kept = RememberedGroup { name, load_balancer, ..RememberedGroup::default() };
        match &create.listener {
            Some(listener) if !self.route.there.group.is_listener() => {
                let what = format!("a listener on port {}", listener.port);
                self.lose(GroupField::Listener, &what, losses)?;
                let (listener, options) = (Some(listener.clone()), create.options.clone());
                Ok(RememberedGroup { listener, options, ..kept })
            }
            Some(_) | None => Ok(kept),
        }
    }

    /// What is to be kept of a changed group, where that is not what is kept now: settings of the listener that the caller
    /// takes the group for, laid over those that are kept, and a name that is longer than there.
    fn settings(
        &self,
        pair: &GroupPair,
        options: &[ListenerOption],
        name: Option<(&str, &str)>,
        losses: &mut Vec<Loss>,
    ) -> Result<Option<RememberedGroup>, Fault> {
        let before = self.parts.kept.remembered_group(&pair.key(self.route));
        let mut kept = before.clone();
        if !options.is_empty() {
            let names = options.iter().map(|option| option.name.as_str()).collect::<Vec<_>>().join(", ");
            self.lose(GroupField::Listener, &format!("settings of a listener ({names})"), losses)?;
            kept.options.retain(|known| options.iter().all(|option| option.name != known.name));
            kept.options.extend(options.iter().cloned());
        }
        if let Some((full, there)) = name {
            kept.name = (full != there).then(|| full.to_owned());
        }
        Ok((kept != before).then_some(kept))
    }

    /// What becomes of a field of a group that the target has no place for.
    fn lose(&self, field: GroupField, what: &str, losses: &mut Vec<Loss>) -> Result<(), Fault> {
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

    /// Whether the group is gone, now or in a moment; none if it could not be looked at.
    async fn is_gone(&self, pair: &GroupPair) -> Option<bool> {
        let mut gone = None;
        for pause in LOOKS {
            tokio::time::sleep(pause).await;
            gone = match self.look(pair).await {
                Ok(_) => Some(false),
                Err(fault) if fault.kind == FaultKind::UnknownGroup => return Some(true),
                Err(_) => None,
            };
        }
        gone
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
    Fault::new(FaultKind::PortTaken, detail)
}

/// As much of a name as fits, and a digest of the rest: two long names that begin alike stay two.
pub(super) fn shortened(name: &str, most: usize) -> String {
    let [a, b, c, d, ..] = sha256(name.as_bytes());
    let tail = format!("{:08x}", u32::from_be_bytes([a, b, c, d]));
    let head: String = name.chars().take(most.saturating_sub(tail.len() + 1)).collect();
    format!("{head}-{tail}")
}
