//! Operations of several calls when one of them fails, or its answer is lost: all of it is done, or nothing is, and the
//! caller is told which.

use std::time::Duration;

use tokio::time::sleep;
use weighbridge::{
    model::{
        Backend, BackendId, BackendRef, Change, CreateGroup, Fault, FaultKind, Group, GroupRef, Listener,
        Member, Operation, OperationName, Outcome, Protocol, RemoveBackends, ReplaceBackends, Scope,
        UpdateBackends, UpdateGroup,
    },
    simulator::{Script, Stumble},
};

use super::stage::{
    LB, RSP, RSP2, Stage, ULB, VSERVER, VSERVER2, add, added, at, backend, balancer, ecs, port, rsp, uhost,
    ulb, vserver, weight,
};

const NO: Stumble = Stumble::Refuse(FaultKind::TargetRefused, "not today");

/// As what Alibaba Cloud reads SetVServerGroupAttribute, which changes backends too.
const SET: OperationName = OperationName::UpdateGroup;

/// Longer than any change takes to show.
const LONG: Duration = Duration::from_secs(30);

fn remove(numbers: impl IntoIterator<Item = usize>) -> Operation {
    let backends = numbers.into_iter().map(|number| at(ecs(number), 80)).collect();
    Operation::RemoveBackends(RemoveBackends { scope: rsp(RSP).into(), backends })
}

fn release(id: &BackendId, scope: Scope) -> Operation {
    Operation::RemoveBackends(RemoveBackends { scope, backends: vec![BackendRef::Id(id.clone())] })
}

fn update(change: Change) -> Operation {
    Operation::UpdateBackends(UpdateBackends { scope: ulb(), changes: vec![change] })
}

fn moved(id: &BackendId, number: u32) -> Operation {
    update(Change { port: Some(port(number)), ..Change::of(BackendRef::Id(id.clone())) })
}

fn weighed(id: &BackendId, number: u32) -> Operation {
    update(Change { weight: weight(number), ..Change::of(BackendRef::Id(id.clone())) })
}

/// An item of SetVServerGroupAttribute.
fn item(number: usize, weight_there: u32) -> Change {
    let (weight, enabled) = (weight(weight_there), Some(weight_there > 0));
    Change { weight, enabled, ..Change::of(at(ecs(number), 80)) }
}

fn set(name: Option<&str>, changes: Vec<Change>) -> Operation {
    let name = name.map(str::to_owned);
    Operation::UpdateGroup(UpdateGroup { group: rsp(RSP), name, options: Vec::new(), changes })
}

fn swap(old: Vec<BackendRef>, new: Vec<Backend>) -> Operation {
    Operation::ReplaceBackends(ReplaceBackends { group: rsp(RSP), old, new })
}

fn create(load_balancer: &str, listener: Option<u32>, backends: Vec<Backend>) -> Operation {
    let listener = listener.map(|number| Listener { protocol: Protocol::Tcp, port: port(number) });
    Operation::CreateGroup(CreateGroup {
        load_balancer: balancer(load_balancer),
        name: Some("blue".to_owned()),
        listener,
        options: Vec::new(),
        backends,
    })
}

fn made(outcome: Outcome) -> GroupRef {
    let Outcome::Created(group) = outcome else { panic!("{outcome:?} is no group that was made") };
    group.id
}

/// Callers of Alibaba Cloud before a group that holds so many servers, the nth with weight n * 10 and a description; what
/// a caller sees of it, and what the target holds.
async fn filled(script: Script, count: usize) -> (Stage, Group, Vec<String>) {
    let stage = Stage::towards_ucloud(script);
    for number in 1..=count {
        let own = backend(ecs(number), 80, u32::try_from(number * 10 % 100).unwrap());
        let own = Backend { description: Some(format!("the {number}.")), ..own };
        stage.ask(add(rsp(RSP), vec![own])).await.unwrap();
    }
    sleep(LONG).await;
    let (seen, held) = (stage.describe(rsp(RSP)).await.unwrap(), sorted(&stage));
    (stage, seen, held)
}

fn sorted(stage: &Stage) -> Vec<String> {
    let mut held = stage.held(VSERVER);
    held.sort();
    held
}

/// What a caller of Alibaba Cloud sees, in no particular order.
fn seen(group: &Group) -> Vec<String> {
    let line = |member: &Member| format!("{:?}", member.backend);
    let mut lines: Vec<String> = group.members.iter().map(line).collect();
    lines.sort();
    lines
}

/// Everything is as it was before, at once and later, for the caller and at the target.
async fn unchanged(stage: &Stage, before: &Group, held: &[String]) {
    assert_eq!(sorted(stage), held);
    let soon = std::iter::repeat_n(Duration::from_millis(100), 40);
    for (look, pause) in soon.chain([LONG]).enumerate() {
        let now = stage.describe(rsp(RSP)).await.unwrap();
        assert_eq!(seen(&now), seen(before), "at look {look}");
        assert_eq!(now.name, before.name);
        sleep(pause).await;
    }
}

fn tells(fault: &Fault, words: &[&str]) {
    for word in words {
        assert!(fault.detail.contains(word), "{word:?} is missing: {fault}");
    }
}

/// A group of the target with one backend of a UCloud caller's, and the id that the caller has for it.
async fn one_backend(script: Script) -> (Stage, BackendId) {
    let stage = Stage::towards_aliyun(script);
    let members = added(stage.ask(add(vserver(VSERVER), vec![backend(uhost(1), 80, 30)])).await.unwrap());
    let id = members[0].id.clone().unwrap();
    (stage, id)
}

fn ids(group: &Group) -> Vec<BackendId> {
    group.members.iter().filter_map(|member| member.id.clone()).collect()
}

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

async fn listed(stage: &Stage) -> Vec<Group> {
    use weighbridge::model::{ListGroups, Page};
    let page = Page { offset: 0, limit: usize::MAX };
    let list = ListGroups { load_balancer: balancer(LB), page, listeners: false, members: false };
    let told = stage.ask(Operation::ListGroups(list)).await.unwrap();
    let Outcome::Groups(groups, _) = told else { panic!("{told:?} is no list") };
    groups
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
async fn a_backend_of_another_load_balancer_is_refused() {
    use weighbridge::model::{LoadBalancerId, Place};
    let elsewhere =
        || Scope { load_balancer: LoadBalancerId::new("ulb-other"), group: None, place: Place::default() };
    let (stage, id) = one_backend(Script::smooth()).await;
    let fault = stage.ask(release(&id, elsewhere())).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::UnknownBackend);
    let changes = vec![Change { weight: weight(7), ..Change::of(BackendRef::Id(id)) }];
    let update = Operation::UpdateBackends(UpdateBackends { scope: elsewhere(), changes });
    assert_eq!(stage.ask(update).await.unwrap_err().kind, FaultKind::UnknownBackend);
    assert_eq!(stage.held(RSP), ["i-bp1example00000001:80 w30"]);
}

#[tokio::test(start_paused = true)]
async fn a_backend_of_a_new_group_of_another_load_balancer_is_refused() {
    use weighbridge::model::{LoadBalancerId, Place};
    let elsewhere =
        || Scope { load_balancer: LoadBalancerId::new("ulb-other"), group: None, place: Place::default() };
    let stage = Stage::towards_aliyun(Script::smooth());
    let group = made(stage.ask(create(ULB, Some(8080), Vec::new())).await.unwrap());
    let members = added(stage.ask(add(group.clone(), vec![backend(uhost(1), 80, 30)])).await.unwrap());
    let id = members[0].id.clone().unwrap();
    let other = GroupRef { load_balancer: LoadBalancerId::new("ulb-other"), ..group.clone() };
    assert_eq!(stage.describe(other).await.unwrap_err().kind, FaultKind::UnknownGroup);
    let told = stage.ask(release(&id, elsewhere())).await;
    assert_eq!(stage.describe(group).await.unwrap().members.len(), 1, "it is still there");
    assert_eq!(told.unwrap_err().kind, FaultKind::UnknownBackend);
}

#[tokio::test(start_paused = true)]
async fn a_new_group_can_be_used_at_once_and_by_who_knows_nothing_of_it() {
    for lag in [Duration::ZERO, Duration::from_secs(3)] {
        let stage = Stage::towards_ucloud(Script::smooth().lagging(lag));
        let id = made(stage.ask(create(LB, None, vec![backend(ecs(1), 80, 10)])).await.unwrap());
        let group = || rsp(id.group.as_str());
        assert!(id.group.as_str().starts_with("rsp-"), "{id:?}");
        stage.ask(add(group(), vec![backend(ecs(2), 80, 20)])).await.unwrap();
        let mut rename = set(Some("green"), vec![item(1, 0)]);
        if let Operation::UpdateGroup(update) = &mut rename {
            update.group = group();
        }
        stage.ask(rename).await.unwrap();
        let seen = stage.describe(group()).await.unwrap();
        assert_eq!((seen.name.as_deref(), seen.members.len(), &seen.id.group), (Some("green"), 2, &id.group));
        assert!(listed(&stage).await.iter().any(|known| known.id.group == id.group));

        sleep(lag).await;
        let other = stage.restarted();
        let seen = other.describe(group()).await.unwrap();
        assert_eq!((seen.name.as_deref(), seen.members.len(), &seen.id.group), (Some("green"), 2, &id.group));
        other.ask(add(group(), vec![backend(ecs(3), 80, 20)])).await.unwrap();
        assert!(listed(&other).await.iter().any(|known| known.id.group == id.group));
        other.ask(Operation::DeleteGroup(group())).await.unwrap();
        assert_eq!(other.describe(group()).await.unwrap_err().kind, FaultKind::UnknownGroup);
        assert_eq!(listed(&other).await.len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_vserver_can_be_used_at_once_and_by_who_knows_nothing_of_it() {
    let stage = Stage::towards_aliyun(Script::smooth());
    let id = made(stage.ask(create(ULB, Some(8080), Vec::new())).await.unwrap());
    let group = || vserver(id.group.as_str());
    assert!(id.group.as_str().starts_with("vserver-"), "{id:?}");
    let members = added(stage.ask(add(group(), vec![backend(uhost(1), 80, 20)])).await.unwrap());
    let backend_id = members[0].id.clone().unwrap();
    stage.ask(weighed(&backend_id, 44)).await.unwrap();
    let seen = stage.describe(group()).await.unwrap();
    assert_eq!((ids(&seen), &seen.id.group), (vec![backend_id.clone()], &id.group));
    assert_eq!(seen.listeners, [Listener { protocol: Protocol::Tcp, port: port(8080) }]);

    let other = stage.restarted();
    let seen = other.describe(group()).await.unwrap();
    assert_eq!((ids(&seen), &seen.id.group), (vec![backend_id.clone()], &id.group));
    other.ask(weighed(&backend_id, 55)).await.unwrap();
    other.ask(release(&backend_id, ulb())).await.unwrap();
    other.ask(Operation::DeleteGroup(group())).await.unwrap();
    assert_eq!(other.wire.balancer.groups().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_id_of_a_backend_means_the_same_to_who_never_gave_it() {
    let (stage, id) = one_backend(Script::smooth()).await;
    let other = stage.restarted();
    assert_eq!(ids(&other.describe(vserver(VSERVER)).await.unwrap()), std::slice::from_ref(&id));
    other.ask(weighed(&id, 99)).await.unwrap();
    other.ask(moved(&id, 81)).await.unwrap();
    assert_eq!(other.held(RSP), ["i-bp1example00000001:81 w99"]);
    other.ask(release(&id, ulb())).await.unwrap();
    assert_eq!(other.held(RSP), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn an_id_that_was_released_does_not_mean_who_came_after() {
    // The second takes the first one's port, after the first has moved on, and then the first is released twice.
    let (stage, first) = one_backend(Script::smooth()).await;
    stage.ask(moved(&first, 81)).await.unwrap();
    let second = added(stage.ask(add(vserver(VSERVER), vec![backend(uhost(1), 80, 40)])).await.unwrap());
    let second = second[0].id.clone().unwrap();
    assert_ne!(first, second);
    stage.ask(release(&first, ulb())).await.unwrap();
    assert_eq!(stage.ask(weighed(&first, 7)).await.unwrap_err().kind, FaultKind::UnknownBackend);
    let fault = stage.ask(release(&first, ulb())).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::UnknownBackend, "not said to be gone: its server and port are there");
    assert_eq!(stage.held(RSP), ["i-bp1example00000001:80 w40"]);
    assert_eq!(ids(&stage.describe(vserver(VSERVER)).await.unwrap()), [second]);
}

#[tokio::test(start_paused = true)]
async fn an_identical_add_gets_the_record_until_the_backend_is_released() {
    let stage = Stage::towards_aliyun(Script::smooth());
    let again = || stage.ask_again(add(vserver(VSERVER), vec![backend(uhost(1), 80, 30)]), [7; 32]);
    let adds = || stage.writes().iter().filter(|name| **name == OperationName::AddBackends).count();
    let first = added(again().await.unwrap());
    assert_eq!(added(again().await.unwrap()), first);
    assert_eq!(adds(), 1);
    let id = first[0].id.clone().unwrap();
    stage.ask(release(&id, ulb())).await.unwrap();
    assert_eq!(added(again().await.unwrap()), first, "the same backend has the same id");
    assert_eq!(adds(), 2);
    assert_eq!(stage.held(RSP), ["i-bp1example00000001:80 w30"]);
}

#[tokio::test(start_paused = true)]
async fn an_identical_creation_gets_the_record_until_the_group_is_deleted() {
    let stage = Stage::towards_aliyun(Script::smooth());
    let again = || stage.ask_again(create(ULB, Some(8080), Vec::new()), [7; 32]);
    let first = made(again().await.unwrap());
    assert_eq!(made(again().await.unwrap()), first);
    assert_eq!(stage.wire.balancer.groups().len(), 3);
    stage.ask(Operation::DeleteGroup(first.clone())).await.unwrap();
    let second = made(again().await.unwrap());
    assert_ne!(first, second);
    assert_eq!(stage.describe(second).await.unwrap().name.as_deref(), Some("blue"));
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
async fn a_busy_target_is_asked_again_whatever_it_was_asked_for() {
    let busy = Stumble::Refuse(FaultKind::Throttled, "");
    let names = [OperationName::UpdateBackends, OperationName::RemoveBackends, OperationName::UpdateGroup];
    let (stage, _, _) = filled(Script::of(&names.map(|name| (name, 1, busy.clone()))), 2).await;
    stage.ask(set(Some("blue"), vec![item(1, 66)])).await.unwrap();
    stage.ask(remove([2])).await.unwrap();
    assert_eq!(stage.held(VSERVER), ["uhost-demo01:80 w66"]);
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
