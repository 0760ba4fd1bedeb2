//! Backends that are removed, changed or exchanged.

use std::time::Duration;

use tokio::time::sleep;
use weighbridge::{
    model::{
        BackendId, BackendRef, Change, FaultKind, Group, Operation, OperationName, Outcome, UpdateBackends,
    },
    simulator::{Script, Stumble},
};

use super::{
    LONG, NO, SET, filled, ids, item, moved, one_backend, release, remove, seen, set, sorted, swap, tells,
    unchanged, weighed,
};
use crate::life::stage::{
    RSP, RSP2, VSERVER, VSERVER2, add, added, at, backend, ecs, port, rsp, uhost, ulb, vserver, weight,
};

#[tokio::test(start_paused = true)]
async fn of_five_that_were_to_go_all_are_there_again_when_one_does_not_go() {
    for lag in [Duration::ZERO, Duration::from_secs(2)] {
        let script = Script::of(&[(OperationName::RemoveBackends, 3, NO)]).lagging(lag);
        let (stage, before, held) = filled(script, 6).await;
        let fault = stage.ask(remove(1..=5)).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::TargetRefused);
        tells(&fault, &["i-bp1example00000003 port 80", "not today", "2 changes", "taken back"]);
        unchanged(&stage, &before, &held).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_put_back_is_named() {
    let mut stumbles = vec![(OperationName::RemoveBackends, 2, NO)];
    stumbles.extend((3..=20).map(|number| (OperationName::AddBackends, number, NO)));
    let (stage, _, _) = filled(Script::of(&stumbles), 2).await;
    let fault = stage.ask(remove(1..=2)).await.unwrap_err();
    tells(
        &fault,
        &["i-bp1example00000002 port 80: ", "could NOT be put back", "i-bp1example00000001 port 80"],
    );
    assert_eq!(stage.held(VSERVER), ["uhost-demo02:80 w20"]);
    let now = stage.describe(rsp(RSP)).await.unwrap();
    assert_eq!(now.members.len(), 1, "{now:?}");
}

#[tokio::test(start_paused = true)]
async fn a_removal_whose_answer_is_lost_is_done_when_the_group_shows_it() {
    for (count, lost) in [(5, 3), (12, 1)] {
        let script = Script::of(&[(OperationName::RemoveBackends, lost, Stumble::StallAfter)]);
        let (stage, _, _) = filled(script, count).await;
        stage.ask(remove(1..=count)).await.unwrap();
        assert_eq!(stage.held(VSERVER), [""; 0], "all {count} are gone");
        assert!(stage.describe(rsp(RSP)).await.unwrap().members.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_removal_that_was_never_carried_out_fails_the_call() {
    // The fourth is the second once more, after a look has not shown it gone.
    let stall = |number| (OperationName::RemoveBackends, number, Stumble::Stall);
    let script = Script::of(&[stall(2), stall(4)]);
    let (stage, before, held) = filled(script, 3).await;
    let fault = stage.ask(remove(1..=3)).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::TargetTimedOut);
    tells(&fault, &["i-bp1example00000002 port 80", "did not show", "taken back"]);
    unchanged(&stage, &before, &held).await;
}

#[tokio::test(start_paused = true)]
async fn removing_twice_succeeds() {
    let (stage, _, _) = filled(Script::smooth(), 2).await;
    let Outcome::Removed(first) = stage.ask(remove([1])).await.unwrap() else { panic!() };
    let Outcome::Removed(second) = stage.ask(remove([1])).await.unwrap() else { panic!() };
    assert_eq!((first.len(), second.len()), (1, 0));

    let (stage, id) = one_backend(Script::smooth()).await;
    stage.ask(release(&id, ulb())).await.unwrap();
    stage.ask(release(&id, ulb())).await.unwrap();
    assert_eq!(stage.held(RSP), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn one_refusal_of_three_changes_the_others_back() {
    // The second is gone without the engine's doing, and reads do not show it yet.
    let (stage, _, _) = filled(Script::smooth().lagging(Duration::from_secs(3)), 3).await;
    stage.ask(set(None, vec![item(3, 0)])).await.unwrap();
    sleep(LONG).await;
    let before = stage.describe(rsp(RSP)).await.unwrap();
    let gone = stage.wire.balancer.members(VSERVER)[1].id.clone().unwrap();
    stage.meanwhile(release(&gone, ulb())).await;
    let held = sorted(&stage);
    let fault = stage.ask(set(None, vec![item(1, 0), item(2, 77), item(3, 88)])).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::UnknownBackend);
    tells(&fault, &["i-bp1example00000002 port 80", "2 changes", "taken back"]);
    assert_eq!(sorted(&stage), held);
    sleep(LONG).await;
    let now = stage.describe(rsp(RSP)).await.unwrap();
    let kept = Group { members: [&before.members[..1], &before.members[2..]].concat(), ..before };
    assert_eq!(seen(&now), seen(&kept));
}

#[tokio::test(start_paused = true)]
async fn a_change_that_is_refused_changes_nothing() {
    for lag in [Duration::ZERO, Duration::from_secs(2)] {
        let script = Script::of(&[(OperationName::UpdateBackends, 1, NO)]).lagging(lag);
        let (stage, before, held) = filled(script, 3).await;
        let fault = stage.ask(set(None, vec![item(1, 0), item(2, 77)])).await.unwrap_err();
        tells(&fault, &["not today", "Nothing was changed"]);
        unchanged(&stage, &before, &held).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_swap_whose_release_fails_leaves_the_group_as_it_was() {
    for lag in [Duration::ZERO, Duration::from_secs(2)] {
        let script = Script::of(&[(OperationName::RemoveBackends, 1, NO)]).lagging(lag);
        let (stage, before, held) = filled(script, 3).await;
        // The first goes on with another port, the second makes place for the fourth.
        let old = vec![at(ecs(1), 80), at(ecs(2), 80)];
        let new = vec![backend(ecs(1), 81, 0), backend(ecs(4), 80, 44)];
        let fault = stage.ask(swap(old, new)).await.unwrap_err();
        tells(&fault, &["i-bp1example00000002 port 80", "not today", "2 changes", "taken back"]);
        unchanged(&stage, &before, &held).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_swap_whose_add_fails_has_removed_nothing() {
    let script = Script::of(&[(OperationName::AddBackends, 3, NO)]);
    let (stage, before, held) = filled(script, 2).await;
    let fault = stage.ask(swap(vec![at(ecs(1), 80)], vec![backend(ecs(3), 80, 30)])).await.unwrap_err();
    tells(&fault, &["i-bp1example00000003 port 80", "not today"]);
    unchanged(&stage, &before, &held).await;
    assert!(!stage.writes().contains(&OperationName::RemoveBackends));
}

#[tokio::test(start_paused = true)]
async fn a_swap_whose_release_was_not_answered_is_whole() {
    let script = Script::of(&[(OperationName::RemoveBackends, 1, Stumble::StallAfter)]);
    let (stage, _, _) = filled(script, 2).await;
    stage.ask(swap(vec![at(ecs(1), 80)], vec![backend(ecs(3), 80, 30)])).await.unwrap();
    assert_eq!(sorted(&stage), ["uhost-demo02:80 w20", "uhost-demo03:80 w30"]);
}

#[tokio::test(start_paused = true)]
async fn a_port_that_cannot_change_stays() {
    for (stumble, kind, words) in [
        (NO, FaultKind::TargetRefused, ["not today", "Nothing was changed"]),
        (Stumble::Stall, FaultKind::TargetTimedOut, ["did not show", "Nothing was changed"]),
    ] {
        let (stage, id) = one_backend(Script::of(&[(OperationName::ReplaceBackends, 1, stumble)])).await;
        let fault = stage.ask(moved(&id, 81)).await.unwrap_err();
        assert_eq!(fault.kind, kind);
        tells(&fault, &words);
        assert_eq!(stage.held(RSP), ["i-bp1example00000001:80 w30"]);
        assert_eq!(ids(&stage.describe(vserver(VSERVER)).await.unwrap()), std::slice::from_ref(&id));
        stage.ask(weighed(&id, 70)).await.unwrap();
        stage.ask(moved(&id, 82)).await.unwrap();
        assert_eq!(stage.held(RSP), ["i-bp1example00000001:82 w70"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_port_whose_change_was_not_answered_has_changed() {
    let script = Script::of(&[(OperationName::ReplaceBackends, 1, Stumble::StallAfter)]);
    let (stage, id) = one_backend(script).await;
    stage.ask(moved(&id, 81)).await.unwrap();
    assert_eq!(stage.held(RSP), ["i-bp1example00000001:81 w30"]);
    assert_eq!(ids(&stage.describe(vserver(VSERVER)).await.unwrap()), std::slice::from_ref(&id));
    stage.ask(release(&id, ulb())).await.unwrap();
    assert_eq!(stage.held(RSP), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn of_two_changes_that_take_two_calls_the_first_goes_back_when_the_second_fails() {
    let script = Script::of(&[(OperationName::ReplaceBackends, 1, NO)]);
    let (stage, first) = one_backend(script).await;
    let second = added(stage.ask(add(vserver(VSERVER), vec![backend(uhost(2), 80, 40)])).await.unwrap());
    let second = second[0].id.clone().unwrap();
    let changes = vec![
        Change { enabled: Some(false), ..Change::of(BackendRef::Id(first.clone())) },
        Change { port: Some(port(81)), ..Change::of(BackendRef::Id(second.clone())) },
    ];
    let update = Operation::UpdateBackends(UpdateBackends { scope: ulb(), changes });
    let fault = stage.ask(update).await.unwrap_err();
    tells(&fault, &["uhost-demo02 port 80", "not today", "one change", "taken back"]);
    assert_eq!(stage.held(RSP), ["i-bp1example00000001:80 w30", "i-bp1example00000002:80 w40"]);
    assert_eq!(ids(&stage.describe(vserver(VSERVER)).await.unwrap()), [first, second]);
}

#[tokio::test(start_paused = true)]
async fn a_change_whose_answer_is_lost_does_not_end_the_call_before_its_other_changes() {
    let script = Script::of(&[(SET, 1, Stumble::StallAfter)]);
    let (stage, first) = one_backend(script).await;
    let second = added(stage.ask(add(vserver(VSERVER), vec![backend(uhost(2), 80, 40)])).await.unwrap());
    let changes = vec![
        Change { weight: weight(50), ..Change::of(BackendRef::Id(first)) },
        Change { port: Some(port(81)), ..Change::of(BackendRef::Id(second[0].id.clone().unwrap())) },
    ];
    stage.ask(Operation::UpdateBackends(UpdateBackends { scope: ulb(), changes })).await.unwrap();
    assert_eq!(stage.held(RSP), ["i-bp1example00000001:80 w50", "i-bp1example00000002:81 w40"]);
}

#[tokio::test(start_paused = true)]
async fn a_release_is_repeated_when_its_answer_is_lost() {
    for stumble in [Stumble::Stall, Stumble::StallAfter] {
        let (stage, id) = one_backend(Script::of(&[(OperationName::RemoveBackends, 1, stumble)])).await;
        stage.ask(release(&id, ulb())).await.unwrap();
        assert_eq!(stage.held(RSP), [""; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_release_that_is_done_is_not_said_to_be_refused() {
    // The answer to the first call is lost, and the same again is refused.
    let stumbles =
        [(OperationName::RemoveBackends, 1, Stumble::StallAfter), (OperationName::RemoveBackends, 2, NO)];
    let (stage, id) = one_backend(Script::of(&stumbles)).await;
    let told = stage.ask(release(&id, ulb())).await;
    assert_eq!(stage.held(RSP), [""; 0]);
    told.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_busy_target_is_asked_again_whatever_it_was_asked_for() {
    let busy = Stumble::Refuse(FaultKind::Throttled, "");
    let names = [OperationName::UpdateBackends, OperationName::RemoveBackends, OperationName::UpdateGroup];
    let (stage, _, _) = filled(Script::of(&names.map(|name| (name, 1, busy.clone()))), 2).await;
    stage.ask(set(Some("blue"), vec![item(1, 66)])).await.unwrap();
    stage.ask(remove([2])).await.unwrap();
    assert_eq!(stage.held(VSERVER), ["uhost-demo01:80 w66"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_told_of_a_batch_over_two_groups_is_true() {
    let (stage, first) = one_backend(Script::of(&[(SET, 2, NO)])).await;
    let second = added(stage.ask(add(vserver(VSERVER2), vec![backend(uhost(2), 80, 40)])).await.unwrap());
    let second = second[0].id.clone().unwrap();
    let change = |id: &BackendId| Change { weight: weight(77), ..Change::of(BackendRef::Id(id.clone())) };
    let changes = vec![change(&first), change(&second)];
    let told = stage.ask(Operation::UpdateBackends(UpdateBackends { scope: ulb(), changes })).await;
    assert_eq!(stage.held(RSP2), ["i-bp1example00000002:80 w40"]);
    match told {
        Ok(told) => {
            let Outcome::Updated(told) = told else { panic!("{told:?} is no update") };
            let refused: Vec<bool> = told.iter().map(|updated| updated.refusal.is_some()).collect();
            assert_eq!(
                (refused.as_slice(), stage.held(RSP)),
                ([false, true].as_slice(), vec!["i-bp1example00000001:80 w77".to_owned()],)
            );
        }
        Err(fault) => assert_eq!(stage.held(RSP), ["i-bp1example00000001:80 w30"], "{fault}"),
    }
}
