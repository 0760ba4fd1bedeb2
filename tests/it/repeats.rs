//! An identical request that makes something gets its recorded answer from whoever has the same store. Time is virtual.

use std::time::Duration;

use tokio::time::{sleep, timeout};
use weighbridge::{
    model::{BackendId, BackendRef, Member, Operation, OperationName, RemoveBackends},
    simulator::{Script, Stumble},
};

use crate::life::stage::{RSP, Stage, VSERVER, add, added, backend, uhost, ulb, vserver};

const KEY: [u8; 32] = [7; 32];

fn one() -> Operation {
    add(vserver(VSERVER), vec![backend(uhost(1), 80, 50)])
}

async fn asked(stage: &Stage) -> Vec<Member> {
    added(stage.ask_again(one(), KEY).await.unwrap())
}

fn release(id: Option<&BackendId>) -> Operation {
    let backends = id.cloned().map(BackendRef::Id).into_iter().collect();
    Operation::RemoveBackends(RemoveBackends { scope: ulb(), backends })
}

fn adds(stage: &Stage) -> usize {
    stage.writes().iter().filter(|name| **name == OperationName::AddBackends).count()
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_takes_over_answers_from_the_record_of_the_one_before() {
    let stage = Stage::towards_aliyun(Script::smooth());
    let first = asked(&stage).await;
    assert_eq!(asked(&stage.replaced()).await, first);
    assert_eq!(adds(&stage), 1);
    assert_eq!(asked(&stage.restarted()).await, first, "who has not the store adds it again");
    assert_eq!(adds(&stage), 2);
}

#[tokio::test(start_paused = true)]
async fn a_release_clears_the_record_whoever_carries_it_out() {
    for by_another in [false, true] {
        let stage = Stage::towards_aliyun(Script::smooth());
        let first = asked(&stage).await;
        let releaser = if by_another { &stage.replaced() } else { &stage };
        releaser.ask(release(first[0].id.as_ref())).await.unwrap();
        assert_eq!(stage.held(RSP), [""; 0]);
        assert_eq!(asked(&stage.replaced()).await, first, "the same backend has the same id");
        assert_eq!((adds(&stage), stage.held(RSP).len()), (2, 1));
    }
}

/// A process that is killed now would leave the record to the next one.
#[tokio::test(start_paused = true)]
async fn the_record_is_cleared_before_the_release_is_sent() {
    let script = Script::of(&[(OperationName::RemoveBackends, 1, Stumble::StallAfter)]);
    let stage = Stage::towards_aliyun(script);
    let first = asked(&stage).await;
    let unanswered = timeout(Duration::from_secs(1), stage.ask(release(first[0].id.as_ref()))).await;
    assert!(unanswered.is_err(), "{unanswered:?}");
    assert_eq!(stage.held(RSP), [""; 0]);
    asked(&stage.replaced()).await;
    assert!(adds(&stage) > 1, "it is added again, as soon as the target takes another change");
    assert_eq!(stage.held(RSP).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_release_whose_answer_got_lost_clears_the_record_too() {
    for stumble in [Stumble::Stall, Stumble::StallAfter] {
        let script = Script::of(&[(OperationName::RemoveBackends, 1, stumble)]);
        let stage = Stage::towards_aliyun(script);
        let first = asked(&stage).await;
        // Whatever comes of it.
        drop(stage.ask(release(first[0].id.as_ref())).await);
        assert_eq!(asked(&stage.replaced()).await, first);
        assert_eq!(stage.held(RSP).len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_is_of_no_use_to_who_comes_after_the_window() {
    let stage = Stage::towards_aliyun(Script::smooth());
    let first = asked(&stage).await;
    let later = stage.replaced();
    sleep(Duration::from_secs(11)).await;
    assert_eq!(asked(&later).await, first);
    assert_eq!(adds(&stage), 2, "the engine that came after the first is as old as the window");
}
