//! The program: reads its arguments, runs one command, leaves with its exit code.

use std::process::ExitCode;

/// Allocating is a tenth of what a request costs; this allocator halves it (`cargo bench --bench gateway -- load`).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    weighbridge::cli::run(std::env::args_os())
}
