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
        for (look, pause) in LOOKS.into_iter().enumerate() {
            if !ends.iter().any(End::is_open) {
                return;
            }
            sleep(pause).await;
            match self.look(plan).await {
                Ok(members) => self.compare(&members, items, ends, look == 0),
                Err(fault) => {
                    warn!(%fault, "the group cannot be looked at, so a doubt stays open");
                    return;
                }
            }
        }
    }

    fn compare(&self, members: &[Member], items: &[Item], ends: &mut [End], first: bool) {
        for (end, item) in ends.iter_mut().zip(items) {
            if let Some(member) = members.iter().find(|member| member.backend.same_entry(&item.there)) {
                self.found(end, member, item, first);
            }
        }
    }

    /// An add whose answer got lost has landed if the group holds it as asked. That it is this call's is certain only
    /// when an earlier look did not show it yet.
    fn found(&self, end: &mut End, member: &Member, item: &Item, first: bool) {
        let member = member.clone();
        match end {
            End::Duplicate(_) => *end = self.was_there(member, item),
            End::Doubtful(_) if !member.backend.same_duty(&item.there) => *end = self.was_there(member, item),
            End::Doubtful(_) if first => *end = End::Landed(member),
            End::Doubtful(_) => *end = End::Added(member),
            End::Added(_) | End::Present(_) | End::Landed(_) | End::Failed(_) | End::Untried => {}
        }
    }
}
