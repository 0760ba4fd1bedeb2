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

/// What goes on telling until it is dropped: then what is left of it is sent.
#[derive(Debug)]
#[must_use = "it ends when this is dropped"]
pub struct Telling {
    #[cfg(feature = "otlp")]
    _spans: Option<super::otlp::Export>,
}

/// Starts logging to standard error, by `RUST_LOG`, or at `default` where that is unset. A second start is a no-op. With the
/// feature `otlp`, starts sending spans too, if the environment says where.
pub fn log_to_stderr(format: LogFormat, default: &str) -> Telling {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_target(false);
    let started = match format {
        LogFormat::Text => lines.with_ansi(io::stderr().is_terminal()).try_init(),
        LogFormat::Json => lines.json().with_ansi(false).try_init(),
    };
    // Only a test starts it twice, and the first start serves the second too.
    drop(started);
    Telling {
        #[cfg(feature = "otlp")]
        _spans: super::otlp::Export::start(),
    }
}
