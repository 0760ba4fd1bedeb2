//! The mapping files as they are typed. What they *mean* is [`super::compile`]'s to say.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

pub(super) type Word = Spanned<String>;

/// `provider.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawProvider {
    pub(super) title: Option<String>,
    pub(super) version: Option<String>,
    pub(super) signature: Option<String>,
    pub(super) default_format: Option<Word>,
    pub(super) unknown_parameters: Option<Word>,
    pub(super) common: Option<Vec<String>>,
    #[serde(default)]
    pub(super) capability: RawCapability,
}

/// `[capability]` of `provider.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCapability {
    pub(super) backends_per_call: Option<Spanned<usize>>,
    pub(super) names_backends: Option<Word>,
    pub(super) one_writer_per_group: Option<bool>,
    pub(super) tells_duplicates: Option<bool>,
    pub(super) duplicate_add: Option<Word>,
}

/// `actions.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawActions {
    #[serde(default)]
    pub(super) action: Vec<RawAction>,
}

/// `[[action]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAction {
    pub(super) name: Word,
    pub(super) operation: Option<Word>,
    pub(super) required: Option<Vec<String>>,
    pub(super) optional: Option<Vec<String>>,
    pub(super) max_backends: Option<usize>,
}

/// `group.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawGroup {
    pub(super) load_balancer: Option<String>,
    pub(super) group: Option<String>,
    pub(super) region: Option<String>,
    pub(super) project: Option<String>,
}

/// `backend.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBackend {
    pub(super) zero_weight: Option<Word>,
    #[serde(default)]
    pub(super) field: Vec<RawField>,
    #[serde(default)]
    pub(super) loss: BTreeMap<Word, Word>,
}

/// `[[field]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawField {
    pub(super) wire: Word,
    pub(super) model: Option<Word>,
    pub(super) default: Option<Word>,
    pub(super) range: Option<Spanned<[u32; 2]>>,
    pub(super) length: Option<Spanned<[u32; 2]>>,
    pub(super) values: Option<BTreeMap<String, Word>>,
    pub(super) fallback: Option<BTreeMap<Word, Word>>,
}

/// `faults.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFaults {
    #[serde(default)]
    pub(super) fault: Vec<RawFault>,
    #[serde(default)]
    pub(super) read: Vec<RawRead>,
}

/// `[[fault]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFault {
    pub(super) kind: Word,
    pub(super) status: Option<Spanned<u16>>,
    pub(super) code: Option<Word>,
    pub(super) message: Option<Word>,
    pub(super) retry_after: Option<u32>,
}

/// `[[read]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRead {
    pub(super) kind: Word,
    pub(super) status: Option<u16>,
    pub(super) codes: Vec<String>,
}

/// `regions.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPlaces {
    #[serde(default)]
    pub(super) place: Vec<BTreeMap<Word, Word>>,
}
