//! The clouds with their embedded tables, and the moment at which everything happens.

use std::sync::LazyLock;

use weighbridge::{
    auth::{Stamp, Stamps},
    dialect::Provider,
    mapping::{Cloud, Sources, Tables},
    providers::{PROVIDERS, provider},
};

static TABLES: LazyLock<Tables> =
    LazyLock::new(|| Tables::compile(&Sources::embedded()).expect("the embedded tables compile"));

/// Every cloud with its tables.
pub fn all() -> impl Iterator<Item = (&'static Provider, &'static Cloud)> {
    PROVIDERS.iter().map(|provider| (provider, tables_of(provider)))
}

/// The cloud of this id.
pub fn cloud(id: &str) -> (&'static Provider, &'static Cloud) {
    let provider = provider(id).expect("a provider of this id");
    (provider, tables_of(provider))
}

fn tables_of(provider: &Provider) -> &'static Cloud {
    TABLES.cloud(provider.id).expect("every provider has tables")
}

/// The same moment and the same nonce every time.
pub fn stamp() -> Stamp {
    Stamps::fixed("2026-01-02T03:04:05Z".parse().expect("a moment")).next()
}
