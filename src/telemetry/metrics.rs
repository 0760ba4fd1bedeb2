//! What is counted and measured. Every label has few values: dialects, actions and codes that the tables know, names of
//! the config, and closed lists of ours.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use super::history::Past;
use crate::model::FaultKind;

/// The metrics of one gateway.
pub struct Metrics {
    registry: Registry,
    requests: Family<Asked, Counter>,
    request_seconds: Family<Dialect, Histogram, fn() -> Histogram>,
    gateway_seconds: Family<Dialect, Histogram, fn() -> Histogram>,
    waiting_seconds: Family<Dialect, Histogram, fn() -> Histogram>,
    upstream_calls: Family<Called, Counter>,
    upstream_seconds: Family<Target, Histogram, fn() -> Histogram>,
    losses: Family<Lost, Counter>,
    replays_refused: Family<Dialect, Counter>,
    in_flight: Gauge,
    connections: Gauge,
    connections_refused: Family<Reason, Counter>,
    reloads: Family<Outcome, Counter>,
    config_good: Gauge,
    config_refused: Family<Place, Gauge>,
    config_loaded: Gauge,
    store_up: Gauge,
    journal_open: Gauge,
    /// One scrape at a time: what others count is carried over as a difference.
    scrape: Mutex<()>,
}

/// What is counted elsewhere, as it stands at a scrape.
#[derive(Debug, Clone, Default)]
pub struct Readings {
    /// How many connections are held.
    pub connections: usize,
    /// How many were refused since the start, by the reason.
    pub refused: Vec<(&'static str, u64)>,
    /// Whether the store can be used.
    pub store_up: bool,
    /// How many operations are left half done.
    pub journal_open: usize,
}

/// How metrics are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextFormat {
    /// Prometheus text, 0.0.4.
    Prometheus,
    /// OpenMetrics text, 1.0.0.
    OpenMetrics,
}

/// Where the time of a request went.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) whole: Duration,
    pub(super) gateway: Duration,
    pub(super) waiting: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    dialect: &'static str,
    action: String,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Dialect {
    dialect: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Called {
    target: String,
    code: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Target {
    target: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Lost {
    dialect: &'static str,
    field: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Place {
    file: String,
    line: u64,
    column: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Version {
    version: &'static str,
}

/// From a twentieth of a millisecond on: most of what the gateway does itself takes less.
const OWN_SECONDS: [f64; 13] =
    [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0];

/// Up to the longest that a request may take.
const SECONDS: [f64; 14] =
    [0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

fn own_seconds() -> Histogram {
    Histogram::new(OWN_SECONDS)
}

fn seconds() -> Histogram {
    Histogram::new(SECONDS)
}

impl Metrics {
    /// A request begins.
    pub(super) fn begins(&self) {
        self.in_flight.inc();
    }

    /// A request has ended.
    pub(super) fn ended(&self, past: &Past, action: &str, times: Times) {
        let Times { whole, gateway, waiting } = times;
        let dialect = Dialect { dialect: past.dialect };
        let asked = Asked { dialect: past.dialect, action: action.to_owned(), outcome: past.outcome };
        self.in_flight.dec();
        self.requests.get_or_create(&asked).inc();
        self.request_seconds.get_or_create(&dialect).observe(whole.as_secs_f64());
        self.gateway_seconds.get_or_create(&dialect).observe(gateway.as_secs_f64());
        if !waiting.is_zero() {
            self.waiting_seconds.get_or_create(&dialect).observe(waiting.as_secs_f64());
        }
        for (field, _) in &past.losses {
            self.losses.get_or_create(&Lost { dialect: past.dialect, field: field.clone() }).inc();
        }
        if past.outcome == REPLAY {
            self.replays_refused.get_or_create(&dialect).inc();
        }
    }

    /// A call to a target has ended. `code` is `ok`, a code that the tables know, or one of a closed list of words.
    pub fn called(&self, target: &str, code: &str, took: Duration) {
        let called = Called { target: target.to_owned(), code: code.to_owned() };
        self.upstream_calls.get_or_create(&called).inc();
        let target = Target { target: target.to_owned() };
        self.upstream_seconds.get_or_create(&target).observe(took.as_secs_f64());
    }

    /// A config is in force, from the start or from a reload on.
    pub fn config_in_force(&self, at: Timestamp) {
        self.config_good.set(1);
        self.config_refused.clear();
        self.config_loaded.set(at.as_second());
    }

    /// A reload has ended well.
    pub fn reloaded(&self, at: Timestamp) {
        self.reloads.get_or_create(&GOOD).inc();
        self.config_in_force(at);
    }

    /// A reload was refused because of something at this place, counted from 1.
    pub fn reload_refused(&self, file: &str, line: usize, column: usize) {
        self.reloads.get_or_create(&BAD).inc();
        self.config_good.set(0);
        self.config_refused.clear();
        let place = Place { file: file.to_owned(), line: line as u64, column: column as u64 };
        self.config_refused.get_or_create(&place).set(1);
    }

    /// Everything, with what is counted elsewhere.
    #[must_use]
    pub fn text(&self, readings: &Readings, format: TextFormat) -> String {
        let _alone = self.scrape.lock().unwrap_or_else(PoisonError::into_inner);
        self.take(readings);
        let mut written = String::new();
        // Writing to a text does not fail.
        let _ok = text::encode(&mut written, &self.registry);
        match format {
            TextFormat::OpenMetrics => written,
            TextFormat::Prometheus => prometheus_text(&written),
        }
    }

    fn take(&self, readings: &Readings) {
        let Readings { connections, refused, store_up, journal_open } = readings;
        self.connections.set(gauge(*connections));
        self.store_up.set(i64::from(*store_up));
        self.journal_open.set(gauge(*journal_open));
        for (reason, count) in refused {
            let counter = self.connections_refused.get_or_create_owned(&Reason { reason });
            counter.inc_by(count.saturating_sub(counter.get()));
        }
    }
}

/// The outcome of a request that was sent before.
const REPLAY: &str = FaultKind::NonceUsed.name();
const GOOD: Outcome = Outcome { outcome: "good" };
const BAD: Outcome = Outcome { outcome: "bad" };

fn gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The older format has the whole name of a counter in its head, no units and no end.
fn prometheus_text(open_metrics: &str) -> String {
    let is_counter = |name: &str| open_metrics.contains(&format!("# TYPE {name} counter\n"));
    let mut text = String::with_capacity(open_metrics.len());
    for line in open_metrics.lines() {
        let mut words = line.splitn(4, ' ');
        let line = match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some("EOF" | "UNIT"), ..) => continue,
            (Some("#"), Some(what), Some(name), Some(rest)) if is_counter(name) => {
                format!("# {what} {name}_total {rest}")
            }
            _ => line.to_owned(),
        };
        text.push_str(&line);
        text.push('\n');
    }
    text
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("weighbridge"),
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(seconds),
            gateway_seconds: Family::new_with_constructor(own_seconds),
            waiting_seconds: Family::new_with_constructor(seconds),
            upstream_calls: Family::default(),
            upstream_seconds: Family::new_with_constructor(seconds),
            losses: Family::default(),
            replays_refused: Family::default(),
            in_flight: Gauge::default(),
            connections: Gauge::default(),
            connections_refused: Family::default(),
            reloads: Family::default(),
            config_good: Gauge::default(),
            config_refused: Family::default(),
            config_loaded: Gauge::default(),
            store_up: Gauge::default(),
            journal_open: Gauge::default(),
            scrape: Mutex::default(),
        };
        metrics.register();
        // A series that is there from the start is one whose first step an alert sees.
        for outcome in [GOOD, BAD] {
            drop(metrics.reloads.get_or_create(&outcome));
        }
        metrics
    }
}

impl Metrics {
    /// The one list of names.
    fn register(&mut self) {
        let Self { registry: to, .. } = self;
        to.register("requests", "Requests that have ended", self.requests.clone());
        to.register("request_seconds", "Requests, from head to reply", self.request_seconds.clone());
        let own = "Requests, without what they waited for targets and for their turn";
        to.register("gateway_seconds", own, self.gateway_seconds.clone());
        let waiting = "Requests that waited for their turn at a group, or for a busy target";
        to.register("waiting_seconds", waiting, self.waiting_seconds.clone());
        to.register("upstream_calls", "Calls to targets that have ended", self.upstream_calls.clone());
        to.register("upstream_seconds", "Calls to targets", self.upstream_seconds.clone());
        to.register("losses", "Fields that a target could not hold, as reported", self.losses.clone());
        let replays = "Requests refused because they were sent before";
        to.register("replays_refused", replays, self.replays_refused.clone());
        to.register("requests_in_flight", "Requests at work", self.in_flight.clone());
        to.register("connections", "Connections on the public listeners", self.connections.clone());
        let refused = "Connections and requests turned away unread";
        to.register("connections_refused", refused, self.connections_refused.clone());
        to.register("reloads", "Reloads of the config and of what it names", self.reloads.clone());
        let good = "1 if what is in force is what the files say, 0 if the last reload was refused";
        to.register("config_good", good, self.config_good.clone());
        let place = "Where the first problem is for which the last reload was refused";
        to.register("config_refused", place, self.config_refused.clone());
        let loaded = "When what is in force was read, in seconds since 1970";
        to.register("config_loaded_timestamp_seconds", loaded, self.config_loaded.clone());
        to.register(
            "store_up",
            "1 if the store can be used, 0 if changes are refused",
            self.store_up.clone(),
        );
        let open = "Operations left half done, to be put right or watched still";
        to.register("journal_open", open, self.journal_open.clone());
        let build: Family<Version, Gauge> = Family::default();
        build.get_or_create(&Version { version: env!("CARGO_PKG_VERSION") }).set(1);
        to.register("build_info", "The version that runs", build);
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_older_format_names_counters_in_full_and_has_no_end() {
        let text = Metrics::default().text(&Readings::default(), TextFormat::Prometheus);
        for line in [
            "# HELP weighbridge_reloads_total Reloads of the config and of what it names.\n",
            "# TYPE weighbridge_reloads_total counter\n",
            "weighbridge_reloads_total{outcome=\"bad\"} 0\n",
            "# TYPE weighbridge_store_up gauge\n",
        ] {
            assert!(text.contains(line), "{line}{text}");
        }
        assert!(!text.contains("# EOF"), "{text}");
    }

    #[test]
    fn what_others_count_is_carried_over_as_it_grows() {
        let metrics = Metrics::default();
        for count in [2, 2, 5] {
            let readings = Readings { refused: vec![("connections", count)], ..Readings::default() };
            let text = metrics.text(&readings, TextFormat::OpenMetrics);
            let line = format!("weighbridge_connections_refused_total{{reason=\"connections\"}} {count}\n");
            assert!(text.contains(&line) && text.ends_with("# EOF\n"), "{line}{text}");
        }
    }
}
