//! Log lines, on standard error. Nothing here ever sees a secret, since what holds one does not print it.

use std::{
    env,
    io::{self, IsTerminal},
};

use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets},
    fmt::layer,
    layer::SubscriberExt,
    registry,
    util::SubscriberInitExt,
};

use super::lines::Lines;

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
    lines: Lines,
    #[cfg(feature = "otlp")]
    _spans: Option<super::otlp::Export>,
}

/// Starts logging to standard error, by `RUST_LOG` (a level, or `PLACE=LEVEL` with commas between), or at `default` where that
/// is unset or makes no sense. A second start is a no-op. With the feature `otlp`, starts sending spans too, if the environment
/// says where.
pub fn log_to_stderr(format: LogFormat, default: LevelFilter) -> Telling {
    let asked = env::var("RUST_LOG").ok().and_then(|asked| asked.parse::<Targets>().ok());
    let filter = asked.unwrap_or_else(|| Targets::new().with_default(default));
    let lines = Lines::to(io::stderr());
    let to = lines.clone();
    let form = layer().with_writer(to).with_target(false);
    let form = match format {
        LogFormat::Text => form.with_ansi(io::stderr().is_terminal()).boxed(),
        LogFormat::Json => form.json().with_ansi(false).boxed(),
    };
    // Only a test starts it twice, and the first start serves the second too.
    drop(registry().with(form.with_filter(filter)).try_init());
    Telling {
        lines,
        #[cfg(feature = "otlp")]
        _spans: super::otlp::Export::start(),
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        self.lines.flush();
    }
}
