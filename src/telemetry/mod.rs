//! Floor 2: what the operator sees of a running gateway: log lines, metrics, the last requests and, with the feature `otlp`,
//! spans for a collector.
//!
//! One [`Account`] a request is where all of it comes from: opened at the door, filled by whoever works on the request, and
//! closed when the last of them lets go, so that a request whose caller has hung up is told of as well.

mod account;
mod history;
mod lines;
mod log;
mod metrics;
#[cfg(feature = "otlp")]
mod otlp;

use std::sync::Arc;

pub use account::{Account, Calling, End, Told, Waiting};
pub use history::{CallMade, History, Past};
pub use log::{LogFormat, Telling, log_to_stderr};
pub use metrics::{Metrics, Readings, TextFormat};

/// What one gateway, or one simulated cloud, lets an operator see.
#[derive(Debug, Default)]
pub struct Telemetry {
    /// Counters, gauges and histograms.
    pub metrics: Metrics,
    /// The last requests.
    pub history: History,
}

impl Telemetry {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::default()
    }
}
