//! The embedded default: both clouds simulated, well-known demo keys, a resource map to play with.

use std::{error::Error, path::Path};

use super::ConfigFile;
use crate::{
    config::{Config, Known, Unsound, load, load_text},
    mapping::{Diagnostic, Severity, SourceText},
    providers::PROVIDERS,
};

const CONFIG: &str = include_str!("../../mappings/demo.toml");
const RESOURCES: &str = include_str!("../../mappings/resources.example.toml");

/// Problems of a config, one a line.
#[derive(Debug)]
pub(super) struct Problems(pub(super) Vec<Diagnostic>);

impl std::fmt::Display for Problems {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let lines: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl Error for Problems {}

/// The embedded default.
pub(super) fn embedded() -> Result<Config, Problems> {
    let (config, resources) = (
        SourceText::new("embedded:demo.toml", CONFIG),
        SourceText::new("embedded:resources.toml", RESOURCES),
    );
    let mut config = known(|known| load_text(&config, Some(&resources), Path::new("."), &environment, known))
        .map_err(Problems)?;
    // Its keys are no secrets: they are printed on the first screen.
    config.warnings.retain(|warning| warning.severity == Severity::Error);
    Ok(config)
}

impl ConfigFile {
    /// Whether a file was named.
    pub(super) fn is_named(&self) -> bool {
        self.config.is_some()
    }

    /// The config of the file that was named, or the embedded default.
    pub(super) fn load(&self) -> Result<Config, Problems> {
        match &self.config {
            Some(path) => read_file(path).map_err(|unsound| Problems(unsound.problems)),
            None => embedded(),
        }
    }
}

/// Reads a config file with what the program speaks.
pub(super) fn read_file(path: &Path) -> Result<Config, Unsound> {
    known(|known| load(path, &environment, known))
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Calls `read` with what the program speaks.
fn known<T>(read: impl FnOnce(&[Known<'_>]) -> T) -> T {
    let schemes: Vec<Vec<&str>> = PROVIDERS
        .iter()
        .map(|provider| provider.schemes.iter().map(|scheme| scheme.id()).collect())
        .collect();
    let known: Vec<Known<'_>> = PROVIDERS
        .iter()
        .zip(&schemes)
        .map(|(provider, schemes)| Known { provider: provider.id, schemes })
        .collect();
    read(&known)
}
