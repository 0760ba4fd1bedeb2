//! `weighbridge completions`.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use super::{Arguments, Ending};

pub(super) const EXAMPLES: &str = "\
Examples:
  weighbridge completions bash > ~/.local/share/bash-completion/completions/weighbridge
  weighbridge completions zsh > \"${fpath[1]}/_weighbridge\"
  weighbridge completions fish > ~/.config/fish/completions/weighbridge.fish";

/// Print what a shell needs to complete commands and options.
#[derive(Debug, clap::Args)]
pub(super) struct Completions {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self) -> Ending {
        // The generator panics where its writer fails, and a pipe may be closed early.
        let mut script = Vec::new();
        generate(self.shell, &mut Arguments::command(), "weighbridge", &mut script);
        io::stdout().lock().write_all(&script)?;
        Ok(true)
    }
}
