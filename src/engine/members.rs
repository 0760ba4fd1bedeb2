//! Operations on the members of a group: add, remove, update, replace.

use super::{
    add::plan::{Plan, plan, settle_loss},
    change::{Aim, lower::unknown_backend, moves::Moves},
    execute::Execution,
    pair::GroupPair,
};
use crate::{
    mapping::NamesBackends,
    model::{
        AddBackends, Backend, BackendRef, Change, Fault, FaultKind, Field, Group, GroupRef, Health, Loss,
        Member, Outcome, Refusal, RemoveBackends, ReplaceBackends, Scope, Traffic, UpdateBackends, Updated,
    },
};

impl Execution<'_> {
    /// An add; of nothing, it tells what the group holds.
    pub(super) async fn add_backends(
        &self,
        add: &AddBackends,
        losses: &mut Vec<Loss>,
    ) -> Result<Outcome, Fault> {
        let Plan { pair, items, losses: found } = plan(self.route, add, losses)?;
        *losses = found;
        if items.is_empty() {
            return Ok(Outcome::Added(Box::pin(self.members(&pair)).await?));
        }
        let aim = Aim::of(&pair, Moves { adds: items, others: Vec::new() });
        if self.goes_with_others(&aim) {
            return Ok(Outcome::Added(Box::pin(self.add_with_others(aim)).await?));
        }
        self.turn(&pair, aim.moves.adds.len() > 1 || self.has_parts(&aim)).await?;
        Ok(Outcome::Added(self.achieve(aim).await?))
    }

    /// A removal; of nothing, it tells what the group holds.
    pub(super) async fn remove_backends(&self, remove: &RemoveBackends) -> Result<Outcome, Fault> {
        let RemoveBackends { scope, backends } = remove;
        match self.route.here.capability.names_backends {
            NamesBackends::Address => self.remove_listed(scope, backends).await,
            NamesBackends::Id => self.remove_by_id(scope, backends).await,
        }
    }

    /// The caller names the group: it is looked at, since the target has ids of its own for what it holds.
    async fn remove_listed(&self, scope: &Scope, backends: &[BackendRef]) -> Result<Outcome, Fault> {
        let pair = GroupPair::of(self.route, &group_of(scope)?)?;
        if backends.is_empty() {
            return Ok(Outcome::Removed(self.members(&pair).await?));
        }
        self.turn_to_change(&pair, backends.len() > 1).await?;
        let group = self.group(&pair).await?;
        let others = self.removals(&pair, &group.members, backends)?;
        let told = others.iter().map(|step| self.member_here(&pair, &step.old, &group.members)).collect();
        self.achieve(Aim::of(&pair, Moves { adds: Vec::new(), others })).await?;
        self.forget_answers(&pair);
        Ok(Outcome::Removed(told))
    }

    /// The caller names backends by ids, which stay the same when a port changes: a look tells where they are now.
    async fn remove_by_id(&self, scope: &Scope, backends: &[BackendRef]) -> Result<Outcome, Fault> {
        for (pair, backends) in self.by_group(scope, backends)? {
            self.turn_to_change(&pair, backends.len() > 1).await?;
            let group = self.group(&pair).await?;
            for backend in &backends {
                self.belongs(scope, backend, &group)?;
            }
            let others = self.removals(&pair, &group.members, &backends)?;
            self.achieve(Aim::of(&pair, Moves { adds: Vec::new(), others })).await?;
            self.forget_answers(&pair);
            // One group after the other: who waits for two at once may wait for ever.
            self.conclude().await;
        }
        Ok(Outcome::Removed(Vec::new()))
    }

    /// A change of backends by their ids. One that is not there is told of beside the others, as the caller's cloud does.
    pub(super) async fn update_backends(
        &self,
        update: &UpdateBackends,
        losses: &mut Vec<Loss>,
    ) -> Result<Outcome, Fault> {
        let UpdateBackends { scope, changes } = update;
        let mut told: Vec<Updated> =
            changes.iter().map(|change| Updated { backend: change.backend.clone(), refusal: None }).collect();
        let mut groups: Vec<(GroupPair, Vec<usize>)> = Vec::new();
        for (place, change) in changes.iter().enumerate() {
            match self.holdable(change).and_then(|()| self.pair_of(scope, &change.backend)) {
                Ok(pair) => match groups.iter_mut().find(|(known, _)| known.there == pair.there) {
                    Some((_, places)) => places.push(place),
                    None => groups.push((pair, vec![place])),
                },
                Err(fault) => refuse(&mut told, place, fault)?,
            }
        }
        let several = groups.len() > 1;
        for (pair, places) in groups {
            let done = self.update_in(scope, &pair, changes, &places, &mut told, losses).await;
            // One group after the other: who waits for two at once may wait for ever.
            self.conclude().await;
            match done {
                Ok(()) => {}
                // What was done in another group stays done, so that this one failed has to be told beside it; and a group
                // that is gone holds none of them.
                Err(fault) if several || (told.len() > 1 && fault.kind == FaultKind::UnknownBackend) => {
                    for place in places {
                        refuse(&mut told, place, fault.again())?;
                    }
                }
                Err(fault) => return Err(fault),
            }
        }
        Ok(Outcome::Updated(told))
    }

    /// The changes of one group's members: all of those that can be made, or none.
    async fn update_in(
        &self,
        scope: &Scope,
        pair: &GroupPair,
        changes: &[Change],
        places: &[usize],
        told: &mut [Updated],
        losses: &mut Vec<Loss>,
    ) -> Result<(), Fault> {
        self.turn_to_change(pair, true).await?;
        let group = self.group(pair).await.map_err(|fault| {
            // Who names a backend asks for nothing of a group.
            let gone = fault.kind == FaultKind::UnknownGroup;
            Fault { kind: if gone { FaultKind::UnknownBackend } else { fault.kind }, ..fault }
        })?;
        let mut others = Vec::new();
        for place in places {
            let Some(change) = changes.get(*place) else { continue };
            let step = self
                .belongs(scope, &change.backend, &group)
                .and_then(|()| self.update(pair, &group.members, &others, change, losses));
            match step {
                Ok(step) => others.push(step),
                Err(fault) => refuse(told, *place, fault)?,
            }
        }
        self.achieve(Aim::of(pair, Moves { adds: Vec::new(), others })).await?;
        self.forget_answers(pair);
        Ok(())
    }

    /// What the target has no place for is refused before anything is looked at.
    fn holdable(&self, change: &Change) -> Result<(), Fault> {
        let BackendRef::Id(id) = &change.backend else { return Ok(()) };
        let table = &self.route.there.backend;
        if change.standby != Some(true) || table.row(Field::Standby).is_some() {
            return Ok(());
        }
        let (_, target, port) = self.decoded(id)?;
        let target = self.route.server_here(&target);
        let (traffic, description) = (Traffic::Off(None), None);
        let backend = Backend { target, port, traffic, standby: true, description };
        settle_loss(self.route, &backend, Field::Standby, table.policy(Field::Standby), &mut Vec::new())
    }

    /// A swap.
    pub(super) async fn replace_backends(
        &self,
        replace: &ReplaceBackends,
        losses: &mut Vec<Loss>,
    ) -> Result<Outcome, Fault> {
        let ReplaceBackends { group, old, new } = replace;
        let pair = GroupPair::of(self.route, group)?;
        self.turn_to_change(&pair, true).await?;
        let holds = self.group(&pair).await?;
        let moves = self.replacement(&pair, &holds.members, old, new, losses)?;
        // Of what is added, the look just now has shown none.
        let aim = Aim { before: Some(Vec::new()), ..Aim::of(&pair, moves) };
        self.achieve(aim).await?;
        self.forget_answers(&pair);
        let member = |backend: &Backend| Member {
            backend: backend.clone(),
            id: None,
            health: Health::Unknown,
            also: None,
        };
        Ok(Outcome::Replaced(new.iter().map(member).collect()))
    }

    /// The moves of changes that name members by what they are: all of them can be made, or none is.
    pub(super) fn updates(
        &self,
        pair: &GroupPair,
        members: &[Member],
        changes: &[Change],
        losses: &mut Vec<Loss>,
    ) -> Result<Moves, Fault> {
        let mut others = Vec::new();
        for change in changes {
            others.push(self.update(pair, members, &others, change, losses)?);
        }
        Ok(Moves { adds: Vec::new(), others })
    }

    /// What a group holds, in the caller's ids.
    async fn members(&self, pair: &GroupPair) -> Result<Vec<Member>, Fault> {
        let group = self.group(pair).await?;
        Ok(self.members_here(pair, &group.members))
    }

    /// The backends that ids name, by the group that holds them.
    fn by_group(
        &self,
        scope: &Scope,
        backends: &[BackendRef],
    ) -> Result<Vec<(GroupPair, Vec<BackendRef>)>, Fault> {
        let mut groups: Vec<(GroupPair, Vec<BackendRef>)> = Vec::new();
        for backend in backends {
            let pair = self.pair_of(scope, backend)?;
            match groups.iter_mut().find(|(known, _)| known.there == pair.there) {
                Some((_, named)) => named.push(backend.clone()),
                None => groups.push((pair, vec![backend.clone()])),
            }
        }
        Ok(groups)
    }

    /// Whether the group that a look has told of is one of the load balancer that the request names: of a group without a
    /// row, nothing but the target says so.
    fn belongs(&self, scope: &Scope, backend: &BackendRef, group: &Group) -> Result<(), Fault> {
        let (Some(asked), Some(told)) = (&scope.load_balancer, &group.id.load_balancer) else {
            return Ok(());
        };
        if self.route.balancers_here(told).iter().any(|here| here.id == *asked) {
            return Ok(());
        }
        Err(unknown_backend(backend, &format!("it is no backend of `{asked}`")))
    }

    /// The group that holds a backend, by the backend's id. It has to be one of the load balancer that the request names.
    fn pair_of(&self, scope: &Scope, backend: &BackendRef) -> Result<GroupPair, Fault> {
        let BackendRef::Id(id) = backend else {
            return Err(Fault::new(FaultKind::Internal, "a backend without an id"));
        };
        let (group, _, _) = self.decoded(id)?;
        let there = self.route.group_there(&group);
        let here = self.route.group_here(&there, scope.load_balancer.as_ref());
        if let (Some(asked), Some(own)) = (&scope.load_balancer, &here.load_balancer)
            && asked != own
        {
            return Err(unknown_backend(backend, &format!("it is no backend of `{asked}`")));
        }
        // A load balancer that has a row says where its groups are.
        let row = scope.load_balancer.as_ref().and_then(|balancer| self.route.balancer_place(balancer));
        let place = if there.place.region.is_some() { there.place.clone() } else { row.unwrap_or_default() };
        let place = self.route.place(&place, &scope.place)?;
        Ok(GroupPair { here, there: GroupRef { place, ..there } })
    }
}

/// The group that a request names.
fn group_of(scope: &Scope) -> Result<GroupRef, Fault> {
    let Scope { load_balancer, group, place } = scope.clone();
    let group = group.ok_or_else(|| Fault::new(FaultKind::Internal, "a request that names no group"))?;
    Ok(GroupRef { load_balancer, group, place })
}

/// One change of several is refused beside the others; the only one is refused as the request.
fn refuse(told: &mut [Updated], place: usize, fault: Fault) -> Result<(), Fault> {
    if told.len() == 1 {
        return Err(fault);
    }
    let Fault { kind, field, detail, cause: _ } = fault;
    if let Some(item) = told.get_mut(place) {
        item.refusal = Some(Refusal { kind, field, detail });
    }
    Ok(())
}
