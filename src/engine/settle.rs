//! Finds out what became of an add whose answer got lost, and whether what "was there already" is as asked.

use std::time::Duration;

use tokio::time::sleep;
use tracing::warn;

use super::{
    ends::End,
    execute::Execution,
    plan::{Item, Plan},
};
use crate::model::Member;

/// Pauses before each look: a cloud may show a change only after a second or so.
const LOOKS: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(400), Duration::from_millis(800), Duration::from_millis(1200)];

impl Execution<'_> {
    /// Looks at the group until nothing is open or looking no longer helps.
    pub(super) async fn settle(&self, plan: &Plan, items: &[Item], ends: &mut [End]) {
        for pause in LOOKS {
            if !ends.iter().any(End::is_open) {
                return;
            }
            sleep(pause).await;
            match self.look(plan).await {
                Ok(members) => self.compare(plan, &members, items, ends),
                Err(fault) => warn!(%fault, "the group cannot be looked at to settle a doubt"),
            }
        }
    }

    fn compare(&self, plan: &Plan, members: &[Member], items: &[Item], ends: &mut [End]) {
        for (end, item) in ends.iter_mut().zip(items) {
            match (members.iter().find(|member| member.backend.same_entry(&item.there)), &mut *end) {
                (Some(member), _) => self.found(plan, end, member, item),
                (None, End::Doubtful { fault: _, looked }) => *looked = true,
                (None, _) => {}
            }
        }
    }

    /// An add whose answer got lost has landed if the group holds it as asked. It is surely this call's only where the
    /// group was looked at before; that a look in between did not show it says nothing where changes show late.
    fn found(&self, plan: &Plan, end: &mut End, member: &Member, item: &Item) {
        let member = member.clone();
        match end {
            End::Duplicate(_) => *end = self.was_there(member, item),
            End::Doubtful { .. } if !self.is_as_asked(&member, item) => *end = self.was_there(member, item),
            End::Doubtful { .. } if plan.looks_first(self.route) => *end = End::Added(member),
            End::Doubtful { .. } => *end = End::Landed(member),
            End::Added(_) | End::Present(_) | End::Landed(_) | End::Failed(_) | End::Untried => {}
        }
    }
}
