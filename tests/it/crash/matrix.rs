//! Every operation at every moment: before and after each of its calls.

use std::{
    collections::VecDeque,
    fmt::Write,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use weighbridge::simulator::Side;

use super::{
    case::{Cut, Fate, Reference, cut_short},
    deeds::{Deed, deed, deeds},
};
use crate::support::program::announce;

/// How many gateways are killed at a time: most of each case is waiting.
const AT_ONCE: usize = 14;

/// A case, and what came of it.
type Row = (&'static str, Cut, Result<Fate, String>);

#[test]
fn a_kill_before_or_after_any_call_leaves_it_whole_or_as_before() {
    let began = Instant::now();
    let deeds = deeds();
    let cuts = |deed: &Deed| {
        let calls = 1..=deed.calls;
        calls.flat_map(|call| [Side::Before, Side::After].map(|side| Cut::at(side, call))).collect()
    };
    let rows = run(&deeds, cuts);
    let many: usize = deeds.iter().map(|deed| 2 * deed.calls).sum();
    assert_eq!(rows.len(), many);
    report(&rows, began.elapsed());
}

/// Some calls of every sort, where the world is slower than the gateway.
#[test]
fn a_kill_where_changes_show_or_land_late_leaves_it_whole_or_as_before() {
    let began = Instant::now();
    let calls: [(&str, &[usize]); 8] = [
        ("AddVServerGroupBackendServers of 20", &[1, 9, 20]),
        ("RemoveVServerGroupBackendServers of 20", &[1, 12, 20]),
        ("SetVServerGroupAttribute of 3 weights and the name", &[1, 2]),
        ("ModifyVServerGroupBackendServers of 3", &[2, 3, 5]),
        ("CreateVServerGroup of 3", &[1, 3]),
        ("CreateVServer", &[1]),
        ("AllocateBackendBatch of 40", &[1, 2]),
        ("UpdateBackendBatch of a port and a weight", &[1, 2]),
    ];
    let deeds: Vec<Deed> = calls.iter().map(|(name, _)| deed(name)).collect();
    let cuts = |deed: &Deed| {
        let (_, calls) = calls.iter().find(|(name, _)| *name == deed.name).unwrap();
        calls.iter().flat_map(|call| Cut::late(deed.from, *call)).collect()
    };
    report(&run(&deeds, cuts), began.elapsed());
}

/// Carries out the operations, and then cuts each short so often, each time in a world of its own.
fn run(deeds: &[Deed], cuts: impl Fn(&Deed) -> Vec<Cut>) -> Vec<Row> {
    let references = at_once(deeds.iter().collect(), Reference::of);
    let mut cases = Vec::new();
    for (deed, reference) in deeds.iter().zip(&references) {
        cases.extend(cuts(deed).into_iter().map(|cut| (deed, reference, cut)));
    }
    at_once(cases, |(deed, reference, cut)| {
        let outcome = catch_unwind(AssertUnwindSafe(|| cut_short(deed, reference, cut)));
        (deed.name, cut, outcome.unwrap_or_else(|_| Err("the test itself failed".to_owned())))
    })
}

/// Does all of it, so much at a time; in the order in which it was given.
fn at_once<T: Send, U: Send>(work: Vec<T>, each: impl Fn(T) -> U + Sync) -> Vec<U> {
    let count = work.len();
    let queue: Mutex<VecDeque<(usize, T)>> = Mutex::new(work.into_iter().enumerate().collect());
    let done = Mutex::new(Vec::with_capacity(count));
    thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(count) {
            scope.spawn(|| {
                loop {
                    let Some((place, next)) = queue.lock().unwrap().pop_front() else { return };
                    let result = each(next);
                    done.lock().unwrap().push((place, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Prints the table, and fails if a case did.
fn report(rows: &[Row], took: Duration) {
    let mut table = format!(
        "\n{:72} {:>5}  {:20} {:20}\n",
        "operation, and how long until the next is let in", "call", "killed before", "killed after"
    );
    let of_one_call = |(name, cut, _): &Row, (other, next, _): &Row| {
        (name, cut.call, cut.world()) == (other, next.call, next.world())
    };
    for sides in rows.chunk_by(of_one_call) {
        let Some((name, cut, _)) = sides.first() else { continue };
        let what = format!("{name}{}", cut.world());
        let on = |side: Side| sides.iter().find(|(_, cut, _)| cut.side == side);
        let [before, after] =
            [Side::Before, Side::After].map(|side| on(side).map_or(String::new(), |row| shown(&row.2)));
        writeln!(table, "{what:72} {:>5}  {before:20} {after:20}", cut.call).unwrap();
    }
    announce(&format!("{table}{} kills in {:.1} s", rows.len(), took.as_secs_f64()));
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|(name, cut, outcome)| Some(format!("{name}, {cut:?}: {}", outcome.as_ref().err()?)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

fn shown(outcome: &Result<Fate, String>) -> String {
    match outcome {
        Ok(Fate::Whole(after)) => format!("whole      {:4.1} s", after.as_secs_f64()),
        Ok(Fate::AsBefore(after)) => format!("as before  {:4.1} s", after.as_secs_f64()),
        Err(_) => "WRONG".to_owned(),
    }
}
