//! Floor 6: the commands. Each reads its arguments, calls what does the work, and says what came of it.

mod check;
mod completions;
mod demo;
mod embedded;
mod explain;
mod fields;
mod man;
mod serve;
mod sign;

use std::{
    ffi::OsString,
    io::{self, Read, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Parser, Subcommand, ValueEnum};
use tracing_subscriber::filter::LevelFilter;

use self::embedded::Problems;
use crate::telemetry::{LogFormat, log_to_stderr};

/// What a command ends in when it could be run at all: whether everything was as it should be.
type Ending = Result<bool, Box<dyn std::error::Error>>;

/// Arguments that are well formed and make no sense together.
#[derive(Debug, thiserror::Error)]
#[error("{0}; see --help")]
struct Usage(String);

/// Lets a tool written for one cloud's load balancer API work on another's.
#[derive(Debug, Parser)]
// Examples are to be pasted, so nothing wraps them.
#[command(version, about, propagate_version = true, after_help = EXAMPLES, term_width = 0)]
struct Arguments {
    /// The form of log lines, which go to standard error; their level is set by RUST_LOG
    #[arg(long, global = true, value_enum, default_value = "text", value_name = "FORMAT")]
    log: Log,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  weighbridge demo                              see it work: both clouds simulated, one add each way
  weighbridge serve                             the same, to try with your own tools, on 127.0.0.1:8080
  weighbridge serve --config weighbridge.toml   the real thing
  weighbridge check --config weighbridge.toml   every problem of the config, with line and column";

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Log {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gateway until SIGTERM or SIGINT, then finish what is in flight and stop
    #[command(after_help = serve::EXAMPLES)]
    Serve(serve::Serve),
    /// Show, over real sockets, what becomes of an add in both directions; both clouds are simulated
    #[command(after_help = demo::EXAMPLES)]
    Demo(demo::Demo),
    /// Print the calls that the target would get for a request; sends nothing
    #[command(after_help = explain::EXAMPLES)]
    Explain(explain::Explain),
    /// Read the config and everything it refers to, open the store, and list every problem
    #[command(after_help = check::EXAMPLES)]
    Check(check::Check),
    /// Sign a request and print it as a curl command line
    #[command(after_help = sign::EXAMPLES)]
    Sign(sign::Sign),
    /// Print what a shell needs to complete commands and options
    #[command(after_help = completions::EXAMPLES)]
    Completions(completions::Completions),
    /// Print the manual page of the program, or of one of its commands
    #[command(after_help = man::EXAMPLES)]
    Man(man::Man),
}

/// Which config to work by.
#[derive(Debug, clap::Args)]
struct ConfigFile {
    /// The config file; without it, the embedded default: both clouds simulated, well-known demo keys
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Runs the program with these arguments, the program's own name first, and returns its exit code: 0 when all is well,
/// 1 when it is not, 2 for arguments that make no sense.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are "errors" that go to standard output and succeed.
            let code = u8::try_from(error.exit_code()).unwrap_or(2);
            return if error.print().is_ok() { ExitCode::from(code) } else { ExitCode::FAILURE };
        }
    };
    let format = match arguments.log {
        Log::Text => LogFormat::Text,
        Log::Json => LogFormat::Json,
    };
    let ending = match arguments.command {
        Command::Serve(command) => with_log(format, LevelFilter::INFO, || command.run()),
        Command::Demo(command) => with_log(format, LevelFilter::ERROR, || command.run()),
        Command::Explain(command) => with_log(format, LevelFilter::WARN, || command.run()),
        Command::Check(command) => with_log(format, LevelFilter::WARN, || command.run()),
        Command::Sign(command) => with_log(format, LevelFilter::WARN, || command.run()),
        Command::Completions(command) => with_log(format, LevelFilter::WARN, || command.run()),
        Command::Man(command) => with_log(format, LevelFilter::WARN, || command.run()),
    };
    exit_code(ending)
}

fn with_log(format: LogFormat, level: LevelFilter, command: impl FnOnce() -> Ending) -> Ending {
    let _telling = log_to_stderr(format, level);
    command()
}

fn exit_code(ending: Ending) -> ExitCode {
    match ending {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) if error.is::<Usage>() => told(&format!("weighbridge: {error}"), ExitCode::from(2)),
        Err(error) if error.is::<Problems>() => told(&error.to_string(), ExitCode::FAILURE),
        // `weighbridge explain … | head` closes the pipe early: that is the reader's right and no failure of ours.
        Err(error) if is_broken_pipe(error.as_ref()) => ExitCode::SUCCESS,
        Err(error) => told(&format!("weighbridge: {error}"), ExitCode::FAILURE),
    }
}

fn told(what: &str, code: ExitCode) -> ExitCode {
    // Nothing is left to tell it to if this fails too.
    let _unheard = writeln!(io::stderr().lock(), "{what}");
    code
}

fn is_broken_pipe(error: &(dyn std::error::Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// The text of REQUEST: the argument, or standard input without one.
fn request_text(argument: Option<&str>) -> io::Result<String> {
    if let Some(text) = argument {
        return Ok(text.to_owned());
    }
    let mut text = String::new();
    io::stdin().read_to_string(&mut text)?;
    Ok(text)
}
