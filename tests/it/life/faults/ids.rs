//! What a name or an id means after a while, to another process, and in a request that comes again.

use std::time::Duration;

use tokio::time::sleep;
use weighbridge::{
    model::{
        BackendRef, Change, FaultKind, GroupRef, Listener, Operation, OperationName, Protocol, Scope,
        UpdateBackends,
    },
    simulator::Script,
};

use super::{create, ids, item, listed, made, moved, one_backend, release, set, weighed};
use crate::life::stage::{
    LB, RSP, Stage, ULB, VSERVER, add, added, backend, ecs, port, rsp, uhost, ulb, vserver, weight,
};

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
