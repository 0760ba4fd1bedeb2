//! Groups that are made, renamed or deleted.

use std::time::Duration;

use tokio::time::sleep;
use weighbridge::{
    model::{Change, FaultKind, Operation, OperationName},
    simulator::{Script, Stumble},
};

use super::{NO, create, filled, item, listed, made, set, sorted, tells, unchanged};
use crate::life::stage::{LB, RSP, Stage, ULB, VSERVER, backend, ecs, rsp};

#[tokio::test(start_paused = true)]
async fn a_group_whose_second_backend_is_refused_is_not_kept() {
    for lag in [Duration::ZERO, Duration::from_secs(2)] {
        let full = Stumble::Refuse(FaultKind::QuotaExceeded, "full");
        let script = Script::of(&[(OperationName::AddBackends, 2, full)]).lagging(lag);
        let stage = Stage::towards_ucloud(script);
        let before = stage.wire.balancer.groups();
        let backends = (1..=3).map(|number| backend(ecs(number), 80, 10)).collect();
        let fault = stage.ask(create(LB, None, backends)).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::QuotaExceeded);
        tells(&fault, &["i-bp1example00000002 port 80", "The group was not kept"]);
        assert_eq!(stage.wire.balancer.groups(), before);
        for pause in [0, 1, 2, 30] {
            sleep(Duration::from_secs(pause)).await;
            assert_eq!(listed(&stage).await.len(), 2);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_group_that_cannot_be_unmade_again_is_named_and_can_be_used() {
    let mut stumbles = vec![(OperationName::AddBackends, 2, NO)];
    stumbles.extend((1..=4).map(|number| (OperationName::DeleteGroup, number, NO)));
    let stage = Stage::towards_ucloud(Script::of(&stumbles));
    let backends = (1..=3).map(|number| backend(ecs(number), 80, 10)).collect();
    let fault = stage.ask(create(LB, None, backends)).await.unwrap_err();
    tells(&fault, &["could NOT be deleted again"]);
    let id = fault.detail.split('`').find(|word| word.starts_with("rsp-")).unwrap();
    let group = stage.describe(rsp(id)).await.unwrap();
    assert_eq!((group.name.as_deref(), group.members.len()), (Some("blue"), 0));
    stage.ask(Operation::DeleteGroup(rsp(id))).await.unwrap();
    assert_eq!(stage.wire.balancer.groups().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_group_whose_unmaking_is_not_answered_is_not_said_to_be_there() {
    for lag in [Duration::ZERO, Duration::from_secs(2)] {
        let stumbles =
            [(OperationName::AddBackends, 2, NO), (OperationName::DeleteGroup, 1, Stumble::StallAfter)];
        let stage = Stage::towards_ucloud(Script::of(&stumbles).lagging(lag));
        let backends = (1..=3).map(|number| backend(ecs(number), 80, 10)).collect();
        let fault = stage.ask(create(LB, None, backends)).await.unwrap_err();
        tells(&fault, &["The group was not kept"]);
        assert_eq!((stage.wire.balancer.groups().len(), listed(&stage).await.len()), (2, 2));
    }
}

#[tokio::test(start_paused = true)]
async fn a_creation_whose_answer_is_lost_is_found() {
    for lag in [Duration::ZERO, Duration::from_secs(2)] {
        let script = Script::of(&[(OperationName::CreateGroup, 1, Stumble::StallAfter)]).lagging(lag);
        let stage = Stage::towards_ucloud(script);
        let id = made(stage.ask(create(LB, None, vec![backend(ecs(1), 80, 10)])).await.unwrap());
        assert_eq!(stage.wire.balancer.groups().len(), 3);
        assert_eq!(stage.describe(id).await.unwrap().members.len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_nobody_can_find_is_not_said_to_have_failed() {
    let mut stumbles = vec![(OperationName::CreateGroup, 1, Stumble::StallAfter)];
    stumbles.extend((2..=5).map(|number| (OperationName::ListGroups, number, NO)));
    let stage = Stage::towards_aliyun(Script::of(&stumbles));
    let fault = stage.ask(create(ULB, Some(8080), Vec::new())).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::TargetTimedOut);
    tells(&fault, &["could NOT be found out"]);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_refused_takes_the_weights_back() {
    for lag in [Duration::ZERO, Duration::from_secs(2)] {
        let script = Script::of(&[(OperationName::UpdateGroup, 1, NO)]).lagging(lag);
        let (stage, before, held) = filled(script, 3).await;
        let described = Change { description: Some("other words".to_owned()), ..item(2, 66) };
        let fault = stage.ask(set(Some("blue"), vec![item(1, 0), described])).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::TargetRefused);
        tells(&fault, &["not today", "2 changes", "taken back"]);
        unchanged(&stage, &before, &held).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_whose_answer_is_lost_is_given() {
    for stumble in [Stumble::Stall, Stumble::StallAfter] {
        let script = Script::of(&[(OperationName::UpdateGroup, 1, stumble)]);
        let (stage, _, _) = filled(script, 1).await;
        stage.ask(set(Some("blue"), vec![item(1, 66)])).await.unwrap();
        assert_eq!(stage.held(VSERVER), ["uhost-demo01:80 w66"]);
        assert_eq!(stage.describe(rsp(RSP)).await.unwrap().name.as_deref(), Some("blue"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_that_nobody_can_look_up_is_not_said_to_be_unchanged() {
    let mut stumbles = vec![(OperationName::UpdateGroup, 1, Stumble::StallAfter)];
    stumbles.extend((2..=9).map(|number| (OperationName::DescribeGroup, number, NO)));
    let stage = Stage::towards_ucloud(Script::of(&stumbles));
    let fault = stage.ask(set(Some("blue"), Vec::new())).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::TargetTimedOut);
    tells(&fault, &["could NOT be found out", "Nothing else was changed"]);
    assert!(!fault.detail.contains("Nothing was changed"), "{fault}");
}

#[tokio::test(start_paused = true)]
async fn a_deletion_whose_answer_is_lost_is_done() {
    for lag in [Duration::ZERO, Duration::from_secs(2)] {
        let script = Script::of(&[(OperationName::DeleteGroup, 1, Stumble::StallAfter)]).lagging(lag);
        let (stage, _, _) = filled(script, 2).await;
        stage.ask(Operation::DeleteGroup(rsp(RSP))).await.unwrap();
        assert_eq!(stage.wire.balancer.groups().len(), 1);
        assert_eq!(stage.describe(rsp(RSP)).await.unwrap_err().kind, FaultKind::UnknownGroup);
    }
    let script = Script::of(&[(OperationName::DeleteGroup, 1, Stumble::StallAfter)]);
    let stage = Stage::towards_aliyun(script);
    let id = made(stage.ask(create(ULB, Some(8080), Vec::new())).await.unwrap());
    stage.ask(Operation::DeleteGroup(id.clone())).await.unwrap();
    assert_eq!(stage.wire.balancer.groups().len(), 2);
    assert_eq!(stage.describe(id).await.unwrap_err().kind, FaultKind::UnknownGroup);
}

#[tokio::test(start_paused = true)]
async fn a_deletion_that_was_never_carried_out_fails_and_says_that_the_group_is_there() {
    let script = Script::of(&[(OperationName::DeleteGroup, 1, Stumble::Stall)]);
    let (stage, before, held) = filled(script, 2).await;
    let fault = stage.ask(Operation::DeleteGroup(rsp(RSP))).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::TargetTimedOut);
    unchanged(&stage, &before, &held).await;
    tells(&fault, &["still there"]);
}

#[tokio::test(start_paused = true)]
async fn a_deletion_that_nobody_can_look_at_is_not_said_to_have_failed() {
    for lost in [Stumble::Stall, Stumble::StallAfter] {
        let mut stumbles = vec![(OperationName::DeleteGroup, 1, lost)];
        stumbles.extend((1..=9).map(|number| (OperationName::DescribeGroup, number, NO)));
        let stage = Stage::towards_ucloud(Script::of(&stumbles));
        let fault = stage.ask(Operation::DeleteGroup(rsp(RSP))).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::TargetTimedOut);
        tells(&fault, &["could NOT be found out"]);
        assert!(!fault.detail.contains("still there"), "{fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_given_is_not_said_to_be_refused() {
    // The answer to the first call is lost, and the same again is refused.
    let stumbles =
        [(OperationName::UpdateGroup, 1, Stumble::StallAfter), (OperationName::UpdateGroup, 2, NO)];
    let (stage, before, held) = filled(Script::of(&stumbles), 2).await;
    match stage.ask(set(Some("blue"), vec![item(1, 66)])).await {
        Ok(_) => {
            assert_eq!(stage.describe(rsp(RSP)).await.unwrap().name.as_deref(), Some("blue"));
            assert_eq!(sorted(&stage), ["uhost-demo01:80 w66", "uhost-demo02:80 w20"]);
        }
        Err(_) => unchanged(&stage, &before, &held).await,
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_longer_than_the_target_takes_is_given_back_whole() {
    let (stage, _, _) = filled(Script::smooth(), 1).await;
    let (one, other) = ("x".repeat(51), format!("{}y", "x".repeat(50)));
    for name in [&one, &other] {
        stage.ask(set(Some(name), vec![item(1, 66)])).await.unwrap();
        let group = stage.describe(rsp(RSP)).await.unwrap();
        assert_eq!(group.name.as_ref(), Some(name));
    }
    let there = stage.wire.balancer.groups().into_iter().find(|group| group.id.group.as_str() == VSERVER);
    let there = there.unwrap().name.unwrap();
    assert!(there.chars().count() == 50 && there.starts_with("xxxx"), "{there}");
}
