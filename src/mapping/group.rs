//! How a cloud names and describes a server group.

use crate::model::{GroupField, Health, ListenerOption, LossPolicy, Port, Protocol};

/// How one cloud names and describes a server group.
#[derive(Debug, Clone)]
pub struct GroupTable {
    /// The parameter that names the load balancer of a group, where the cloud wants it beside the group.
    pub load_balancer: Option<String>,
    /// The parameter that names the group.
    pub group: String,
    /// The parameter that names the region.
    pub region: String,
    /// The parameter that names the project, where the cloud has projects.
    pub project: Option<String>,
    /// How the ids of groups begin here: those that the gateway makes up begin so too.
    pub id_prefix: String,
    /// The project of a caller who has none in the resource map, where the cloud has projects.
    pub default_project: Option<String>,
    /// The name of a group, for people.
    pub name: String,
    /// The name of a group that is made without one.
    pub default_name: String,
    /// How many characters it may have.
    pub name_length: (u32, u32),
    /// The parameters of the listener that a group is, on clouds where it is one.
    pub listener: Option<ListenerNames>,
    /// The cloud's words for protocols.
    pub protocols: Vec<(String, Protocol)>,
    /// The cloud's words for states of health, in the order of [`Health::ALL`].
    pub(in crate::mapping) health: [String; 3],
    /// Further settings of a listener, and what a read tells of one that nobody has set.
    pub options: Vec<OptionRow>,
    /// What a group is made with when the caller's cloud has no such idea.
    pub template: Option<GroupTemplate>,
    pub(in crate::mapping) losses: Vec<(GroupField, LossPolicy)>,
}

/// The parameters of the listener that a group is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerNames {
    /// Its protocol.
    pub protocol: String,
    /// The protocol of a listener that is made without one.
    pub default_protocol: Protocol,
    /// Its port.
    pub port: String,
    /// The port of a listener that is made without one.
    pub default_port: Port,
}

/// One further setting of a listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionRow {
    /// Its name on the wire.
    pub wire: String,
    /// What a read tells where nobody has set it.
    pub default: String,
    /// Whether it is a number on the wire.
    pub number: bool,
    /// From where to where such a number goes.
    pub range: Option<(u32, u32)>,
    /// The words that it may be; none means any text.
    pub values: Vec<String>,
}

/// What a group is made with that is a listener as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupTemplate {
    /// The protocol.
    pub protocol: Protocol,
    /// The first port to try, and the last: the first that is free is taken.
    pub ports: (Port, Port),
    /// Further settings.
    pub options: Vec<ListenerOption>,
}

impl OptionRow {
    /// What is wrong with a value: what it may be instead.
    #[must_use]
    pub fn allowed_instead(&self, value: &str) -> Option<String> {
        let digits = value.bytes().all(|byte| byte.is_ascii_digit());
        let number: Option<u32> = digits.then(|| value.parse().ok()).flatten();
        let fits = match (self.range, number) {
            (Some((low, high)), Some(number)) => (low..=high).contains(&number),
            (None, Some(_)) => true,
            (_, None) => !self.number,
        };
        if fits && (self.values.is_empty() || self.values.iter().any(|word| word == value)) {
            return None;
        }
        Some(match self.range {
            _ if !self.values.is_empty() => format!("one of {}", self.values.join(", ")),
            Some((low, high)) => format!("a whole number from {low} to {high}"),
            None => "a whole number".to_owned(),
        })
    }
}

impl GroupTable {
    /// The cloud's word for a protocol, or the model's where the cloud has none.
    #[must_use]
    pub fn protocol_word(&self, protocol: Protocol) -> &str {
        let known = self.protocols.iter().find(|(_, known)| *known == protocol);
        known.map_or(protocol.name(), |(word, _)| word)
    }

    /// The protocol that a word of the cloud stands for, in any letter case.
    #[must_use]
    pub fn protocol_of(&self, word: &str) -> Option<Protocol> {
        let known = self.protocols.iter().find(|(known, _)| known.eq_ignore_ascii_case(word));
        known.map(|(_, protocol)| *protocol)
    }

    /// The words for protocols that callers may write.
    #[must_use]
    pub fn protocol_words(&self) -> String {
        self.protocols.iter().map(|(word, _)| word.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// The cloud's word for a state of health.
    #[must_use]
    pub fn health_word(&self, health: Health) -> &str {
        let [healthy, unhealthy, unknown] = &self.health;
        match health {
            Health::Healthy => healthy,
            Health::Unhealthy => unhealthy,
            Health::Unknown => unknown,
        }
    }

    /// The state of health that a word of the cloud stands for. A word for two states stands for the first.
    #[must_use]
    pub fn health_of(&self, word: &str) -> Health {
        let known = self.health.iter().zip(Health::ALL).find(|(known, _)| *known == word);
        known.map_or(Health::Unknown, |(_, health)| health)
    }

    /// Whether a group is a listener on this cloud.
    #[must_use]
    pub const fn is_listener(&self) -> bool {
        self.listener.is_some()
    }

    /// What becomes of a field of a group that this cloud has no place for.
    #[must_use]
    pub fn policy(&self, field: GroupField) -> LossPolicy {
        self.losses.iter().find(|(lost, _)| *lost == field).map_or(LossPolicy::Refuse, |(_, policy)| *policy)
    }

    /// The cloud's name for a field of a group.
    #[must_use]
    pub fn wire_name(&self, field: GroupField) -> &str {
        match field {
            GroupField::Name => &self.name,
            GroupField::Listener => self.listener.as_ref().map_or(field.name(), |names| &names.port),
        }
    }
}
