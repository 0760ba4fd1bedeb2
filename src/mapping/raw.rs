//! The mapping files as they are typed. What they *mean* is [`super::compile`]'s to say.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

pub(in crate::mapping) type Word = Spanned<String>;

/// `provider.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::mapping) struct RawProvider {
    pub(in crate::mapping) title: Option<String>,
    pub(in crate::mapping) version: Option<String>,
    pub(in crate::mapping) signature: Option<String>,
    pub(in crate::mapping) default_format: Option<Word>,
    pub(in crate::mapping) unknown_parameters: Option<Word>,
    pub(in crate::mapping) common: Option<Vec<String>>,
    #[serde(default)]
    pub(in crate::mapping) capability: RawCapability,
}

/// `[capability]` of `provider.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::mapping) struct RawCapability {
    pub(in crate::mapping) backends_per_call: Option<Spanned<usize>>,
    pub(in crate::mapping) updates_per_call: Option<Spanned<usize>>,
    pub(in crate::mapping) updates_in_part: Option<bool>,
    pub(in crate::mapping) changes_ports: Option<bool>,
    pub(in crate::mapping) lists_members: Option<bool>,
    /// In seconds.
    pub(in crate::mapping) settles_after: Option<u64>,
    pub(in crate::mapping) names_backends: Option<Word>,
    pub(in crate::mapping) one_writer_per_group: Option<bool>,
    pub(in crate::mapping) duplicate_add: Option<Word>,
}

/// `actions.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::mapping) struct RawActions {
    #[serde(default)]
    pub(in crate::mapping) action: Vec<RawAction>,
}

/// `[[action]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::mapping) struct RawAction {
    pub(in crate::mapping) name: Word,
    pub(in crate::mapping) operations: Option<Vec<Word>>,
    pub(in crate::mapping) required: Option<Vec<String>>,
    pub(in crate::mapping) optional: Option<Vec<String>>,
    pub(in crate::mapping) untranslated: Option<Vec<String>>,
    pub(in crate::mapping) lists: Option<Vec<String>>,
    pub(in crate::mapping) max_backends: Option<Spanned<usize>>,
}

/// `group.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::mapping) struct RawGroup {
    pub(in crate::mapping) load_balancer: Option<String>,
    pub(in crate::mapping) group: Option<String>,
    pub(in crate::mapping) region: Option<String>,
    pub(in crate::mapping) project: Option<String>,
    pub(in crate::mapping) name: Option<String>,
    pub(in crate::mapping) id_prefix: Option<String>,
    pub(in crate::mapping) default_project: Option<String>,
    pub(in crate::mapping) default_name: Option<String>,
    pub(in crate::mapping) name_length: Option<Spanned<(u32, u32)>>,
    pub(in crate::mapping) listener: Option<RawListener>,
    pub(in crate::mapping) protocols: Option<BTreeMap<String, Word>>,
    pub(in crate::mapping) health: Option<BTreeMap<Word, String>>,
    #[serde(default)]
    pub(in crate::mapping) option: Vec<RawOption>,
    pub(in crate::mapping) template: Option<RawTemplate>,
    #[serde(default)]
    pub(in crate::mapping) loss: BTreeMap<Word, Word>,
}

/// `listener` of `group.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::mapping) struct RawListener {
    pub(in crate::mapping) protocol: String,
    pub(in crate::mapping) default_protocol: Word,
    pub(in crate::mapping) port: String,
    pub(in crate::mapping) default_port: Spanned<u32>,
}

/// `[[option]]` of `group.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::mapping) struct RawOption {
    pub(in crate::mapping) wire: String,
    pub(in crate::mapping) default: Word,
    #[serde(default)]
    pub(in crate::mapping) number: bool,
    pub(in crate::mapping) range: Option<Spanned<(u32, u32)>>,
    #[serde(default)]
    pub(in crate::mapping) values: Vec<String>,
}

/// `[template]` of `group.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::mapping) struct RawTemplate {
    pub(in crate::mapping) protocol: Word,
    pub(in crate::mapping) ports: Spanned<(u32, u32)>,
    #[serde(default)]
    pub(in crate::mapping) options: BTreeMap<Word, Word>,
}

/// `backend.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::mapping) struct RawBackend {
    pub(in crate::mapping) zero_weight: Option<Word>,
    #[serde(default)]
    pub(in crate::mapping) field: Vec<RawField>,
    #[serde(default)]
    pub(in crate::mapping) loss: BTreeMap<Word, Word>,
}

/// `[[field]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::mapping) struct RawField {
    pub(in crate::mapping) wire: Word,
    pub(in crate::mapping) model: Option<Word>,
    pub(in crate::mapping) default: Option<Word>,
    pub(in crate::mapping) range: Option<Spanned<(u32, u32)>>,
    pub(in crate::mapping) length: Option<Spanned<(u32, u32)>>,
    pub(in crate::mapping) values: Option<BTreeMap<String, Word>>,
    pub(in crate::mapping) told: Option<BTreeMap<String, Word>>,
    pub(in crate::mapping) fallback: Option<BTreeMap<Word, Word>>,
}

/// `faults.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::mapping) struct RawFaults {
    #[serde(default)]
    pub(in crate::mapping) fault: Vec<RawFault>,
    #[serde(default)]
    pub(in crate::mapping) read: Vec<RawRead>,
}

/// `[[fault]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::mapping) struct RawFault {
    pub(in crate::mapping) kind: Word,
    #[serde(default)]
    pub(in crate::mapping) actions: Vec<Word>,
    pub(in crate::mapping) status: Option<Spanned<u16>>,
    pub(in crate::mapping) code: Option<Word>,
    pub(in crate::mapping) message: Option<Word>,
    pub(in crate::mapping) retry_after: Option<u32>,
}

/// `[[read]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::mapping) struct RawRead {
    pub(in crate::mapping) kind: Word,
    pub(in crate::mapping) status: Option<u16>,
    pub(in crate::mapping) codes: Vec<String>,
}

/// `regions.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::mapping) struct RawPlaces {
    #[serde(default)]
    pub(in crate::mapping) place: Vec<BTreeMap<Word, Word>>,
}
