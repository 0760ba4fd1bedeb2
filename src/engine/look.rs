//! Reads the target, in the target's ids.

use futures_util::{StreamExt, stream};
use tracing::warn;

use super::{execute::Execution, pair::GroupPair};
use crate::{
    model::{
        Checked, DescribeHealth, Fault, FaultKind, Group, ListGroups, LoadBalancerRef, Operation, Outcome,
        Page,
    },
    store::GroupKey,
};

/// More pages than any account has; a target that always tells of one more is not followed for ever.
pub(super) const MOST_PAGES: usize = 1000;

impl Execution<'_> {
    /// A group as the target tells of it this moment.
    pub(super) async fn look(&self, pair: &GroupPair) -> Result<Group, Fault> {
        let reply = self.call(&Operation::DescribeGroup(pair.there.clone())).await;
        let told = |fault: Fault| Fault { field: Some(self.field_at_fault(fault.kind, pair)), ..fault };
        let Outcome::Group(group) = reply.map_err(told)? else { return Err(misfit()) };
        Ok(self.named_once(group))
    }

    /// A group with what was written to it a moment ago.
    pub(super) async fn group(&self, pair: &GroupPair) -> Result<Group, Fault> {
        self.refresh_to_read(Some(&pair.key(self.route))).await;
        let told = self.look(pair).await;
        let found = self.parts.recents.over(self.route, pair, told);
        if let Ok(group) = &found {
            self.learn_ids(pair, group);
        }
        found.map_err(|fault| Fault { field: Some(self.field_at_fault(fault.kind, pair)), ..fault })
    }

    /// Brings what is kept up to date before it is told; whose turn it is has done so. A store that cannot be used does not
    /// end a read.
    async fn refresh_to_read(&self, group: Option<&GroupKey>) {
        if self.has_turn() {
            return;
        }
        if let Err(error) = self.parts.refresh(group).await {
            warn!(%error, "a read is answered without what the store keeps");
        }
    }

    /// Every group of a load balancer, with what was written to each a moment ago.
    pub(super) async fn groups(
        &self,
        balancer: &LoadBalancerRef,
        listeners: bool,
    ) -> Result<Vec<Group>, Fault> {
        self.refresh_to_read(None).await;
        let mut groups: Vec<Group> = Vec::new();
        for _ in 0..MOST_PAGES {
            let page = Page { offset: groups.len(), ..Page::FIRST };
            let members = self.route.there.capability.lists_members;
            let list = ListGroups { load_balancer: balancer.clone(), page, listeners, members };
            let reply = self.call(&Operation::ListGroups(list)).await?;
            let Outcome::Groups(found, total) = reply else { return Err(misfit()) };
            let complete = found.is_empty() || groups.len() + found.len() >= total;
            groups.extend(found.into_iter().map(|group| self.named_once(group)));
            if complete {
                break;
            }
        }
        // A page says nothing of where it is from; the calls that follow have to go there.
        for group in &mut groups {
            group.id.place = balancer.place.clone();
            group.id.load_balancer.get_or_insert_with(|| balancer.id.clone());
        }
        Ok(self.parts.recents.over_list(self.route, &balancer.id, groups))
    }

    /// A group whose members have one name each: of two, the one that a row leads from, or else the server's.
    fn named_once(&self, mut group: Group) -> Group {
        for member in &mut group.members {
            let Some(other) = member.also.take() else { continue };
            if !self.route.has_row(&member.backend.target) {
                member.backend.target = *other;
            }
        }
        group
    }

    /// What health checks say of the backends of a load balancer: nothing, where the target does not tell for good. A read
    /// that tells everything else is not refused for the want of it; a target that fails for a moment is no target whose
    /// backends nobody knows.
    ///
    /// # Errors
    /// Faults that pass.
    pub(super) async fn checks(&self, balancer: &LoadBalancerRef) -> Result<Vec<Checked>, Fault> {
        let step = DescribeHealth { load_balancer: balancer.clone(), port: None, protocol: None };
        let reply = self.call(&Operation::DescribeHealth(step)).await;
        let told = reply.and_then(|reply| {
            let Outcome::Health(checks) = reply else { return Err(misfit()) };
            Ok(checks)
        });
        told.or_else(|fault| {
            if is_momentary(fault.kind) {
                return Err(fault);
            }
            warn!(%fault, "the health of backends cannot be read");
            Ok(Vec::new())
        })
    }

    /// Groups that were listed without their members, with them.
    pub(super) async fn described(
        &self,
        pairs: Vec<(GroupPair, Group)>,
    ) -> Result<Vec<(GroupPair, Group)>, Fault> {
        let describe = |(pair, listed): (GroupPair, Group)| async move {
            let told = self.group(&pair).await?;
            let group = Group { listeners: listed.listeners, id: listed.id, ..told };
            Ok::<_, Fault>((pair, group))
        };
        let found: Vec<Result<_, Fault>> =
            stream::iter(pairs).map(describe).buffered(self.route.target.concurrency).collect().await;
        // One that was deleted since the list was told is no fault of the list.
        let gone =
            |found: &Result<_, Fault>| matches!(found, Err(fault) if fault.kind == FaultKind::UnknownGroup);
        found.into_iter().filter(|found| !gone(found)).collect()
    }
}

/// Whether a read that failed so may work in a moment.
pub(super) fn is_momentary(kind: FaultKind) -> bool {
    kind.leaves_doubt()
        || matches!(
            kind,
            FaultKind::Busy | FaultKind::Throttled | FaultKind::TargetFailed | FaultKind::TargetUnreachable
        )
}

/// A reply that has nothing to do with its call.
pub(super) fn misfit() -> Fault {
    Fault::new(FaultKind::Internal, "the target's reply does not fit the call")
}
