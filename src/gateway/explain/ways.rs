//! The way of each thing that a request says: the caller's word, the model's, the target's, or why there is none.

use crate::{
    config::OnLoss,
    engine::Route,
    mapping::{Action, Trace},
    model::{Fault, Field, GroupField, Loss, LossPolicy},
    wire::{Param, Params},
};

/// The ways of all that a request says of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ways {
    /// The thing: a backend as the caller names it; none for the request as a whole.
    pub about: Option<String>,
    /// The ways, in the order of the model.
    pub ways: Vec<Way>,
}

/// The way of one thing that a request says, or that the target is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// The model's word for it.
    pub word: String,
    /// What the caller says.
    pub from: Option<Said>,
    /// What the target gets: name and text.
    pub to: Option<(String, String)>,
    /// What becomes of it.
    pub fate: Fate,
    /// More about that, where there is more to say.
    pub why: Option<String>,
}

/// What the caller says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The name in the caller's cloud.
    pub name: String,
    /// The text, as the caller's cloud writes it.
    pub text: String,
    /// Whether the caller left it out and means the default of its own cloud.
    pub default: bool,
}

/// What becomes of a thing that a request says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The target gets it.
    Carried,
    /// The target gets it although the caller says nothing of it.
    Added,
    /// Nothing of it has to be said to the target.
    Implied,
    /// The gateway goes by it, and the target is not told.
    Read,
    /// The action has no such parameter, and the caller's cloud ignores it.
    Beside,
    /// The target has no place for it; the gateway keeps it and gives it back on reads.
    Remembered,
    /// The target has no place for it; the call goes on without it, and the caller is told.
    Reported,
    /// It is what the request is refused for.
    Refused,
}

impl Fate {
    /// The word for it in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Carried => "carried",
            Self::Added => "added",
            Self::Implied => "implied",
            Self::Read => "read",
            Self::Beside => "beside",
            Self::Remembered => "remembered",
            Self::Reported => "reported",
            Self::Refused => "refused",
        }
    }

    /// What becomes of a loss under a policy.
    pub(super) const fn of_loss(policy: LossPolicy, on_loss: OnLoss) -> Self {
        match (policy, on_loss) {
            (LossPolicy::Remember, _) => Self::Remembered,
            (LossPolicy::Report, _) | (LossPolicy::Refuse, OnLoss::Report) => Self::Reported,
            (LossPolicy::Refuse, OnLoss::Refuse) => Self::Refused,
        }
    }
}

impl Way {
    /// The way of what one name says here and another there.
    pub(super) fn between(word: &str, from: Option<Said>, to: Option<(String, String)>) -> Option<Self> {
        let fate = match (&from, &to) {
            (None, None) => return None,
            (Some(_), Some(_)) => Fate::Carried,
            (None, Some(_)) => Fate::Added,
            (Some(_), None) => Fate::Implied,
        };
        Some(Self { word: word.to_owned(), from, to, fate, why: None })
    }

    /// The same with another fate. Of what is refused the target gets nothing.
    pub(super) fn ending(self, fate: Fate, why: Option<String>) -> Self {
        let to = self.to.filter(|_| fate != Fate::Refused);
        Self { to, fate, why, ..self }
    }
}

/// What is known of a request beside what it says: how it is going to end.
#[derive(Debug, Clone, Copy)]
pub(super) struct End<'e> {
    /// What is reported as lost.
    pub(super) losses: &'e [Loss],
    /// Why it is refused, if it is.
    pub(super) fault: Option<&'e Fault>,
}

impl End<'_> {
    /// What becomes of something that the caller calls `name`, where that is told. Of a backend, what is told has to name
    /// it, as `about` or by the `text` itself.
    pub(super) fn told(
        self,
        route: &Route<'_>,
        name: &str,
        text: &str,
        about: Option<&str>,
    ) -> Option<(Fate, String)> {
        let concerns = |told: &str| about.is_none_or(|about| told.contains(about));
        let fault = self.fault.filter(|fault| {
            let quoted = || told_in(&fault.detail, text);
            fault.field.as_deref() == Some(name) && (concerns(&fault.detail) || quoted())
        });
        if let Some(fault) = fault {
            return Some((Fate::Refused, fault.detail.to_string()));
        }
        let lost = |loss: &&Loss| route.here.name_of(&loss.field) == name && concerns(&loss.reason);
        self.losses.iter().find(lost).map(|loss| (Fate::Reported, loss.reason.clone()))
    }
}

fn told_in(detail: &str, text: &str) -> bool {
    !text.is_empty() && detail.contains(&format!("`{text}`"))
}

/// The ways of the fields of one backend that comes; `given` are those that the caller wrote, where that is told.
pub(super) fn of_backend(
    route: &Route<'_>,
    about: String,
    traces: &[Trace],
    given: Option<&Vec<Field>>,
    end: End<'_>,
) -> Ways {
    let weight = traces.iter().find(|trace| trace.field == Field::Weight).and_then(|trace| trace.to.as_ref());
    let way = |trace: &Trace| {
        let Trace { field, from, to, loss } = trace.clone();
        let default = given.is_some_and(|given| !given.contains(&field));
        let from = from.map(|(name, text)| Said { name, text, default });
        let way = Way::between(field.name(), from, to)?;
        let text = way.from.as_ref().map_or("", |said| said.text.as_str());
        if let Some((fate, why)) = end.told(route, route.here.backend.wire_name(field), text, Some(&about)) {
            return Some(way.ending(fate, Some(why)));
        }
        if let Some(policy) = loss {
            return Some(way.ending(Fate::of_loss(policy, route.client.on_loss), None));
        }
        let said = weight.filter(|_| field == Field::Enabled && way.fate == Fate::Implied);
        let why = said.map(|(name, text)| format!("{name}={text} says it"));
        Some(Way { why, ..way })
    };
    let ways = traces.iter().filter_map(way).collect();
    Ways { about: Some(about), ways }
}

/// The ways of the parameters that no other table tells of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rest<'r> {
    /// From whom to whom.
    pub(super) route: &'r Route<'r>,
    /// The row of the action.
    pub(super) action: Option<&'r Action>,
    /// The parameters of the calls that the target gets.
    pub(super) calls: &'r [&'r Params],
    /// What other tables tell of already, by the names of the caller's cloud.
    pub(super) told: &'r [String],
    /// How the request ends.
    pub(super) end: End<'r>,
}

impl Rest<'_> {
    /// The way of each of `params`.
    pub(super) fn ways(self, params: &Params) -> Vec<Way> {
        let filled = params.iter().filter(|param| !param.value.is_empty());
        filled.filter_map(|param| self.way(param)).collect()
    }

    fn way(self, param: &Param) -> Option<Way> {
        let Self { route, action, calls, told, end } = self;
        let head = param.name.split('.').next().unwrap_or_default();
        let untranslated = action.is_some_and(|action| action.untranslated.iter().any(|name| name == head));
        let known = |names: &[String]| names.iter().any(|name| name == head);
        let is_told = told.iter().any(|name| *name == param.name);
        if is_told || !untranslated && action.is_some_and(|action| known(&action.lists)) {
            return None;
        }
        let (here, there) = (&route.here.group, &route.there.group);
        let listener = here.listener.as_ref();
        let is_listener =
            listener.is_some_and(|names| param.name == names.protocol || param.name == names.port);
        let is_option = here.options.iter().any(|row| row.wire == param.name);
        let word = match () {
            () if param.name == here.name => GroupField::Name.name(),
            () if is_listener || is_option => GroupField::Listener.name(),
            () => "",
        };
        let other = if param.name == here.name { there.name.as_str() } else { &param.name };
        // A request that is refused has no calls; its name would have gone as it is.
        let would = || {
            (param.name == here.name && end.fault.is_some())
                .then(|| (other.to_owned(), param.value.to_string()))
        };
        let to = cell_in(calls, other).or_else(would);
        let to = to.filter(|(_, text)| param.name == here.name || *text == param.value);
        let from = Said { name: param.name.to_string(), text: param.value.to_string(), default: false };
        let way = Way::between(word, Some(from), to)?;
        let name = if untranslated { head } else { &param.name };
        let lost = end
            .told(route, name, &param.value, None)
            .filter(|_| way.fate != Fate::Carried || name == here.name);
        let kept = "the gateway remembers it and gives it back on reads";
        Some(match lost {
            Some((fate, why)) => way.ending(fate, Some(why)),
            None if way.fate == Fate::Carried => way,
            None if is_listener || is_option => {
                let policy = there.policy(GroupField::Listener);
                let fate = Fate::of_loss(policy, route.client.on_loss);
                let why = (fate == Fate::Reported).then(|| kept.to_owned());
                way.ending(fate, why)
            }
            None if untranslated => {
                let fate = Fate::of_loss(LossPolicy::Refuse, route.client.on_loss);
                way.ending(fate, Some(format!("{} has nothing like it", route.there.title)))
            }
            None if route.here.actions.is_common(head)
                || action.is_some_and(|action| known(&action.required) || known(&action.optional)) =>
            {
                way.ending(Fate::Read, None)
            }
            None => way.ending(Fate::Beside, None),
        })
    }
}

/// What calls say under a name: each value once.
pub(super) fn cell_in(calls: &[&Params], name: &str) -> Option<(String, String)> {
    let mut texts: Vec<&str> = Vec::new();
    for text in calls.iter().filter_map(|params| params.filled(name)) {
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    (!texts.is_empty()).then(|| (name.to_owned(), texts.join(", ")))
}

/// The name under which calls say a text.
pub(super) fn cell_of(calls: &[&Params], text: &str) -> Option<(String, String)> {
    let said = calls.iter().flat_map(|params| params.iter()).find(|param| param.value == text)?;
    Some((said.name.to_string(), said.value.to_string()))
}

/// What becomes of a lost field of a change.
pub(super) fn loss_of(route: &Route<'_>, field: Field) -> Option<LossPolicy> {
    let losses = route.there.backend.losses();
    losses.iter().find(|(lost, _)| *lost == field).map(|(_, policy)| *policy)
}
