//! `weighbridge man`.

use std::io::{self, Write};

use clap::{Command, CommandFactory};
use clap_mangen::{
    Man as Page,
    roff::{Roff, roman},
};

use super::{Arguments, Ending, Usage};

pub(super) const EXAMPLES: &str = "\
Examples:
  weighbridge man > /usr/local/share/man/man1/weighbridge.1
  weighbridge man serve > /usr/local/share/man/man1/weighbridge-serve.1
  weighbridge man > weighbridge.1 && man ./weighbridge.1";

/// Print the manual page of the program, or of one of its commands.
#[derive(Debug, clap::Args)]
pub(super) struct Man {
    /// The command; without it, the page of the whole program
    #[arg(value_name = "COMMAND")]
    command: Option<String>,
}

impl Man {
    pub(super) fn run(&self) -> Ending {
        let mut program = Arguments::command().disable_help_subcommand(true);
        program.build();
        let page = match &self.command {
            None => of_program(&program)?,
            Some(name) => of_command(&program, name)?,
        };
        io::stdout().lock().write_all(&page)?;
        Ok(true)
    }
}

/// The page of one command.
fn of_command(program: &Command, name: &str) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let Some(command) = program.find_subcommand(name) else {
        let names: Vec<&str> = program.get_subcommands().map(Command::get_name).collect();
        return Err(Usage(format!("there is no command `{name}`; write one of {}", names.join(", "))).into());
    };
    let mut text = Vec::new();
    let page = Page::new(command.clone());
    page.render_title(&mut text)?;
    page.render_name_section(&mut text)?;
    page.render_synopsis_section(&mut text)?;
    page.render_description_section(&mut text)?;
    page.render_options_section(&mut text)?;
    end(command, &mut text)?;
    Ok(text)
}

/// The page of the program, with what every command takes.
fn of_program(program: &Command) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let mut text = Vec::new();
    let page = Page::new(program.clone());
    page.render_title(&mut text)?;
    page.render_name_section(&mut text)?;
    page.render_synopsis_section(&mut text)?;
    page.render_description_section(&mut text)?;
    page.render_options_section(&mut text)?;
    page.render_subcommands_section(&mut text)?;
    for command in program.get_subcommands() {
        let mut section = Vec::new();
        let page = Page::new(command.clone());
        page.render_synopsis_section(&mut section)?;
        page.render_options_section(&mut section)?;
        heading(&format!("weighbridge {}", command.get_name()), &mut text)?;
        text.extend(String::from_utf8(section)?.replace(".SH ", ".SS ").into_bytes());
    }
    end(program, &mut text)?;
    Ok(text)
}

/// What every page ends with. Examples keep their lines: the generator would run them into one paragraph.
fn end(command: &Command, text: &mut Vec<u8>) -> io::Result<()> {
    heading("exit status", text)?;
    text.extend(EXIT_STATUS.as_bytes());
    if let Some(help) = command.get_after_help() {
        heading("examples", text)?;
        let mut examples = Roff::default();
        examples.control("nf", []);
        for line in help.to_string().lines().filter(|line| !line.starts_with("Example")) {
            examples.text([roman(line)]);
        }
        examples.control("fi", []);
        examples.to_writer(text)?;
    }
    Ok(())
}

fn heading(title: &str, text: &mut Vec<u8>) -> io::Result<()> {
    let mut heading = Roff::default();
    heading.control("SH", [title.to_uppercase().as_str()]);
    heading.to_writer(text)
}

const EXIT_STATUS: &str = "\
.TP
0
all is well
.TP
1
it is not: what is wrong was said
.TP
2
the arguments make no sense
";
