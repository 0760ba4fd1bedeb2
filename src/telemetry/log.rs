//! Log lines, on standard error. Nothing here ever sees a secret, since what holds one does not print it.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts logging to standard error, by `RUST_LOG`, or at `default` where that is unset. A second start is a no-op.
pub fn log_to_stderr(format: LogFormat, default: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_target(false);
    let started = match format {
        LogFormat::Text => lines.with_ansi(io::stderr().is_terminal()).try_init(),
        LogFormat::Json => lines.json().with_ansi(false).try_init(),
    };
    // Only a test starts it twice, and the first start serves the second too.
    drop(started);
}
