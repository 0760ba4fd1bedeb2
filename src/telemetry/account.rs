//! What one request has come to.

use std::{
    fmt::Write,
    mem,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use compact_str::CompactString;
use jiff::Timestamp;
use tracing::{info, warn};

use super::{
    Telemetry,
    history::{CallMade, MOST_CALLS, Past},
    metrics::Times,
};
use crate::wire::{Param, Params, beginning, excerpt};

/// How many characters of a parameter are kept: 20 backends of an Alibaba add are some 2,000.
const LONGEST_VALUE: usize = 4000;

/// The account of one request. It is closed when it is dropped: then it is counted, logged on one line, and kept among
/// the last requests.
pub struct Account {
    /// Who is told in the end, and whose door the request came to.
    told: Option<(Arc<Telemetry>, Arc<str>)>,
    opened: Instant,
    entries: Mutex<Entries>,
}

struct Entries {
    past: Past,
    /// The action as metrics may name it: one that the tables know, or `other`.
    counted_as: String,
    cause: String,
    upstream: Stretch,
    waiting: Stretch,
}

/// How a request ended.
#[derive(Debug, Clone)]
pub struct End {
    /// `done`, `passed`, `unrecognised`, or the name of a fault.
    pub outcome: &'static str,
    /// What the caller is told, if it is a fault. Nothing secret, and no usable signature.
    pub message: Option<String>,
    /// What only the log is told.
    pub cause: String,
    /// The fields that were lost, by the model's names, and why.
    pub losses: Vec<(&'static str, String)>,
}

/// What a target said of one call.
#[derive(Debug, Clone)]
pub struct Told {
    /// `done`, or the name of a fault.
    pub outcome: &'static str,
    /// The target's own code of an error, if it said one.
    pub code: Option<String>,
    /// The target's id of it.
    pub request_id: Option<String>,
}

impl Account {
    /// Opens the account of a request that came to `door` at this time, from this address.
    #[must_use]
    pub fn open(
        telemetry: &Arc<Telemetry>,
        door: &Arc<str>,
        from: Option<IpAddr>,
        at: Timestamp,
    ) -> Arc<Self> {
        telemetry.metrics.begins();
        Self::of(Some((Arc::clone(telemetry), Arc::clone(door))), from, at)
    }

    /// An account that nobody reads: of what is only supposed, and of what is put right later.
    #[must_use]
    pub fn unread() -> Arc<Self> {
        Self::of(None, None, Timestamp::UNIX_EPOCH)
    }

    fn of(told: Option<(Arc<Telemetry>, Arc<str>)>, from: Option<IpAddr>, at: Timestamp) -> Arc<Self> {
        let past = Past { at, from, dialect: "none", outcome: "hung-up", ..Past::default() };
        let entries = Entries {
            past,
            counted_as: "other".to_owned(),
            cause: String::new(),
            upstream: Stretch::default(),
            waiting: Stretch::default(),
        };
        Arc::new(Self { told, opened: Instant::now(), entries: Mutex::new(entries) })
    }

    /// Its language, its action and its id are known. `counted_as` is the action if the tables know it.
    pub fn speaks(&self, dialect: &'static str, action: &str, counted_as: Option<&str>, id: &str) {
        let mut entries = self.lock();
        entries.past.dialect = dialect;
        entries.past.action = excerpt(action);
        id.clone_into(&mut entries.past.id);
        if let Some(action) = counted_as {
            action.clone_into(&mut entries.counted_as);
        }
    }

    /// The caller is who it says, and its requests go to this target.
    pub fn admits(&self, client: &str, target: &Arc<str>) {
        let mut entries = self.lock();
        entries.past.client = Some(excerpt(client));
        entries.past.target = Some(Arc::clone(target));
    }

    /// What has come of it.
    pub fn ends(&self, end: End) {
        let End { outcome, message, cause, losses } = end;
        let mut entries = self.lock();
        entries.past.outcome = outcome;
        entries.past.message = message;
        entries.past.losses = losses.into_iter().map(|(field, why)| (field.to_owned(), why)).collect();
        entries.cause = cause;
    }

    /// The caller was answered.
    pub fn answers(&self, status: u16) {
        self.lock().past.status = Some(status);
    }

    /// A call to a target begins. `params` are what it asks for, without what signs it.
    pub fn calls(&self, target: &Arc<str>, action: &str, params: Params) -> Calling<'_> {
        self.lock().upstream.begin();
        let kept = |Param { name, value }| (name, shortened(value));
        let made = CallMade {
            target: Arc::clone(target),
            action: action.to_owned(),
            params: params.into_iter().map(kept).collect(),
            outcome: "given-up",
            code: None,
            request_id: None,
            began_ms: milliseconds(self.opened.elapsed()),
            took_ms: 0.0,
        };
        Calling { account: self, began: Instant::now(), made: Some(made) }
    }

    /// The request waits for somebody else.
    pub fn waits(&self) -> Waiting<'_> {
        self.lock().waiting.begin();
        Waiting(self)
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        let whole = self.opened.elapsed();
        let Self { told: Some((telemetry, door)), entries, opened: _ } = self else { return };
        let entries = entries.get_mut().unwrap_or_else(PoisonError::into_inner);
        let (upstream, waiting) = (entries.upstream.sum, entries.waiting.sum);
        let gateway = whole.saturating_sub(upstream + waiting);
        let past = &mut entries.past;
        (past.took_ms, past.gateway_ms) = (milliseconds(whole), milliseconds(gateway));
        (past.upstream_ms, past.waiting_ms) = (milliseconds(upstream), milliseconds(waiting));
        log(door, past, &entries.cause);
        #[cfg(feature = "otlp")]
        super::otlp::export(door, past);
        telemetry.metrics.ended(past, &entries.counted_as, Times { whole, gateway, waiting });
        telemetry.history.add(mem::take(past));
    }
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").finish_non_exhaustive()
    }
}

/// A call on its way.
#[derive(Debug)]
pub struct Calling<'a> {
    account: &'a Account,
    began: Instant,
    made: Option<CallMade>,
}

impl Calling<'_> {
    /// The call ends; after so long.
    #[must_use = "metrics measure it"]
    pub fn ends(mut self, told: Told) -> Duration {
        let Told { outcome, code, request_id } = told;
        if let Some(made) = &mut self.made {
            (made.outcome, made.code, made.request_id) = (outcome, code, request_id);
        }
        self.began.elapsed()
    }
}

impl Drop for Calling<'_> {
    fn drop(&mut self) {
        let took = self.began.elapsed();
        let Some(mut made) = self.made.take() else { return };
        made.took_ms = milliseconds(took);
        let mut entries = self.account.lock();
        entries.upstream.end();
        if entries.past.calls.len() < MOST_CALLS {
            entries.past.calls.push(made);
        }
    }
}

/// A wait that goes on.
#[derive(Debug)]
pub struct Waiting<'a>(&'a Account);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.lock().waiting.end();
    }
}

/// The time in which at least one of several things goes on.
#[derive(Debug, Default)]
struct Stretch {
    open: usize,
    since: Option<Instant>,
    sum: Duration,
}

impl Stretch {
    fn begin(&mut self) {
        self.open += 1;
        self.since.get_or_insert_with(Instant::now);
    }

    fn end(&mut self) {
        self.open = self.open.saturating_sub(1);
        if self.open == 0 {
            self.sum += self.since.take().map_or(Duration::ZERO, |since| since.elapsed());
        }
    }
}

/// One line a request; what was refused, failed or lost something is to be looked at.
fn log(door: &str, past: &Past, cause: &str) {
    let Past { from, id, dialect, action, client, target, outcome, status, message, calls, losses, .. } =
        past;
    let from = from.map(|from| from.to_string());
    let Past { took_ms, gateway_ms, upstream_ms, waiting_ms, .. } = past;
    macro_rules! line {
        ($level:ident) => {
            $level!(
                parent: None,
                at = door,
                from = from.as_deref(),
                id,
                dialect,
                action,
                client = client.as_deref(),
                target_name = target.as_deref(),
                outcome,
                status,
                detail = ?message.as_deref().unwrap_or_default(),
                cause,
                took_ms,
                gateway_ms,
                upstream_ms,
                waiting_ms,
                calls = calls_text(calls),
                losses = losses_text(losses),
                "request"
            )
        };
    }
    if past.went_well() && losses.is_empty() {
        line!(info);
    } else {
        line!(warn);
    }
}

fn shortened(value: CompactString) -> CompactString {
    if value.len() <= LONGEST_VALUE { value } else { beginning(&value, LONGEST_VALUE).into() }
}

fn calls_text(calls: &[CallMade]) -> String {
    let mut text = String::new();
    for CallMade { target, action, outcome, code, request_id, took_ms, began_ms: _, params: _ } in calls {
        let gap = if text.is_empty() { "" } else { "; " };
        let (code, id) = (code.as_deref().unwrap_or(""), request_id.as_deref().unwrap_or("-"));
        let sign = if code.is_empty() { "" } else { " " };
        // Writing to a text does not fail.
        let _ok = write!(text, "{gap}{target} {action} {outcome}{sign}{code} {id} {took_ms}");
    }
    text
}

fn losses_text(losses: &[(String, String)]) -> String {
    losses.iter().map(|(field, why)| format!("{field}={why}")).collect::<Vec<_>>().join("; ")
}

/// Thousandths of a millisecond are as fine as anybody reads.
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests {
    use std::thread::sleep;

    use super::*;

    const MOMENT: Duration = Duration::from_millis(20);

    fn open(telemetry: &Arc<Telemetry>) -> Arc<Account> {
        Account::open(telemetry, &Arc::from("gateway"), None, Timestamp::UNIX_EPOCH)
    }

    fn done() -> End {
        End { outcome: "done", message: None, cause: String::new(), losses: Vec::new() }
    }

    fn told() -> Told {
        Told { outcome: "done", code: None, request_id: Some("R-1".to_owned()) }
    }

    fn only(telemetry: &Telemetry) -> Arc<Past> {
        let mut last = telemetry.history.last();
        assert_eq!(last.len(), 1);
        last.remove(0)
    }

    #[test]
    fn calls_beside_each_other_take_their_time_once_and_a_wait_is_not_the_gateways() {
        let telemetry = Telemetry::new();
        let account = open(&telemetry);
        let waiting = account.waits();
        sleep(MOMENT);
        drop(waiting);
        let (one, other) = (
            account.calls(&"t".into(), "A", Params::default()),
            account.calls(&"t".into(), "B", Params::default()),
        );
        sleep(MOMENT);
        let took = [one.ends(told()), other.ends(told())];
        account.ends(done());
        drop(account);
        let past = only(&telemetry);
        assert!(took.iter().all(|took| *took >= MOMENT), "{took:?}");
        let both: f64 = past.calls.iter().map(|call| call.took_ms).sum();
        assert!(past.upstream_ms >= 20.0 && past.upstream_ms < both, "{past:?}");
        assert!(past.waiting_ms >= 20.0 && past.gateway_ms <= past.took_ms - 40.0, "{past:?}");
        assert!(past.calls.iter().all(|call| call.began_ms >= 20.0), "{past:?}");
    }

    #[test]
    fn a_request_whose_caller_has_hung_up_is_told_of_when_it_ends() {
        let telemetry = Telemetry::new();
        let account = open(&telemetry);
        let at_work = Arc::clone(&account);
        drop(account);
        assert!(telemetry.history.last().is_empty(), "somebody still works on it");
        at_work.ends(done());
        drop(at_work);
        let past = only(&telemetry);
        assert_eq!((past.outcome, past.status), ("done", None));
        drop(open(&telemetry));
        assert_eq!(telemetry.history.last()[0].outcome, "hung-up");
    }

    #[test]
    fn what_is_kept_of_requests_and_of_their_calls_is_bounded() {
        let telemetry = Telemetry::new();
        let long = Params::from_iter([("a".to_owned(), "x".repeat(2 * LONGEST_VALUE))]);
        for id in 0..150 {
            let account = open(&telemetry);
            account.speaks("aliyun", "A", None, &id.to_string());
            for _ in 0..=MOST_CALLS {
                drop(account.calls(&"t".into(), "A", long.clone()));
            }
        }
        let last = telemetry.history.last();
        assert_eq!((last.len(), last[0].id.as_str(), last[99].id.as_str()), (100, "149", "50"));
        assert!(last.iter().all(|past| past.calls.len() == MOST_CALLS));
        assert_eq!(last[0].calls[0].params[0].1.chars().count(), LONGEST_VALUE + 1);
    }
}
