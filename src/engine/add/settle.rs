//! Finds out what became of an add whose answer got lost, and whether what "was there already" is as asked.

use std::time::Duration;

use tokio::time::sleep;
use tracing::warn;

use super::{ends::End, plan::Item};
use crate::{
    engine::{execute::Execution, pair::GroupPair},
    model::Member,
};

/// Pauses before each look: a cloud may show a change only after a second or so.
pub(in crate::engine) const LOOKS: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(400), Duration::from_millis(800), Duration::from_millis(1200)];

impl Execution<'_> {
    /// Looks at the group until nothing is open or looking no longer helps. `looked_first` is whether it was looked at before
    /// the first add.
    pub(in crate::engine) async fn settle(
        &self,
        pair: &GroupPair,
        items: &[Item],
        looked_first: bool,
        ends: &mut [End],
    ) {
        for pause in LOOKS {
            if !ends.iter().any(End::is_open) {
                return;
            }
            sleep(pause).await;
            // What was acknowledged before counts: an old backend that is gone and still listed is not the new one.
            match self.group(pair).await {
                Ok(group) => self.compare(&group.members, items, looked_first, ends),
                Err(fault) => warn!(%fault, "the group cannot be looked at to settle a doubt"),
            }
        }
    }

    fn compare(&self, members: &[Member], items: &[Item], looked_first: bool, ends: &mut [End]) {
        for (end, item) in ends.iter_mut().zip(items) {
            match (members.iter().find(|member| member.backend.same_entry(&item.there)), &mut *end) {
                (Some(member), _) => self.landed_or_not(looked_first, end, member, item),
                (None, End::Doubtful { fault: _, looked }) => *looked = true,
                (None, _) => {}
            }
        }
    }

    /// An add whose answer got lost has landed if the group holds it as asked. It is surely this call's only where the
    /// group was looked at before; that a look in between did not show it says nothing where changes show late.
    fn landed_or_not(&self, looked_first: bool, end: &mut End, member: &Member, item: &Item) {
        let member = member.clone();
        match end {
            End::Duplicate(_) => *end = self.was_there(member, item),
            End::Doubtful { .. } if !self.is_as_asked(&member, item) => *end = self.was_there(member, item),
            End::Doubtful { .. } if looked_first => *end = End::Added(member),
            End::Doubtful { .. } => *end = End::Landed(member),
            End::Added(_) | End::Present(_) | End::Landed(_) | End::Failed(_) | End::Untried => {}
        }
    }
}
