//! The program: reads its arguments, runs one command, leaves with its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    weighbridge::cli::run(std::env::args_os())
}
