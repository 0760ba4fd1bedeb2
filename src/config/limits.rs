//! Bounds of size, number and time.

use std::time::Duration;

use jiff::SignedDuration;
use toml::Spanned;

use super::{
    Limits,
    raw::{RawLimits, Word},
    resolve::Resolver,
};
use crate::http::Bounds;

impl Resolver<'_> {
    /// The bounds, each with its default.
    pub(super) fn limits(&mut self, raw: &RawLimits) -> Limits {
        let RawLimits {
            max_body_bytes,
            max_request_line_bytes,
            max_connections,
            max_header_bytes,
            header_timeout,
            body_timeout,
            idle_timeout,
            max_in_flight,
            max_waiting,
            request_timeout,
            upstream_timeout,
            clock_skew,
            repeat_window,
        } = raw;
        let usual = Limits::default();
        let door = usual.door;
        let limits = Limits {
            door: Bounds {
                max_connections: self.count(
                    "max_connections",
                    max_connections.as_ref(),
                    door.max_connections,
                ),
                max_body_bytes: self.count("max_body_bytes", max_body_bytes.as_ref(), door.max_body_bytes),
                max_request_line_bytes: self.count(
                    "max_request_line_bytes",
                    max_request_line_bytes.as_ref(),
                    door.max_request_line_bytes,
                ),
                max_header_bytes: self.count(
                    "max_header_bytes",
                    max_header_bytes.as_ref(),
                    door.max_header_bytes,
                ),
                header_timeout: self.time("header_timeout", header_timeout.as_ref(), door.header_timeout),
                body_timeout: self.time("body_timeout", body_timeout.as_ref(), door.body_timeout),
                idle_timeout: self.time("idle_timeout", idle_timeout.as_ref(), door.idle_timeout),
            },
            max_in_flight: self.count("max_in_flight", max_in_flight.as_ref(), usual.max_in_flight),
            max_waiting: self.count("max_waiting", max_waiting.as_ref(), usual.max_waiting),
            request_timeout: self.time("request_timeout", request_timeout.as_ref(), usual.request_timeout),
            upstream_timeout: self.time(
                "upstream_timeout",
                upstream_timeout.as_ref(),
                usual.upstream_timeout,
            ),
            clock_skew: self.time("clock_skew", clock_skew.as_ref(), usual.clock_skew),
            repeat_window: self.time("repeat_window", repeat_window.as_ref(), usual.repeat_window),
        };
        self.check_timeouts(raw, &limits);
        limits
    }

    /// A call that may take longer than the request it is made for is cut off by that one's time, which tells less.
    fn check_timeouts(&mut self, raw: &RawLimits, limits: &Limits) {
        let (call, request) = (&raw.upstream_timeout, &raw.request_timeout);
        let Some(written) = call.as_ref().or(request.as_ref()) else { return };
        if limits.upstream_timeout > limits.request_timeout {
            let [call, request] =
                [limits.upstream_timeout, limits.request_timeout].map(|time| time.as_secs_f64());
            let what = format!(
                "`upstream_timeout` is {call} s, longer than the {request} s of `request_timeout`; write a shorter `upstream_timeout`"
            );
            self.report.warn(written.span(), what);
        }
    }

    /// A number from 1 on.
    pub(super) fn count(&mut self, key: &str, given: Option<&Spanned<i64>>, usual: usize) -> usize {
        let Some(given) = given else { return usual };
        let count = usize::try_from(*given.get_ref()).ok().filter(|count| (1..=MOST).contains(count));
        count.unwrap_or_else(|| {
            let what = format!("`{key}` is `{}`; write 1 to {MOST}", self.report.text_at(given.span()));
            self.report.error(given.span(), what);
            usual
        })
    }

    fn time(&mut self, key: &str, given: Option<&Word>, usual: Duration) -> Duration {
        let Some(given) = given else { return usual };
        let read = given.get_ref().parse::<SignedDuration>().ok();
        let time = read.filter(|time| time.is_positive() && *time <= LONGEST);
        time.and_then(|time| Duration::try_from(time).ok()).unwrap_or_else(|| {
            let what = format!("`{key}` is `{}`; {TIME}", given.get_ref());
            self.report.error(given.span(), what);
            usual
        })
    }
}

/// More of anything is a slip of the finger, and too much for a counter of permits.
const MOST: usize = 1_000_000_000;

/// A longer time is a slip of the finger, and could not be added to a clock without care.
const LONGEST: SignedDuration = SignedDuration::from_hours(365 * 24);

const TIME: &str = "write a time such as \"30s\", \"15m\" or \"500ms\", above zero and no more than a year";
