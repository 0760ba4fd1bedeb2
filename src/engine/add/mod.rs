//! Adds backends: all or none.
//!
//! `plan` says what is to be done, `ends` what became of each backend; `settle` finds out what a lost answer means. What a
//! failed call had added is taken back by `change`, which knows what else belonged to it.

pub(in crate::engine) mod ends;
pub(in crate::engine) mod plan;
pub(in crate::engine) mod settle;

use self::{
    ends::{End, ends_of},
    plan::{Item, adds},
};
use crate::{
    engine::{execute::Execution, pair::GroupPair},
    mapping::DuplicateAdd,
    model::{Fault, FaultKind, Field, Health, Member},
    store::{Rank, Remembered},
};

impl Execution<'_> {
    /// Adds the items that are untried, until one of them fails. `looked_first` is whether the group was looked at before.
    pub(in crate::engine) async fn add_all(
        &self,
        pair: &GroupPair,
        items: &[Item],
        looked_first: bool,
        ends: &mut [End],
    ) {
        // A lost answer stops the fan-out; when it turns out to have landed, the rest goes on.
        while ends.iter().all(|end| end.fault().is_none()) && ends.iter().any(End::is_untried) {
            self.add_missing(pair, items, ends).await;
            if ends.iter().any(End::is_open) {
                Box::pin(self.settle(pair, items, looked_first, ends)).await;
            }
        }
    }

    /// What is known of an item before anything is sent.
    pub(in crate::engine) fn end_before(&self, before: &[Member], item: &Item) -> End {
        match before.iter().find(|member| member.backend.same_entry(&item.there)) {
            Some(member) => self.was_there(member.clone(), item),
            None => End::Untried,
        }
    }

    /// The group holds the item already: no fault for a caller who expects an add to be repeatable, if it holds it as asked.
    pub(in crate::engine) fn was_there(&self, member: Member, item: &Item) -> End {
        let detail = match self.route.here.capability.duplicate_add {
            DuplicateAdd::Refuse => "it is in the group already",
            DuplicateAdd::Accept if !self.is_as_asked(&member, item) => {
                "it is in the group already, with another weight or state; change it there, or remove it first"
            }
            DuplicateAdd::Accept => return End::Present(member),
        };
        End::Failed(Fault::new(FaultKind::AlreadyPresent, detail))
    }

    /// Whether the group holds an item the way it was asked for, as far as the target can hold it.
    pub(in crate::engine) fn is_as_asked(&self, member: &Member, item: &Item) -> bool {
        let (is, wanted) = (&member.backend, &item.there);
        let no_standby = self.route.there.backend.row(Field::Standby).is_none();
        is.same_traffic(wanted) && (no_standby || is.standby == wanted.standby)
    }

    async fn add_missing(&self, pair: &GroupPair, items: &[Item], ends: &mut [End]) {
        let (mut slots, missing): (Vec<&mut End>, Vec<&Item>) =
            ends.iter_mut().zip(items).filter(|(end, _)| end.is_untried()).unzip();
        let steps = adds(&pair.there, &missing, self.route);
        let replies = self.fan_out(&steps).await;
        let duplicates = self.route.here.capability.duplicate_add;
        let known = steps.iter().zip(replies).flat_map(|(step, reply)| ends_of(step, reply, duplicates));
        for (slot, end) in slots.iter_mut().zip(known) {
            **slot = end;
        }
    }

    /// The items as members of the group; what the target could not hold of them is kept.
    pub(in crate::engine) fn added(&self, pair: &GroupPair, items: &[Item], ends: &[End]) -> Vec<Member> {
        let several = items.len() > 1;
        let rank = |place: usize| several.then(|| Rank { request: self.id.to_owned(), place });
        let numbered = items.iter().zip(ends).enumerate();
        numbered.map(|(place, (item, end))| self.member_added(pair, item, end, rank(place))).collect()
    }

    fn member_added(&self, pair: &GroupPair, item: &Item, end: &End, rank: Option<Rank>) -> Member {
        let member = end.member().cloned();
        let there = member.as_ref().map_or(&item.there, |member| &member.backend);
        let naming = self.naming(pair, there);
        let id = naming.id(member.as_ref().and_then(|member| member.id.clone()), &[]);
        if !matches!(end, End::Present(_)) && !self.route.same_cloud() {
            // One that has landed may have been there before, and stands where it stood.
            let rank = rank.filter(|_| matches!(end, End::Added(_)));
            let unusual = id.clone().filter(|id| !naming.is_plain(id));
            let before =
                if matches!(end, End::Landed(_)) { self.kept(pair, there) } else { Remembered::default() };
            let remembered = Remembered {
                id: unusual,
                rank,
                description: item.remembered.description.clone().or(before.description),
                ..item.remembered.clone()
            };
            self.keep(pair.entry(self.route, there), remembered);
            if let Some(member) = &member {
                self.parts.recents.is(self.route, pair, member);
            }
        }
        Member { backend: item.here.clone(), id, health: Health::Unknown, also: None }
    }
}
