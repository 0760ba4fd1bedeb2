//! Raw config → [`Config`], gathering every problem on the way.

use std::path::Path;

use super::Config;
use crate::mapping::{Diagnostic, SourceText};

/// Reads environment variables: the process's own, or a test's.
pub type Environment<'e> = &'e dyn Fn(&str) -> Option<String>;

/// A cloud that the program speaks, and the ids of its signature schemes.
#[derive(Debug, Clone, Copy)]
pub struct Known<'k> {
    /// The provider id.
    pub provider: &'k str,
    /// Its schemes.
    pub schemes: &'k [&'k str],
}

/// Reads a config file and everything that it refers to: mappings, resources, secrets, certificates.
///
/// # Errors
/// Every problem of every file.
pub fn load(
    _path: &Path,
    _environment: Environment<'_>,
    _known: &[Known<'_>],
) -> Result<Config, Vec<Diagnostic>> {
    Err(Vec::new())
}

/// The same from text.
///
/// # Errors
/// Every problem of every file.
pub fn load_text(
    _config: &SourceText,
    _resources: Option<&SourceText>,
    _base: &Path,
    _environment: Environment<'_>,
    _known: &[Known<'_>],
) -> Result<Config, Vec<Diagnostic>> {
    Err(Vec::new())
}
