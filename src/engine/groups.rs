//! Operations on groups that are there: delete, rename. `making` makes them.

use super::{
    add::settle::LOOKS,
    change::{Aim, Renaming, moves::Moves},
    execute::Execution,
    pair::GroupPair,
};
use crate::{
    config::OnLoss,
    crypto::sha256,
    mapping::NamesBackends,
    model::{
        Fault, FaultKind, Group, GroupField, GroupRef, ListenerOption, Loss, LossPolicy, Lost, Member,
        Operation, Outcome, UpdateGroup,
    },
    store::RememberedGroup,
};

impl Execution<'_> {
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

    /// The name as the target takes it: one that is too long is kept, and a shorter one stands for it there.
    pub(super) fn name_there(&self, name: &str, losses: &mut Vec<Loss>) -> Result<String, Fault> {
        let (_, most) = self.route.there.group.name_length;
        let length = name.chars().count();
        if length <= most as usize {
            return Ok(name.to_owned());
        }
        let what = format!("a name of {length} characters, and takes {most}");
        self.lose(GroupField::Name, &what, losses)?;
        Ok(shortened(name, most as usize))
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
    pub(super) fn lose(&self, field: GroupField, what: &str, losses: &mut Vec<Loss>) -> Result<(), Fault> {
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

/// As much of a name as fits, and a digest of the rest: two long names that begin alike stay two.
pub(super) fn shortened(name: &str, most: usize) -> String {
    let [a, b, c, d, ..] = sha256(name.as_bytes());
    let tail = format!("{:08x}", u32::from_be_bytes([a, b, c, d]));
    let head: String = name.chars().take(most.saturating_sub(tail.len() + 1)).collect();
    format!("{head}-{tail}")
}
