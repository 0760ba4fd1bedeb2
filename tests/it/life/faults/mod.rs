//! Operations of several calls when one of them fails, or its answer is lost: all of it is done, or nothing is, and the
//! caller is told which.

mod groups;
mod ids;
mod members;

use std::time::Duration;

use tokio::time::sleep;
use weighbridge::{
    model::{
        Backend, BackendId, BackendRef, Change, CreateGroup, Fault, FaultKind, Group, GroupRef, ListGroups,
        Listener, Member, Operation, OperationName, Outcome, Page, Protocol, RemoveBackends, ReplaceBackends,
        Scope, UpdateBackends, UpdateGroup,
    },
    simulator::{Script, Stumble},
};

use super::stage::{
    LB, RSP, Stage, VSERVER, add, added, at, backend, balancer, ecs, port, rsp, uhost, ulb, vserver, weight,
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

async fn listed(stage: &Stage) -> Vec<Group> {
    let page = Page { offset: 0, limit: usize::MAX };
    let list = ListGroups { load_balancer: balancer(LB), page, listeners: false, members: false };
    let told = stage.ask(Operation::ListGroups(list)).await.unwrap();
    let Outcome::Groups(groups, _) = told else { panic!("{told:?} is no list") };
    groups
}
