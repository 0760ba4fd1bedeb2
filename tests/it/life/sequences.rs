//! Sequences that went wrong once, as short as they get.

use std::time::Duration;

use tokio::time::sleep;
use weighbridge::{
    model::{
        Backend, BackendId, BackendRef, Change, FaultKind, Group, GroupRef, Member, Operation, Outcome,
        RemoveBackends, ReplaceBackends, UpdateBackends, UpdateGroup,
    },
    simulator::Script,
};

use super::stage::{
    RSP, Stage, VSERVER, add, added, at, backend, ecs, port, rsp, shown, uhost, ulb, vserver, weight,
};

const LAG: Duration = Duration::from_secs(2);

fn remove(number: usize) -> Operation {
    let backends = vec![at(ecs(number), 80)];
    Operation::RemoveBackends(RemoveBackends { scope: rsp(RSP).into(), backends })
}

fn named(name: &str) -> Operation {
    let (name, options) = (Some(name.to_owned()), Vec::new());
    Operation::UpdateGroup(UpdateGroup { group: rsp(RSP), name, options, changes: Vec::new() })
}

fn weighed(number: usize, weight_there: u32) -> Operation {
    let (weight, enabled) = (weight(weight_there), Some(weight_there > 0));
    let changes = vec![Change { weight, enabled, ..Change::of(at(ecs(number), 80)) }];
    Operation::UpdateGroup(UpdateGroup { group: rsp(RSP), name: None, options: Vec::new(), changes })
}

fn release(id: &BackendId) -> Operation {
    let backends = vec![BackendRef::Id(id.clone())];
    Operation::RemoveBackends(RemoveBackends { scope: ulb(), backends })
}

fn moves(moves: &[(&BackendId, u32)]) -> Operation {
    let change = |(id, number): &(&BackendId, u32)| Change {
        port: Some(port(*number)),
        ..Change::of(BackendRef::Id((*id).clone()))
    };
    let changes = moves.iter().map(change).collect();
    Operation::UpdateBackends(UpdateBackends { scope: ulb(), changes })
}

async fn allocate(stage: &Stage, number: usize, at: u32) -> BackendId {
    let members =
        added(stage.ask(add(vserver(VSERVER), vec![backend(uhost(number), at, 30)])).await.unwrap());
    members[0].id.clone().unwrap()
}

fn lines(group: &Group) -> Vec<String> {
    group.members.iter().map(|member| shown(&member.backend)).collect()
}

fn by_id(group: &Group) -> Vec<(BackendId, u16)> {
    let own = |member: &Member| Some((member.id.clone()?, member.backend.port.get()));
    group.members.iter().filter_map(own).collect()
}

fn refusals(outcome: Outcome) -> Vec<Option<FaultKind>> {
    let Outcome::Updated(told) = outcome else { panic!("{outcome:?} is no update") };
    told.into_iter().map(|updated| updated.refusal.map(|refusal| refusal.kind)).collect()
}

/// Looks again and again until everything shows, however late.
async fn always(stage: &Stage, group: GroupRef, wanted: &[&str]) {
    for look in 0..40 {
        let now = stage.describe(group.clone()).await.unwrap();
        assert_eq!(lines(&now), wanted, "at look {look}");
        sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_weight_that_is_what_it_was_before_last_stays() {
    let stage = Stage::towards_ucloud(Script::smooth().lagging(LAG));
    stage.ask(add(rsp(RSP), vec![backend(ecs(1), 80, 50)])).await.unwrap();
    sleep(LAG * 10).await;
    stage.ask(weighed(1, 60)).await.unwrap();
    stage.ask(weighed(1, 50)).await.unwrap();
    always(&stage, rsp(RSP), &["i-bp1example00000001:80 w50"]).await;
}

#[tokio::test(start_paused = true)]
async fn who_came_and_went_does_not_come_back() {
    let stage = Stage::towards_ucloud(Script::smooth().lagging(LAG));
    stage.ask(add(rsp(RSP), vec![backend(ecs(1), 80, 50)])).await.unwrap();
    stage.ask(remove(1)).await.unwrap();
    always(&stage, rsp(RSP), &[]).await;
}

#[tokio::test(start_paused = true)]
async fn who_went_and_came_back_is_there_once() {
    let stage = Stage::towards_ucloud(Script::smooth().lagging(LAG));
    for _ in 0..2 {
        stage.ask(add(rsp(RSP), vec![backend(ecs(1), 80, 50)])).await.unwrap();
        stage.ask(remove(1)).await.unwrap();
    }
    stage.ask(add(rsp(RSP), vec![backend(ecs(1), 80, 50)])).await.unwrap();
    always(&stage, rsp(RSP), &["i-bp1example00000001:80 w50"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_what_it_was_before_last_stays() {
    let stage = Stage::towards_ucloud(Script::smooth().lagging(LAG));
    for name in ["blue", "green", "blue"] {
        stage.ask(named(name)).await.unwrap();
        sleep(Duration::from_millis(500)).await;
    }
    for look in 0..40 {
        let now = stage.describe(rsp(RSP)).await.unwrap();
        assert_eq!(now.name.as_deref(), Some("blue"), "at look {look}");
        sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_refused_add_took_back_is_not_shown() {
    let stage = Stage::towards_ucloud(Script::smooth().lagging(LAG));
    stage.ask(add(rsp(RSP), vec![backend(ecs(2), 80, 50)])).await.unwrap();
    let both = vec![backend(ecs(1), 80, 50), backend(ecs(2), 80, 60)];
    assert_eq!(stage.ask(add(rsp(RSP), both)).await.unwrap_err().kind, FaultKind::AlreadyPresent);
    always(&stage, rsp(RSP), &["i-bp1example00000002:80 w50"]).await;
}

#[tokio::test(start_paused = true)]
async fn an_add_of_what_is_there_is_held_against_what_was_written_last() {
    let stage = Stage::towards_ucloud(Script::smooth().lagging(LAG));
    stage.ask(add(rsp(RSP), vec![backend(ecs(1), 80, 100)])).await.unwrap();
    sleep(LAG * 10).await;
    stage.ask(weighed(1, 50)).await.unwrap();
    let again = |weight| stage.ask(add(rsp(RSP), vec![backend(ecs(1), 80, weight)]));
    assert_eq!(again(100).await.map(drop).unwrap_err().kind, FaultKind::AlreadyPresent);
    again(50).await.unwrap();
    assert_eq!(stage.held(VSERVER), ["uhost-demo01:80 w50"]);
}

#[tokio::test(start_paused = true)]
async fn who_stays_in_a_swap_does_not_move_too() {
    let stage = Stage::towards_ucloud(Script::smooth());
    stage.ask(add(rsp(RSP), vec![backend(ecs(1), 80, 50)])).await.unwrap();
    let new: Vec<Backend> = vec![backend(ecs(1), 81, 20), backend(ecs(1), 80, 10)];
    let swap = ReplaceBackends { group: rsp(RSP), old: vec![at(ecs(1), 80)], new };
    stage.ask(Operation::ReplaceBackends(swap)).await.unwrap();
    assert_eq!(stage.unspeakable(), [""; 0]);
    let mut now = lines(&stage.describe(rsp(RSP)).await.unwrap());
    now.sort();
    assert_eq!(now, ["i-bp1example00000001:80 w10", "i-bp1example00000001:81 w20"]);
}

#[tokio::test(start_paused = true)]
async fn of_two_that_want_one_port_the_second_is_refused() {
    let stage = Stage::towards_aliyun(Script::smooth());
    let (first, second) = (allocate(&stage, 1, 80).await, allocate(&stage, 1, 81).await);
    let told = refusals(stage.ask(moves(&[(&first, 82), (&second, 82)])).await.unwrap());
    assert_eq!(told, [None, Some(FaultKind::AlreadyPresent)]);
    assert_eq!(stage.unspeakable(), [""; 0]);
    let now = stage.describe(vserver(VSERVER)).await.unwrap();
    assert_eq!(by_id(&now), [(first, 82), (second, 81)]);
}

#[tokio::test(start_paused = true)]
async fn a_port_that_one_leaves_the_next_may_take() {
    let stage = Stage::towards_aliyun(Script::smooth());
    let (first, second) = (allocate(&stage, 1, 80).await, allocate(&stage, 1, 81).await);
    let told = refusals(stage.ask(moves(&[(&first, 82), (&second, 80)])).await.unwrap());
    assert_eq!(told, [None, None]);
    let now = stage.describe(vserver(VSERVER)).await.unwrap();
    assert_eq!(by_id(&now), [(first, 82), (second, 80)]);
}

#[tokio::test(start_paused = true)]
async fn a_second_id_that_was_released_does_not_mean_the_first() {
    let stage = Stage::towards_aliyun(Script::smooth());
    let first = allocate(&stage, 1, 80).await;
    stage.ask(moves(&[(&first, 81)])).await.unwrap();
    let second = allocate(&stage, 1, 80).await;
    stage.ask(release(&second)).await.unwrap();
    stage.ask(moves(&[(&first, 80)])).await.unwrap();
    assert_eq!(stage.ask(release(&second)).await.unwrap_err().kind, FaultKind::UnknownBackend);
    let now = stage.describe(vserver(VSERVER)).await.unwrap();
    assert_eq!(by_id(&now), [(first, 80)]);
}

#[tokio::test(start_paused = true)]
async fn who_moved_to_the_port_of_a_released_one_is_not_it() {
    let stage = Stage::towards_aliyun(Script::smooth());
    let (first, second) = (allocate(&stage, 1, 80).await, allocate(&stage, 1, 81).await);
    stage.ask(release(&second)).await.unwrap();
    stage.ask(moves(&[(&first, 81)])).await.unwrap();
    assert_eq!(stage.ask(moves(&[(&second, 82)])).await.unwrap_err().kind, FaultKind::UnknownBackend);
    assert_eq!(stage.ask(release(&second)).await.unwrap_err().kind, FaultKind::UnknownBackend);
    let now = stage.describe(vserver(VSERVER)).await.unwrap();
    assert_eq!(by_id(&now), [(first, 81)]);
}

#[tokio::test(start_paused = true)]
async fn a_released_backend_is_gone_at_once_where_it_shows_late() {
    let stage = Stage::towards_late_aliyun(Script::smooth().lagging(LAG));
    let id = allocate(&stage, 1, 80).await;
    sleep(LAG * 10).await;
    stage.ask(release(&id)).await.unwrap();
    always(&stage, vserver(VSERVER), &[]).await;
}

#[tokio::test(start_paused = true)]
async fn a_batch_goes_on_past_a_backend_whose_group_is_gone() {
    use weighbridge::model::{CreateGroup, Listener, Protocol};
    let stage = Stage::towards_aliyun(Script::smooth());
    let create = CreateGroup {
        load_balancer: super::stage::balancer(super::stage::ULB),
        name: Some("blue".to_owned()),
        listener: Some(Listener { protocol: Protocol::Tcp, port: port(8080) }),
        options: Vec::new(),
        backends: Vec::new(),
    };
    let Outcome::Created(group) = stage.ask(Operation::CreateGroup(create)).await.unwrap() else { panic!() };
    let members = added(stage.ask(add(group.id.clone(), vec![backend(uhost(2), 80, 1)])).await.unwrap());
    let gone = members[0].id.clone().unwrap();
    stage.ask(Operation::DeleteGroup(group.id)).await.unwrap();
    let there = allocate(&stage, 1, 80).await;
    for changes in [[(&gone, 81), (&there, 81)], [(&there, 82), (&gone, 82)]] {
        let told = refusals(stage.ask(moves(&changes)).await.unwrap());
        let wanted = changes.map(|(id, _)| (*id == gone).then_some(FaultKind::UnknownBackend));
        assert_eq!(told, wanted);
    }
    let now = stage.describe(vserver(VSERVER)).await.unwrap();
    assert_eq!(by_id(&now), [(there, 82)]);
}
