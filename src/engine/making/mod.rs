//! Makes groups, with what they are to hold: all of it or nothing.
//!
//! `call` makes one at the target, and is sure of what a lost answer means; `fill` puts the first backends into it, and unmakes
//! it where that fails or was cut short.

mod call;
mod fill;

use super::{
    add::plan::items,
    execute::Execution,
    journal::{Deed, Intent, Making},
    pair::{GroupPair, key_of},
};
use crate::{
    model::{
        CreateGroup, Fault, FaultKind, Group, GroupField, Listener, LoadBalancerRef, Loss, Outcome, Protocol,
    },
    store::RememberedGroup,
};

impl Execution<'_> {
    /// Makes a group, with what it is to hold from the start.
    pub(in crate::engine) async fn create_group(
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
}
