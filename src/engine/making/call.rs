//! The call that makes a group, and what a lost answer to it means.

use tokio::time::sleep;

use crate::{
    engine::{add::settle::LOOKS, execute::Execution, look::misfit},
    mapping::GroupTemplate,
    model::{
        CreateGroup, Fault, FaultKind, Group, GroupId, GroupRef, Listener, ListenerOption, Operation,
        Outcome, Port,
    },
};

/// How often a port is tried that somebody else has taken between the look and the call.
const PORT_TRIES: usize = 5;

impl Execution<'_> {
    /// Makes the group at the target. A group that is a listener there gets the first free port of its template.
    pub(super) async fn make(&self, create: &CreateGroup, before: &[Group]) -> Result<Group, Fault> {
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
    pub(super) fn fresh(&self, step: CreateGroup, group: GroupId) -> Group {
        let CreateGroup { load_balancer, name, listener, options, backends: _ } = step;
        let id = GroupRef { load_balancer: Some(load_balancer.id), group, place: load_balancer.place };
        let (listeners, created) = (listener.into_iter().collect(), Some(self.at));
        Group { name, listeners, options, created, ..Group::of(id, Vec::new()) }
    }

    /// The group whose creation was never answered; none if it does not show.
    ///
    /// # Errors
    /// Why the last look told nothing.
    pub(super) async fn landed(
        &self,
        step: &CreateGroup,
        before: &[GroupId],
    ) -> Result<Option<GroupId>, Fault> {
        let mut told = Ok(None);
        for pause in LOOKS {
            sleep(pause).await;
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

    fn template(&self) -> Result<&GroupTemplate, Fault> {
        let own = self.route.client.template.as_ref().or(self.route.there.group.template.as_ref());
        own.ok_or_else(|| {
            let detail = "the gateway has no `[template]` to make a group with";
            Fault::new(FaultKind::CannotHold, detail)
        })
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
