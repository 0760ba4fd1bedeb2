//! A hundred operations that a kill cuts short at once.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use weighbridge::{
    model::Operation,
    simulator::{Gate, Side},
};

use super::{
    deeds::{add_to, remove_from, servers},
    scene::{From, Scene, until},
    view::truth,
};
use crate::support::{house::Clouds, program::announce};

const MANY: usize = 100;

/// What is promised of so many.
const WITHIN: Duration = Duration::from_secs(10);

#[test]
fn a_hundred_cut_short_at_once_are_put_right_within_ten_seconds() {
    let mut scene = Scene::with_groups(MANY);
    let target = From::Aliyun.target();
    let before = truth(&scene.clouds, target);
    let adds: Vec<_> = (0..MANY).map(|at| add_to(&group(at), &servers(1..=3, 80, 30))).collect();
    // Each group gets the first and the third, and waits for the second.
    let gate = Arc::new(Gate::new(|_, change| adds_the_second(change).then_some(Side::Before)));
    let halves =
        |clouds: &Clouds| truth(clouds, target).iter().zip(&before).filter(|(now, then)| now != then).count();
    scene.kill_when(From::Aliyun, &adds, &gate, MANY, |clouds| halves(clouds) == MANY);
    gate.shut();
    assert_eq!(halves(&scene.clouds), MANY, "every group is half done");

    let began = Instant::now();
    scene.start();
    let as_before = until(WITHIN, || (truth(&scene.clouds, target) == before).then(|| began.elapsed()));
    let as_before = as_before.expect("everything is taken back in time");
    thread::scope(|scope| {
        for at in 0..MANY {
            let (scene, none) = (&scene, remove_from(&group(at), &servers(1..=1, 7777, 1)));
            scope.spawn(move || scene.do_it(From::Aliyun, &none));
        }
    });
    let took = began.elapsed();
    announce(&format!(
        "{MANY} cut short: all taken back {:.1} s after the restart, all let in after {:.1} s",
        as_before.as_secs_f64(),
        took.as_secs_f64()
    ));
    assert!(took <= WITHIN, "{took:?}");
    assert_eq!(truth(&scene.clouds, target), before);
}

fn group(at: usize) -> String {
    format!("rsp-{at:03}")
}

fn adds_the_second(change: &Operation) -> bool {
    let Operation::AddBackends(add) = change else { return false };
    add.backends.iter().any(|backend| backend.target.to_string().contains("uhost-demo02"))
}
