//! Every way in which a call can be lost, at every place of every change: all of it is done or nothing is, the caller is
//! told which, and nothing is sent twice unseen.

mod deeds;

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};
use http::StatusCode;
use tokio::runtime::Runtime;
use weighbridge::{config::Config, wire::Reply};

use self::deeds::{DEEDS, Deed, seen};
use crate::support::{
    breaker::{Becomes, Heard},
    caller::told,
    demo_config,
    program::announce,
    scene::{Caller, Scene, succeeded},
};

/// For how long the gateway waits for a reply.
const UPSTREAM_TIMEOUT: Duration = Duration::from_secs(1);

/// How many cases run at a time: most of each is waiting.
const AT_ONCE: usize = 48;

/// What is broken, and what the table calls it.
fn breaks() -> Vec<(&'static str, Becomes)> {
    vec![
        ("before", Becomes::Unanswered { done: false }),
        ("after", Becomes::Unanswered { done: true }),
        ("mid reply", Becomes::HalfAnswered),
        ("past reply", Becomes::LastWords),
        ("garbage", Becomes::Garbage { done: false }),
        ("garbage+", Becomes::Garbage { done: true }),
        ("page", Becomes::Page { done: false }),
        ("page+", Becomes::Page { done: true }),
        ("stall", Becomes::Stalled { done: false }),
        ("stall+", Becomes::Stalled { done: true }),
        ("late", Becomes::Late(UPSTREAM_TIMEOUT + Duration::from_millis(700))),
    ]
}

/// What there is before a change and after it.
struct Smooth {
    before: [String; 2],
    whole: [String; 2],
    changes: usize,
    /// How many changes it takes to go back when the last is refused.
    back: usize,
}

/// One case: a change, the place that breaks, and how.
#[derive(Clone)]
struct Case {
    deed: Deed,
    /// The call that the target refuses, so that the way back is broken; none for the way there.
    refused: Option<usize>,
    place: usize,
    column: usize,
    becomes: Becomes,
}

/// What came of a case, in a word for the table; or what is wrong.
struct Came {
    word: &'static str,
    wrong: Option<String>,
    took: Duration,
}

fn config() -> Config {
    let mut config = demo_config();
    config.limits.upstream_timeout = UPSTREAM_TIMEOUT;
    config
}

async fn scene(config: &Config, deed: &Deed) -> (Scene, Vec<String>) {
    let scene = Scene::open(config, deed.caller, Duration::ZERO).await;
    let ids = deed.prepare(&scene).await;
    (scene, ids)
}

async fn shown(scene: &Scene, caller: Caller) -> [String; 2] {
    [scene.held(), seen(caller, scene).await]
}

/// Carries a change out on a whole line.
async fn smooth(config: &Config, deed: &Deed) -> Smooth {
    let (scene, ids) = scene(config, deed).await;
    let before = shown(&scene, deed.caller).await;
    scene.breaker.follow(|_| Becomes::Whole);
    let reply = scene.ask_all(deed.action, (deed.own)(&ids)).await;
    assert!(succeeded(&reply), "{}: {reply:?}", deed.name);
    let changes = scene.breaker.changes().len();
    let whole = shown(&scene, deed.caller).await;
    assert_ne!(before, whole, "{}", deed.name);
    let back = taken_back(config, deed, changes).await;
    Smooth { before, whole, changes, back }
}

/// How many changes it takes to go back when the last is refused.
async fn taken_back(config: &Config, deed: &Deed, last: usize) -> usize {
    let (scene, ids) = scene(config, deed).await;
    let caller = deed.caller;
    scene.breaker.follow(move |heard| match heard.change {
        change if change == last => Becomes::Told(refusal(caller)),
        _ => Becomes::Whole,
    });
    assert!(!succeeded(&scene.ask_all(deed.action, (deed.own)(&ids)).await), "{}", deed.name);
    scene.breaker.changes().len() - last
}

/// Carries a change out on a line that breaks.
async fn broken(config: &Config, case: &Case, smooth: &Smooth) -> Came {
    let Case { deed, refused, place, column: _, becomes } = case.clone();
    let (scene, ids) = scene(config, &deed).await;
    scene.breaker.follow(move |heard: &Heard| match heard.change {
        change if change == place => becomes.clone(),
        change if Some(change) == refused => Becomes::Told(refusal(deed.caller)),
        _ => Becomes::Whole,
    });
    let began = Instant::now();
    let reply = scene.ask_all(deed.action, (deed.own)(&ids)).await;
    let (took, held) = (began.elapsed(), scene.held());
    let heard = scene.breaker.heard();
    scene.breaker.follow(|_| Becomes::Whole);
    let now = [held, seen(deed.caller, &scene).await];
    let (word, wrong) = judged(&reply, &now, smooth);
    let wrong = wrong.or_else(|| sent_twice_unseen(&heard));
    let calls: Vec<&str> = heard.iter().map(|heard| heard.action.as_str()).collect();
    let wrong = wrong.map(|wrong| format!("{wrong}\n  reply: {}\n  calls: {calls:?}", told(&reply).message));
    Came { word, wrong, took }
}

/// Whether a reply tells the truth of what there is now.
fn judged(reply: &Reply, now: &[String; 2], smooth: &Smooth) -> (&'static str, Option<String>) {
    let Smooth { before, whole, changes: _, back: _ } = smooth;
    let open = told(reply).message.contains("could NOT be found out");
    match (succeeded(reply), now == whole, now == before) {
        (true, true, _) => ("whole", None),
        (false, _, true) => (if open { "before?" } else { "before" }, None),
        (false, true, _) if open => ("whole?", None),
        (said, _, _) => {
            let what = if said { "said to be done" } else { "said to have failed" };
            let is = format!("target:\n{}caller:\n{}", now[0], now[1]);
            let was = format!("target:\n{}caller:\n{}", before[0], before[1]);
            ("WRONG", Some(format!("{what}, and there is\n{is}where there was\n{was}")))
        }
    }
}

/// A change that was sent once more before a read in between.
fn sent_twice_unseen(heard: &[Heard]) -> Option<String> {
    heard.iter().enumerate().filter(|(_, again)| again.change > 0).find_map(|(at, again)| {
        let first = heard.iter().take(at).rposition(|first| first.wish() == again.wish())?;
        let looked = heard.iter().take(at).skip(first + 1).any(|between| between.change == 0);
        (!looked).then(|| format!("{} was sent twice without a look in between", again.action))
    })
}

/// A refusal that trying again does not help.
fn refusal(caller: Caller) -> Reply {
    let (status, body) = match caller {
        Caller::Aliyun => (StatusCode::OK, r#"{"RetCode":4118,"Message":"not today"}"#),
        Caller::Ucloud => (StatusCode::BAD_REQUEST, r#"{"Code":"LbStatusNotSupport","Message":"not today"}"#),
    };
    Reply::new(status, "application/json", body)
}

#[test]
fn whatever_is_lost_a_change_is_whole_or_not_at_all_and_the_caller_is_told_which() {
    let began = Instant::now();
    let (table, wrong) = Runtime::new().unwrap().block_on(all());
    announce(&table);
    announce(&format!("{:.1} s in all", began.elapsed().as_secs_f64()));
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Runs every case; the table, and what is wrong.
async fn all() -> (String, Vec<String>) {
    let config = config();
    let smooths: Vec<Smooth> =
        stream::iter(DEEDS).map(|deed| smooth(&config, deed)).buffered(AT_ONCE).collect().await;
    let mut cases = Vec::new();
    for (row, (deed, smooth)) in DEEDS.iter().zip(&smooths).enumerate() {
        let there = (1..=smooth.changes).map(|place| (None, place));
        let back = (1..=smooth.back).map(|step| (Some(smooth.changes), smooth.changes + step));
        for (refused, place) in there.chain(back) {
            for (column, (_, becomes)) in breaks().into_iter().enumerate() {
                cases.push((row, Case { deed: *deed, refused, place, column, becomes }));
            }
        }
    }
    let run = |(row, case): (usize, Case)| {
        let (config, smooth) = (&config, &smooths[row]);
        async move { (row, broken(config, &case, smooth).await, case) }
    };
    let came: Vec<(usize, Came, Case)> =
        stream::iter(cases).map(run).buffer_unordered(AT_ONCE).collect().await;
    tabled(came)
}

fn tabled(came: Vec<(usize, Came, Case)>) -> (String, Vec<String>) {
    let names: Vec<&str> = breaks().into_iter().map(|(name, _)| name).collect();
    let (mut rows, mut wrong) = (BTreeMap::new(), Vec::new());
    let (count, mut longest) = (came.len(), Duration::ZERO);
    for (row, came, case) in came {
        let Case { deed, refused, place, column, becomes: _ } = case;
        let way =
            refused.map_or_else(|| format!("call {place}"), |last| format!("way back {}", place - last));
        let label = format!("{:?}: {}, {way}", deed.caller, deed.name);
        wrong.extend(came.wrong.map(|wrong| format!("{label}, {}: {wrong}", names[column])));
        longest = longest.max(came.took);
        rows.entry((row, place)).or_insert_with(|| (label, BTreeMap::new())).1.insert(column, came.word);
    }
    let mut table = format!("\n{:45}", "");
    for name in &names {
        write!(table, "{name:11}").unwrap();
    }
    for (label, words) in rows.values() {
        write!(table, "\n{label:45}").unwrap();
        for word in words.values() {
            write!(table, "{word:11}").unwrap();
        }
    }
    write!(table, "\n{count} cases, the longest reply took {:.1} s", longest.as_secs_f64()).unwrap();
    wrong.sort();
    (table, wrong)
}
