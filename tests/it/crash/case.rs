//! One operation, cut short at one moment.

use std::{
    cmp::Ordering,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use weighbridge::simulator::{Gate, Side};

use super::{
    deeds::{Deed, Harmless},
    scene::{From, Scene, until},
    view::{seen, truth},
};

/// Longer than anything takes to be put right.
const SETTLED_WITHIN: Duration = Duration::from_secs(10);

/// The moment at which the gateway is killed, and what the world is like.
#[derive(Debug, Clone, Copy)]
pub struct Cut {
    /// Which change the gateway waits for.
    pub call: usize,
    /// Whether that one is carried out.
    pub side: Side,
    /// How much later than changes are made reads see them.
    pub lag: Duration,
    /// Whether what was done before is seen by then.
    pub rested: bool,
    /// How long after the kill a call that was on its way is carried out all the same; none if it never is.
    pub lands_after: Option<Duration>,
}

/// What is left of an operation that was cut short, and how long it took until the next one was let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Whole(Duration),
    AsBefore(Duration),
}

/// What a target holds, and what a caller sees of it.
#[derive(Debug, PartialEq, Eq)]
struct State {
    truth: Vec<String>,
    seen: Vec<String>,
}

/// An operation that nothing disturbs: how its target was, and how it is.
pub struct Reference {
    before: State,
    whole: State,
}

impl Cut {
    /// In a world where changes show at once.
    pub fn at(side: Side, call: usize) -> Self {
        Self { call, side, lag: Duration::ZERO, rested: true, lands_after: None }
    }

    /// Where a call lands when the gateway is back; and where a change shows late, or does both.
    pub fn late(from: From, call: usize) -> Vec<Self> {
        let [before, after] = [Side::Before, Side::After].map(|side| Self::at(side, call));
        let (lag, lands_after) = (Duration::from_secs(1), Some(Duration::from_millis(600)));
        let landing = Self { lands_after, ..before };
        match from {
            From::Aliyun => {
                let [late, late_too] = [before, after].map(|cut| Self { lag, ..cut });
                let [early, early_too] = [late, late_too].map(|cut| Self { rested: false, ..cut });
                vec![late, late_too, early, early_too, landing, Self { lag, ..landing }]
            }
            // The other cloud shows everything at once.
            From::Ucloud => vec![landing],
        }
    }

    /// Where a change is stopped: none is made after the one that counts.
    fn stops(self, number: usize) -> Option<Side> {
        match number.cmp(&self.call) {
            Ordering::Less => None,
            Ordering::Equal => Some(self.side),
            Ordering::Greater => Some(Side::Before),
        }
    }

    /// What the world is like where it is not as usual.
    pub fn world(self) -> &'static str {
        match (self.lag.is_zero(), self.lands_after) {
            (true, None) => "",
            (false, None) if self.rested => ", shown late",
            (false, None) => ", as all before it shown late",
            (true, Some(_)) => ", landing late",
            (false, Some(_)) => ", landing and shown late",
        }
    }
}

impl Reference {
    /// Carries the operation out.
    pub fn of(deed: &Deed) -> Self {
        let scene = Scene::set(Duration::ZERO);
        let told = prepare(&scene, deed);
        let before = State::of(&scene, deed);
        let calls = scene.clouds.changes(deed.from.target());
        scene.do_it(deed.from, &(deed.request)(&told));
        assert_eq!(scene.clouds.changes(deed.from.target()) - calls, deed.calls, "{}", deed.name);
        let whole = State::of(&scene, deed);
        assert!(before.truth != whole.truth && before.seen != whole.seen, "{whole:?}");
        Self { before, whole }
    }
}

impl State {
    fn of(scene: &Scene, deed: &Deed) -> Self {
        Self { truth: truth(&scene.clouds, deed.from.target()), seen: seen(scene, deed.from) }
    }
}

/// Cuts the operation short, starts the gateway again, and looks what is left; then asks for the same once more.
///
/// # Errors
/// What is neither whole nor as before, or not as it ought to be afterwards.
pub fn cut_short(deed: &Deed, reference: &Reference, cut: Cut) -> Result<Fate, String> {
    let mut scene = Scene::set(cut.lag);
    let told = prepare(&scene, deed);
    if cut.rested {
        thread::sleep(cut.lag);
    }
    let gate = Arc::new(Gate::new(move |number, _| cut.stops(number)));
    let request = (deed.request)(&told);
    scene.kill_at(deed.from, std::slice::from_ref(&request), &gate, 1);
    let restarted = thread::scope(|scope| {
        scope.spawn(|| match cut.lands_after {
            None => gate.shut(),
            Some(delay) => {
                thread::sleep(delay);
                gate.open();
            }
        });
        let now = Instant::now();
        scene.start();
        now
    });
    let whole = settled(&scene, deed, reference, &told)?;
    let fate = if whole { Fate::Whole } else { Fate::AsBefore }(restarted.elapsed());
    let expected = if whole { &reference.whole } else { &reference.before };
    is_shown(&scene, deed, cut, expected)?;
    if !whole || deed.again.is_some() {
        let usual = deed.again.filter(|_| whole).unwrap_or("200 0");
        let (code, body) = scene.ask(deed.from, &request);
        if code != usual {
            return Err(format!("a repeat is answered {code}, not {usual}: {body}"));
        }
        is_shown(&scene, deed, cut, &reference.whole)?;
    }
    Ok(fate)
}

fn prepare(scene: &Scene, deed: &Deed) -> Vec<Value> {
    deed.first.iter().map(|params| scene.do_it(deed.from, params)).collect()
}

/// Waits until another change is let in, and looks whether the operation is whole then. Of a group that was to be made and
/// that nobody else knows yet, that comes a moment later.
fn settled(scene: &Scene, deed: &Deed, reference: &Reference, told: &[Value]) -> Result<bool, String> {
    let is_whole = || {
        let now = truth(&scene.clouds, deed.from.target());
        match () {
            () if now == reference.whole.truth => Ok(true),
            () if now == reference.before.truth => Ok(false),
            () => Err(format!("neither whole nor as before:\n{}", now.join("\n"))),
        }
    };
    match deed.harmless {
        Harmless::Change(change) => {
            let (code, body) = scene.ask(deed.from, &change(told));
            if code == "200 0" { is_whole() } else { Err(format!("no other is let in: {code} {body}")) }
        }
        Harmless::Group(make, unmake) => {
            let other = scene.do_it(deed.from, &make());
            scene.do_it(deed.from, &unmake(&other));
            until(SETTLED_WITHIN, || is_whole().ok()).map_or_else(is_whole, Ok)
        }
    }
}

/// What a caller sees has to be what the target holds: at once, unless the target shows it late or a new group is at stake.
fn is_shown(scene: &Scene, deed: &Deed, cut: Cut, expected: &State) -> Result<(), String> {
    let known = matches!(deed.harmless, Harmless::Change(_));
    let within = if known && cut.lag.is_zero() { Duration::ZERO } else { SETTLED_WITHIN };
    let fits = || (State::of(scene, deed) == *expected).then_some(());
    until(within, fits).ok_or_else(|| format!("wanted {expected:#?}\nfound {:#?}", State::of(scene, deed)))
}
