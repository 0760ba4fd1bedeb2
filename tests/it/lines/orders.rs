//! Who waits for whom, and for how long. Time is virtual, so nothing here waits.

use std::time::Duration;

use futures_util::future::{join, join_all};
use tokio::time::{Instant, sleep, timeout};
use weighbridge::{
    config::Limits,
    model::{BackendId, BackendRef, Fault, FaultKind, Operation, OperationName, Outcome, RemoveBackends},
    simulator::{Script, Stumble},
};

use crate::life::stage::{
    LATENCY, RSP, RSP2, Stage, VSERVER, VSERVER2, add, added, backend, uhost, ulb, vserver,
};

/// A moment in which one more comes to the line.
const SOON: Duration = Duration::from_millis(10);

type Told = Result<Outcome, Fault>;

fn one(number: usize) -> Operation {
    in_group(VSERVER, number)
}

fn in_group(group: &str, number: usize) -> Operation {
    add(vserver(group), vec![backend(uhost(number), 80, 50)])
}

fn release(id: &BackendId) -> Operation {
    Operation::RemoveBackends(RemoveBackends { scope: ulb(), backends: vec![BackendRef::Id(id.clone())] })
}

fn id_of(told: Told) -> BackendId {
    added(told.unwrap())[0].id.clone().unwrap()
}

/// Asks for these one after the other, each while those before it are still at work.
async fn in_line(stage: &Stage, operations: Vec<Operation>) -> Vec<Told> {
    let asks = operations.into_iter().zip(0..).map(|(operation, at)| async move {
        sleep(SOON * at).await;
        stage.ask(operation).await
    });
    join_all(asks).await
}

fn adds(stage: &Stage) -> usize {
    stage.writes().iter().filter(|name| **name == OperationName::AddBackends).count()
}

fn held(stage: &Stage, group: &str) -> Vec<String> {
    let mut held = stage.held(group);
    held.sort();
    held
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_of_a_merged_call_is_looked_after_for_all_of_them() {
    // The first goes alone, and the others together behind it.
    let stumble = |stumble| Script::of(&[(OperationName::AddBackends, 2, stumble)]);
    let stage = Stage::towards_aliyun(stumble(Stumble::StallAfter));
    let told = in_line(&stage, (1..=6).map(one).collect()).await;
    assert!(told.iter().all(Result::is_ok), "{told:?}");
    assert_eq!((adds(&stage), stage.held(RSP).len()), (2, 6));

    let stage = Stage::towards_aliyun(stumble(Stumble::Stall));
    let told = in_line(&stage, (1..=6).map(one).collect()).await;
    assert_eq!((adds(&stage), stage.held(RSP).len()), (2, 1));
    for (number, told) in (1..).zip(told).skip(1) {
        let fault = told.unwrap_err();
        assert_eq!(fault.kind, FaultKind::TargetTimedOut);
        let own = format!("did not show these afterwards: uhost-demo{number:02} port 80");
        assert!(fault.detail.contains(&own), "{fault}");
        assert_eq!(fault.detail.matches("did not show").count(), 1, "{fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn two_callers_who_add_the_same_backend_are_both_told_the_truth() {
    let stage = Stage::towards_aliyun(Script::smooth());
    let other = add(vserver(VSERVER), vec![backend(uhost(2), 80, 7)]);
    let told = in_line(&stage, vec![one(1), one(2), one(2), other]).await;
    assert_eq!(held(&stage, RSP), ["i-bp1example00000001:80 w50", "i-bp1example00000002:80 w50"]);
    assert!(told[0].is_ok() && told[1].is_ok(), "{told:?}");
    // The target takes the same once more for no fault, and another weight for one.
    assert!(told[2].is_ok(), "{told:?}");
    assert_eq!(told[3].as_ref().unwrap_err().kind, FaultKind::AlreadyPresent);
}

#[tokio::test(start_paused = true)]
async fn who_hangs_up_while_waiting_holds_nobody_up() {
    let stage = Stage::towards_aliyun(Script::smooth());
    let hung_up = async {
        sleep(SOON).await;
        assert!(timeout(SOON, stage.ask(one(2))).await.is_err(), "it waits still");
    };
    let others = async {
        let first = stage.ask(one(1));
        let third = async {
            sleep(SOON * 5).await;
            stage.ask(one(3)).await
        };
        join(first, third).await
    };
    let ((), (first, third)) = join(hung_up, others).await;
    assert!(first.is_ok() && third.is_ok());
    // A request that was begun is carried out, whoever still listens.
    assert_eq!((adds(&stage), stage.held(RSP).len()), (2, 3));
}

#[tokio::test(start_paused = true)]
async fn a_line_that_is_full_is_told_as_busy_at_once() {
    let limits = Limits { max_waiting: 5, ..Limits::default() };
    let stage = Stage::limited(limits, Script::smooth());
    let (stage, began) = (&stage, Instant::now());
    let asks = (1..=10).map(|number| async move {
        let told = stage.ask(one(number)).await;
        (told, began.elapsed())
    });
    let told = join_all(asks).await;
    let (done, busy): (Vec<_>, Vec<_>) = told.into_iter().partition(|(told, _)| told.is_ok());
    assert_eq!((done.len(), busy.len()), (6, 4), "one at work and five that wait");
    for (told, took) in busy {
        let fault = told.unwrap_err();
        assert_eq!((fault.kind, took < LATENCY), (FaultKind::Busy, true), "{fault}");
        assert!(fault.detail.contains("nothing was begun"), "{fault}");
    }
    assert_eq!(stage.held(RSP).len(), 6);
}

#[tokio::test(start_paused = true)]
async fn who_has_waited_for_all_its_time_is_told_busy() {
    let limits = Limits { request_timeout: Duration::from_secs(3), ..Limits::default() };
    let stage = Stage::limited(limits, Script::of_adds(&[(1, Stumble::StallAfter)]));
    let began = Instant::now();
    let waits = async {
        sleep(SOON).await;
        let told = stage.ask(one(2)).await;
        (told, began.elapsed())
    };
    let (first, (second, took)) = join(stage.ask(one(1)), waits).await;
    assert!(first.is_ok(), "a lost answer is looked after past the time: {first:?}");
    let fault = second.unwrap_err();
    assert_eq!((fault.kind, took.as_secs()), (FaultKind::Busy, 3), "{fault}");
    assert_eq!(held(&stage, RSP), ["i-bp1example00000001:80 w50"]);
}

#[tokio::test(start_paused = true)]
async fn who_has_time_left_is_not_given_up_with_who_has_not() {
    // The second has a tenth of a second left when the target is busy; the third has three.
    let busy = Stumble::Refuse(FaultKind::Busy, "");
    let script = Script::of_adds(&[(1, Stumble::StallAfter), (2, busy)]);
    let limits = Limits { request_timeout: Duration::from_millis(10_300), ..Limits::default() };
    let stage = Stage::limited(limits, script);
    let third = async {
        sleep(Duration::from_secs(3)).await;
        stage.ask(one(3)).await
    };
    let (told, third) = join(in_line(&stage, vec![one(1), one(2)]), third).await;
    assert!(told[0].is_ok(), "{told:?}");
    assert_eq!(told[1].as_ref().unwrap_err().kind, FaultKind::Busy);
    assert!(third.is_ok(), "{third:?}");
    assert_eq!(held(&stage, RSP), ["i-bp1example00000001:80 w50", "i-bp1example00000003:80 w50"]);
}

#[tokio::test(start_paused = true)]
async fn a_removal_between_adds_keeps_its_place() {
    let stage = Stage::towards_aliyun(Script::smooth());
    let id = id_of(stage.ask(one(3)).await);
    // The third is there: it is released, and then added again by another.
    let told = in_line(&stage, vec![one(1), one(2), release(&id), one(3), one(4)]).await;
    assert!(told.iter().all(Result::is_ok), "{told:?}");
    let all = (1..=4).map(|number| format!("i-bp1example{number:08}:80 w50"));
    assert_eq!(held(&stage, RSP), all.collect::<Vec<_>>());
    // The second goes alone, since nobody passes the removal; the last two go together.
    assert_eq!(adds(&stage), 4);
}

#[tokio::test(start_paused = true)]
async fn groups_do_not_wait_for_each_other() {
    let stage = Stage::towards_aliyun(Script::of_adds(&[(1, Stumble::StallAfter)]));
    let began = Instant::now();
    let others = async {
        sleep(SOON).await;
        let asks = (1..=3).map(|number| stage.ask(in_group(VSERVER2, number)));
        (join_all(asks).await, began.elapsed())
    };
    let (first, (others, took)) = join(stage.ask(one(1)), others).await;
    assert!(first.is_ok() && others.iter().all(Result::is_ok));
    assert_eq!(took, SOON + LATENCY * 2, "one alone, and two together");
    assert_eq!((stage.held(RSP).len(), stage.held(RSP2).len()), (1, 3));
}
