//! `provider.toml`: what the cloud is called and what it can do in one call.

use std::time::Duration;

use super::{Format, at_least_one, chosen, replace};
use crate::mapping::{
    actions::UnknownParameters,
    capability::{Capability, DuplicateAdd, NamesBackends},
    diagnostic::{Diagnostic, SourceText},
    raw::RawProvider,
};

/// `provider.toml`, compiled.
pub(super) struct Provider {
    pub(super) title: String,
    pub(super) version: Option<String>,
    pub(super) signature: String,
    pub(super) default_format: Format,
    pub(super) unknown: UnknownParameters,
    pub(super) common: Vec<String>,
    pub(super) capability: Capability,
}

pub(super) fn provider(id: &str, layers: &[SourceText]) -> Result<Provider, Vec<Diagnostic>> {
    let mut provider = Provider {
        title: id.to_owned(),
        version: None,
        signature: String::new(),
        default_format: Format::Json,
        unknown: UnknownParameters::Refuse,
        common: Vec::new(),
        capability: Capability {
            backends_per_call: 1,
            updates_per_call: 1,
            updates_in_part: false,
            changes_ports: false,
            lists_members: false,
            settles_after: Duration::ZERO,
            names_backends: NamesBackends::Address,
            one_writer_per_group: false,
            duplicate_add: DuplicateAdd::Refuse,
        },
    };
    for layer in layers {
        lay_provider(&mut provider, layer).map_err(|problem| vec![problem])?;
    }
    Ok(provider)
}

fn lay_provider(provider: &mut Provider, layer: &SourceText) -> Result<(), Diagnostic> {
    let raw: RawProvider = layer.parse()?;
    replace(&mut provider.title, raw.title);
    replace(&mut provider.signature, raw.signature);
    replace(&mut provider.common, raw.common);
    provider.version = raw.version.or(provider.version.take());
    let formats = [("json", Format::Json), ("xml", Format::Xml)];
    replace(&mut provider.default_format, chosen(layer, raw.default_format.as_ref(), &formats)?);
    let unknown = [("ignore", UnknownParameters::Ignore), ("refuse", UnknownParameters::Refuse)];
    replace(&mut provider.unknown, chosen(layer, raw.unknown_parameters.as_ref(), &unknown)?);

    let (capability, raw) = (&mut provider.capability, raw.capability);
    let counts = [
        (&mut capability.backends_per_call, raw.backends_per_call, "backends_per_call"),
        (&mut capability.updates_per_call, raw.updates_per_call, "updates_per_call"),
    ];
    for (slot, count, name) in counts {
        let Some(count) = count else { continue };
        *slot = at_least_one(layer, &count, name)?;
    }
    replace(&mut capability.updates_in_part, raw.updates_in_part);
    replace(&mut capability.changes_ports, raw.changes_ports);
    replace(&mut capability.lists_members, raw.lists_members);
    replace(&mut capability.settles_after, raw.settles_after.map(Duration::from_secs));
    let names = [("address", NamesBackends::Address), ("id", NamesBackends::Id)];
    replace(&mut capability.names_backends, chosen(layer, raw.names_backends.as_ref(), &names)?);
    let duplicate = [("accept", DuplicateAdd::Accept), ("refuse", DuplicateAdd::Refuse)];
    replace(&mut capability.duplicate_add, chosen(layer, raw.duplicate_add.as_ref(), &duplicate)?);
    replace(&mut capability.one_writer_per_group, raw.one_writer_per_group);
    Ok(())
}
