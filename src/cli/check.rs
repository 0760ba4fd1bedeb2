//! `weighbridge check`.

use std::io::{self, Write};

use super::{ConfigFile, Ending};
use crate::mapping::Diagnostic;

pub(super) const EXAMPLES: &str = "\
Each problem is one line: file:line:column: what is wrong, and what to write instead.

Examples:
  weighbridge check --config weighbridge.toml
  weighbridge check --config weighbridge.toml && systemctl reload weighbridge";

/// Read the config and everything it refers to, open the store, and list every problem.
#[derive(Debug, clap::Args)]
pub(super) struct Check {
    #[command(flatten)]
    file: ConfigFile,
}

impl Check {
    pub(super) fn run(&self) -> Ending {
        let mut out = io::stdout().lock();
        let config = match self.file.load() {
            Ok(config) => config,
            Err(problems) => {
                writeln!(out, "{problems}")?;
                return Ok(false);
            }
        };
        for warning in &config.warnings {
            writeln!(out, "{warning}")?;
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        if let Err(unavailable) = runtime.block_on(config.store.try_out()) {
            let message = format!("{unavailable}; make it usable, or name another `store`");
            writeln!(out, "{}", Diagnostic { message, ..config.store_place })?;
            return Ok(false);
        }
        let clients = counted(config.clients.len(), "client");
        let targets = counted(config.targets.len(), "target");
        // Whoever forgot to name the file is not to take this for an answer about it.
        let which = if self.file.is_named() {
            ""
        } else {
            "; this is the embedded default, name a file with --config"
        };
        writeln!(out, "good: {clients}, {targets}{which}")?;
        Ok(true)
    }
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
