//! What is to become of the members of a group, the calls that make it so, and what their replies say.

use serde::{Deserialize, Serialize};

use crate::{
    engine::{add::plan::Item, pair::GroupPair, resolve::Route},
    mapping::NamesBackends,
    model::{
        Backend, BackendRef, Change, Fault, FaultKind, Field, Member, Operation, Outcome, Refusal,
        RemoveBackends, ReplaceBackends, Traffic, UpdateBackends,
    },
    store::Remembered,
};

/// What is to become of the members of a group.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(in crate::engine) struct Moves {
    /// What comes.
    pub(in crate::engine) adds: Vec<Item>,
    /// What changes, then what goes.
    pub(in crate::engine) others: Vec<Move>,
}

/// One change of one member.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::engine) struct Move {
    /// The member, in the caller's words.
    pub(in crate::engine) what: String,
    /// The member as it was, as the target names it.
    pub(in crate::engine) old: Member,
    /// What becomes of it.
    pub(in crate::engine) fate: Fate,
}

/// What becomes of a member.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[expect(clippy::large_enum_variant, reason = "a request has forty of them at most, and for a moment")]
pub(in crate::engine) enum Fate {
    /// It becomes this.
    Becomes {
        /// As the target names it.
        new: Backend,
        /// The change in the target's words, where the target leaves alone what is not named.
        named: Change,
        /// What the target has no place for.
        kept: Remembered,
    },
    /// It goes.
    Goes,
}

impl Move {
    /// The member after it.
    pub(in crate::engine) fn after(&self) -> Member {
        match &self.fate {
            Fate::Becomes { new, .. } => Member { backend: new.clone(), ..self.old.clone() },
            Fate::Goes => self.old.clone(),
        }
    }

    /// Whether it makes any difference that the target shows.
    pub(in crate::engine) fn changes_anything(&self) -> bool {
        match &self.fate {
            Fate::Becomes { new, .. } => *new != self.old.backend,
            Fate::Goes => true,
        }
    }

    /// The same way back.
    pub(in crate::engine) fn reversed(&self) -> Option<Self> {
        let Fate::Becomes { new, .. } = &self.fate else { return None };
        let (from, to) = (new, &self.old.backend);
        let differs = from.traffic != to.traffic;
        let weight = match to.traffic {
            Traffic::On(weight) => Some(weight),
            Traffic::Off(weight) => weight,
        };
        let named = Change {
            port: (from.port != to.port).then_some(to.port),
            weight: weight.filter(|_| differs),
            enabled: differs.then_some(matches!(to.traffic, Traffic::On(_))),
            standby: (from.standby != to.standby).then_some(to.standby),
            ..Change::of(BackendRef::At { target: from.target.clone(), port: from.port })
        };
        let old = Member { backend: new.clone(), ..self.old.clone() };
        let fate = Fate::Becomes { new: to.clone(), named, kept: Remembered::default() };
        Some(Self { what: self.what.clone(), old, fate })
    }

    /// Whether a group that holds `members` shows what was to become of this one.
    pub(in crate::engine) fn has_landed(&self, members: &[Member]) -> bool {
        let same = |member: &&Member| match (&member.id, &self.old.id) {
            (Some(one), Some(other)) => one == other,
            (None, _) | (_, None) => false,
        };
        match &self.fate {
            Fate::Goes => !members.iter().any(|member| {
                same(&member) || (member.id.is_none() && member.backend.same_entry(&self.old.backend))
            }),
            Fate::Becomes { new, .. } => members.iter().any(|member| {
                (same(&member) || member.id.is_none())
                    && member.backend.same_entry(new)
                    && member.backend.same_traffic(new)
            }),
        }
    }

    /// Whether what it removed is there again: put back, it has another id.
    pub(in crate::engine) fn is_back(&self, members: &[Member]) -> bool {
        let back = |member: &Member| member.backend.same_entry(&self.old.backend);
        matches!(self.fate, Fate::Goes) && members.iter().any(back)
    }

    /// The member as the target's calls name it.
    fn name(&self, route: &Route<'_>) -> BackendRef {
        let at = || BackendRef::At { target: self.old.backend.target.clone(), port: self.old.backend.port };
        match (route.there.capability.names_backends, &self.old.id) {
            (NamesBackends::Id, Some(id)) => BackendRef::Id(id.clone()),
            (NamesBackends::Id, None) | (NamesBackends::Address, _) => at(),
        }
    }

    /// Whether it takes another in its place on this target, since a port cannot change there.
    pub(in crate::engine) fn replaces(&self, route: &Route<'_>) -> bool {
        match &self.fate {
            Fate::Becomes { new, .. } => {
                !route.there.capability.changes_ports && new.port != self.old.backend.port
            }
            Fate::Goes => false,
        }
    }

    /// Whether it only changes attributes.
    pub(in crate::engine) fn is_update(&self, route: &Route<'_>) -> bool {
        matches!(self.fate, Fate::Becomes { .. }) && !self.replaces(route)
    }

    /// Whether the target gets a call for it at all: a change that only the gateway keeps needs none.
    fn is_written(&self, route: &Route<'_>) -> bool {
        match &self.fate {
            Fate::Goes => true,
            Fate::Becomes { new, named, kept: _ } => {
                let Change { backend: _, port, weight, enabled, standby, description } = named;
                let in_part = route.there.capability.updates_in_part;
                let moves = port.is_some() && new.port != self.old.backend.port;
                if in_part {
                    return moves || weight.is_some() || enabled.is_some() || standby.is_some();
                }
                let hidden_weight = matches!(new.traffic, Traffic::Off(_))
                    && matches!(self.old.backend.traffic, Traffic::Off(_))
                    && enabled.is_none();
                moves
                    || enabled.is_some()
                    || (weight.is_some() && !hidden_weight)
                    || (description.is_some() && route.there.backend.row(Field::Description).is_some())
                    || (standby.is_some() && route.there.backend.row(Field::Standby).is_some())
            }
        }
    }

    /// The change as the target is told of it.
    fn told(&self, route: &Route<'_>) -> Option<Change> {
        let Fate::Becomes { new, named, .. } = &self.fate else { return None };
        let backend = self.name(route);
        if route.there.capability.updates_in_part {
            let description = None;
            let port = named.port.filter(|port| *port != self.old.backend.port);
            return Some(Change { backend, port, description, ..named.clone() });
        }
        let (enabled, weight) = match new.traffic {
            Traffic::On(weight) => (true, Some(weight)),
            Traffic::Off(weight) => (false, weight),
        };
        let description = new.description.clone();
        Some(Change { weight, enabled: Some(enabled), description, ..Change::of(backend) })
    }
}

/// The calls that carry out the moves at those places that are open, each with the places of its moves.
pub(in crate::engine) fn steps(
    route: &Route<'_>,
    pair: &GroupPair,
    moves: &[Move],
    open: impl Fn(usize) -> bool,
) -> Vec<(Operation, Vec<usize>)> {
    let capability = &route.there.capability;
    let places = |wanted: &dyn Fn(&Move) -> bool| -> Vec<usize> {
        let written = moves.iter().enumerate().filter(|(place, step)| open(*place) && step.is_written(route));
        let wanted = written.filter(|(_, step)| wanted(step));
        wanted.map(|(place, _)| place).collect()
    };
    let goes = |step: &Move| matches!(step.fate, Fate::Goes);
    let updated = places(&|step| !goes(step) && !step.replaces(route));
    let replaced = places(&|step| step.replaces(route));
    let removed = places(&goes);
    let at = |chunk: &[usize]| -> Vec<&Move> { chunk.iter().filter_map(|place| moves.get(*place)).collect() };
    let scope = || pair.there.clone().into();

    let changes = updated.chunks(capability.updates_per_call).map(|chunk| {
        let changes = at(chunk).iter().filter_map(|step| step.told(route)).collect();
        (Operation::UpdateBackends(UpdateBackends { scope: scope(), changes }), chunk.to_vec())
    });
    let replacements = replaced.chunks(capability.backends_per_call).map(|chunk| {
        let old = at(chunk).iter().map(|step| step.name(route)).collect();
        let new = at(chunk)
            .iter()
            .filter_map(|step| match &step.fate {
                Fate::Becomes { new, .. } => Some(new.clone()),
                Fate::Goes => None,
            })
            .collect();
        let group = pair.there.clone();
        (Operation::ReplaceBackends(ReplaceBackends { group, old, new }), chunk.to_vec())
    });
    let removals = removed.chunks(capability.backends_per_call).map(|chunk| {
        let backends = at(chunk).iter().map(|step| step.name(route)).collect();
        (Operation::RemoveBackends(RemoveBackends { scope: scope(), backends }), chunk.to_vec())
    });
    changes.chain(replacements).chain(removals).collect()
}

/// What a reply says of each of the moves of its step; none of one that was never sent.
pub(in crate::engine) fn results(
    step: &Operation,
    count: usize,
    reply: Option<Result<Outcome, Fault>>,
) -> Vec<Option<Result<(), Fault>>> {
    match reply {
        None => (0..count).map(|_| None).collect(),
        Some(Err(fault)) => (0..count).map(|_| Some(Err(fault.again()))).collect(),
        Some(Ok(Outcome::Updated(items))) if items.len() == count => {
            let result = |refusal: Option<Refusal>| match refusal {
                None => Ok(()),
                Some(refusal) => Err(Fault::new(refusal.kind, refusal.detail)),
            };
            items.into_iter().map(|item| Some(result(item.refusal))).collect()
        }
        Some(Ok(_)) => {
            // A set that does not tell of each item has changed all of them.
            let fits = !matches!(step, Operation::UpdateBackends(_));
            let lost = || Fault::new(FaultKind::TargetLost, "the target's reply does not fit the change");
            (0..count).map(|_| Some(if fits { Ok(()) } else { Err(lost()) })).collect()
        }
    }
}
