//! `weighbridge check`.

use std::io::{self, Write};

use super::{ConfigFile, Ending};

pub(super) const EXAMPLES: &str = "\
Each problem is one line: file:line:column: what is wrong, and what to write instead.

Examples:
  weighbridge check --config weighbridge.toml
  weighbridge check --config weighbridge.toml && systemctl reload weighbridge";

/// Read the config and everything it refers to, and list every problem.
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
        let (clients, targets) = (config.clients.len(), config.targets.len());
        writeln!(out, "good: {clients} clients, {targets} targets")?;
        Ok(true)
    }
}
