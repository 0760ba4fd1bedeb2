//! The program: reads its arguments, runs one command, leaves with its exit code.

use std::process::ExitCode;

/// A request allocates more than a hundred times, a tenth of what it costs with this one; without huge pages, which would double
/// the memory of an idle gateway.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    weighbridge::cli::run(std::env::args_os())
}
