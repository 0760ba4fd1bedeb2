//! Puts the first backends into a group that was just made, or unmakes it.

use tokio::time::sleep;
use tracing::{error, warn};

use crate::{
    engine::{
        add::{ends::End, plan::Item, settle::LOOKS},
        change::{Aim, moves::Moves, recover::Found},
        execute::Execution,
        journal::{Deed, Intent, Making},
        look::is_momentary,
        pair::GroupPair,
    },
    model::{Fault, FaultKind, Member, Operation},
    store::RememberedGroup,
};

impl Execution<'_> {
    /// Puts the first backends into a new group. If that fails there is no group either.
    pub(super) async fn fill(
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
    pub(in crate::engine) async fn put_filling_right(&self, aim: &Aim) -> Result<Found, Fault> {
        let mut told = Ok(Found::TakenBack);
        for pause in LOOKS {
            sleep(pause).await;
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
    pub(in crate::engine) async fn put_making_right(&self, making: &Making) -> Result<Found, Fault> {
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
}
