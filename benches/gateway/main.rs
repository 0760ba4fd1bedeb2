//! What a request costs on its way through a whole gateway, beside what it costs on its way through bare proxies.
//!
//! `cargo bench --bench gateway` answers all the questions, `cargo bench --bench gateway -- load` one of them: `start`,
//! `load`, `fan-out`, `connections`, and, only if asked for, `soak SECONDS` and, for a profiler to look at, `busy SECONDS`. Every figure stands beside the bare proxies' of the
//! same run, which is what to compare; across machines figures do not compare. What is measured runs in a process of its own,
//! so what the callers and the target cost is in nobody's figures. nginx and HAProxy take part where they are installed.
#![expect(clippy::unwrap_used, reason = "a bench that cannot be set up may fail in any way")]
#![expect(clippy::expect_used, reason = "the same")]
#![expect(clippy::panic, reason = "the same")]
#![expect(clippy::print_stdout, reason = "what it has found out is printed")]

mod bare;
mod callers;
mod contenders;
mod figures;
mod load;
mod process;
mod questions;
mod target;

use std::env;

/// As the program that is measured, for the bare proxy beside it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    // cargo adds `--bench` to what it is given.
    let words: Vec<String> = env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        // The parts that this program plays in processes of their own.
        ["as-target", delay] => target::run(delay.parse().unwrap()),
        ["as-bare-hyper", to] => bare::run(to.parse().unwrap()),
        [] => ["start", "load", "fan-out", "connections"].into_iter().for_each(|question| ask(&[question])),
        words => ask(words),
    }
}

fn ask(words: &[&str]) {
    match words {
        ["start"] => questions::start(),
        ["load"] => questions::load(),
        ["fan-out"] => questions::fan_out(),
        ["connections"] => questions::connections(),
        ["busy", seconds] => questions::busy(seconds.parse().expect("a number of seconds")),
        ["soak", seconds] => questions::soak(seconds.parse().expect("a number of seconds")),
        _ => panic!("ask for `start`, `load`, `fan-out`, `connections`, `soak SECONDS` or `busy SECONDS`"),
    }
}
