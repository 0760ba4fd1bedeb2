//! What the simulated clouds do, asked past their front. Time is virtual, so nothing here waits.

use super::*;
use crate::{
    mapping::{NamesBackends, Sources, Tables},
    model::{
        AddBackends, Backend, BackendRef, Change, CreateGroup, DescribeHealth, Detail, GroupId, Health, Kind,
        ListGroups, ListLoadBalancers, Listener, LoadBalancerFilter, LoadBalancerId, LoadBalancerRef,
        OperationName, Page, Place, Port, Protocol, RegionId, RemoveBackends, ReplaceBackends, ResourceId,
        Scope, Target, Traffic, UpdateBackends, UpdateGroup, Updated, Weight,
    },
};

const LAG: Duration = Duration::from_secs(5);
const FIRST: &str = "group-1";

/// The two sorts of cloud: in one a group is a listener and backends have ids, in the other neither is so.
fn cloud(is_listener: bool) -> Arc<Cloud> {
    let tables = Tables::compile(&Sources::embedded()).unwrap();
    let cloud = tables.clouds().iter().find(|cloud| cloud.group.is_listener() == is_listener).unwrap();
    assert_eq!(cloud.capability.names_backends == NamesBackends::Id, is_listener);
    Arc::clone(cloud)
}

/// One load balancer with two groups, another with one, and three servers.
fn balancer(is_listener: bool, script: Script) -> LoadBalancer {
    let groups =
        vec![group(FIRST), group("group-2"), GroupRef { load_balancer: id("lb-2"), ..group("group-3") }];
    let servers = (1..=3).map(|at| target(&format!("server-{at}"))).collect();
    LoadBalancer::new(cloud(is_listener), groups, servers, script, Duration::from_millis(1))
}

fn id(id: &str) -> Option<LoadBalancerId> {
    LoadBalancerId::new(id)
}

fn place() -> Place {
    Place { region: RegionId::new("region-1"), project: None }
}

fn group(id: &str) -> GroupRef {
    GroupRef { load_balancer: LoadBalancerId::new("lb-1"), group: GroupId::new(id).unwrap(), place: place() }
}

fn first_balancer() -> LoadBalancerRef {
    LoadBalancerRef { id: id("lb-1").unwrap(), place: place() }
}

fn target(id: &str) -> Target {
    Target::Resource { kind: Kind::Instance, id: ResourceId::new(id).unwrap(), address: None }
}

fn port(number: u32) -> Port {
    Port::new(number).unwrap()
}

fn backend(server: u32, number: u32) -> Backend {
    Backend {
        target: target(&format!("server-{server}")),
        port: port(number),
        traffic: Traffic::On(Weight::new(50).unwrap()),
        standby: false,
        description: None,
    }
}

fn at(server: u32, number: u32) -> BackendRef {
    BackendRef::At { target: target(&format!("server-{server}")), port: port(number) }
}

fn scope() -> Scope {
    Scope::from(group(FIRST))
}

fn add(backends: Vec<Backend>) -> Operation {
    Operation::AddBackends(AddBackends { group: group(FIRST), backends })
}

fn list(page: Page) -> Operation {
    let load_balancer = first_balancer();
    Operation::ListGroups(ListGroups { load_balancer, page, listeners: true, members: true })
}

fn create(listener: Option<Listener>, backends: Vec<Backend>) -> Operation {
    let (load_balancer, options) = (first_balancer(), Vec::new());
    Operation::CreateGroup(CreateGroup { load_balancer, name: None, listener, options, backends })
}

fn update(changes: Vec<Change>) -> Operation {
    Operation::UpdateBackends(UpdateBackends { scope: scope(), changes })
}

/// Adds and gives how the members are named.
async fn put(cloud: &LoadBalancer, backends: Vec<Backend>) -> Vec<BackendRef> {
    let Ok(Outcome::Added(members)) = cloud.carry_out(add(backends)).await else { panic!("not added") };
    let named = |member: Member| match member.id {
        Some(id) => BackendRef::Id(id),
        None => BackendRef::At { target: member.backend.target, port: member.backend.port },
    };
    members.into_iter().map(named).collect()
}

/// The ids of the groups that reads see.
async fn shown(cloud: &LoadBalancer) -> Vec<String> {
    let Ok(Outcome::Groups(groups, _)) = cloud.carry_out(list(Page::FIRST)).await else { panic!("no list") };
    groups.into_iter().map(|group| group.id.group.to_string()).collect()
}

async fn look(cloud: &LoadBalancer) -> Group {
    let look = Operation::DescribeGroup(group(FIRST));
    let Ok(Outcome::Group(group)) = cloud.carry_out(look).await else { panic!("no group") };
    group
}

/// What a group holds, in its order.
fn held(cloud: &LoadBalancer) -> Vec<String> {
    cloud.members(FIRST).iter().map(|member| member.backend.to_string()).collect()
}

async fn refused(cloud: &LoadBalancer, operation: Operation) -> FaultKind {
    cloud.carry_out(operation).await.unwrap_err().kind
}

#[tokio::test(start_paused = true)]
async fn changes_of_every_kind_show_to_reads_only_after_the_lag() {
    let cloud = balancer(true, Script::smooth().lagging(LAG));
    let named = put(&cloud, vec![backend(1, 80)]).await;
    assert_eq!((look(&cloud).await.count, cloud.members(FIRST).len()), (0, 1));
    sleep(LAG).await;
    assert_eq!(look(&cloud).await.members.len(), 1);

    let lighter = Change { weight: Weight::new(7), ..Change::of(named[0].clone()) };
    cloud.carry_out(update(vec![lighter])).await.unwrap();
    let name = Some("another".to_owned());
    let rename = UpdateGroup { group: group(FIRST), name, options: Vec::new(), changes: Vec::new() };
    cloud.carry_out(Operation::UpdateGroup(rename)).await.unwrap();
    let seen = look(&cloud).await;
    assert_eq!(seen.members[0].backend, backend(1, 80));
    assert_ne!(seen.name.as_deref(), Some("another"));
    sleep(LAG).await;
    let seen = look(&cloud).await;
    assert_eq!(seen.members[0].backend.traffic, Traffic::On(Weight::new(7).unwrap()));
    assert_eq!(seen.name.as_deref(), Some("another"));

    let remove = RemoveBackends { scope: scope(), backends: named };
    cloud.carry_out(Operation::RemoveBackends(remove)).await.unwrap();
    assert_eq!((look(&cloud).await.count, cloud.members(FIRST).len()), (1, 0));
    sleep(LAG).await;
    assert_eq!(look(&cloud).await.count, 0);
}

#[tokio::test(start_paused = true)]
async fn a_group_that_is_made_shows_late_and_one_that_is_unmade_stays_for_a_while() {
    let cloud = balancer(true, Script::smooth().lagging(LAG));
    let listener = Listener { protocol: Protocol::Tcp, port: port(20000) };
    cloud.carry_out(create(Some(listener), Vec::new())).await.unwrap();
    cloud.carry_out(Operation::DeleteGroup(group("group-2"))).await.unwrap();
    assert_eq!(shown(&cloud).await, [FIRST, "group-2"]);
    assert_eq!(refused(&cloud, Operation::DeleteGroup(group("group-2"))).await, FaultKind::UnknownGroup);
    sleep(LAG).await;
    assert_eq!(shown(&cloud).await, [FIRST, "group-sim00001"]);
}

#[tokio::test(start_paused = true)]
async fn a_group_that_lived_less_than_the_lag_shows_late_and_goes_late() {
    let cloud = balancer(true, Script::smooth().lagging(LAG));
    let listener = Listener { protocol: Protocol::Tcp, port: port(20000) };
    cloud.carry_out(create(Some(listener), Vec::new())).await.unwrap();
    sleep(LAG / 2).await;
    cloud.carry_out(Operation::DeleteGroup(group("group-sim00001"))).await.unwrap();
    sleep(LAG / 2).await;
    assert_eq!(shown(&cloud).await.len(), 3);
    sleep(LAG / 2).await;
    assert_eq!(shown(&cloud).await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_group_that_is_a_listener_takes_a_port_until_it_is_unmade() {
    let cloud = balancer(true, Script::smooth());
    let ports: Vec<Listener> = cloud.groups().into_iter().flat_map(|group| group.listeners).collect();
    let http = |number| Listener { protocol: Protocol::Http, port: port(number) };
    assert_eq!(ports, [http(80), http(81), http(80)], "each load balancer has ports of its own");

    let listener = Listener { protocol: Protocol::Tcp, port: port(81) };
    let wanted = || create(Some(listener.clone()), vec![backend(1, 80)]);
    assert_eq!(refused(&cloud, wanted()).await, FaultKind::PortTaken);
    cloud.carry_out(Operation::DeleteGroup(group("group-2"))).await.unwrap();
    let Ok(Outcome::Created(made)) = cloud.carry_out(wanted()).await else { panic!("not made") };
    assert_eq!((made.count, made.listeners), (1, vec![listener]));
    assert_eq!(made.members[0].health, Health::Healthy);
}

#[tokio::test(start_paused = true)]
async fn a_group_is_made_with_all_that_it_is_to_hold_or_not_at_all() {
    let cloud = balancer(false, Script::smooth());
    let stranger = create(None, vec![backend(1, 80), backend(9, 80)]);
    assert_eq!(refused(&cloud, stranger).await, FaultKind::UnknownServer);
    assert_eq!(cloud.groups().len(), 3);

    let Operation::CreateGroup(made) = create(None, vec![backend(1, 80)]) else { panic!("not that") };
    let load_balancer = LoadBalancerRef { id: id("lb-9").unwrap(), place: place() };
    let elsewhere = Operation::CreateGroup(CreateGroup { load_balancer, ..made.clone() });
    assert_eq!(refused(&cloud, elsewhere).await, FaultKind::UnknownLoadBalancer);

    let Ok(Outcome::Created(made)) = cloud.carry_out(Operation::CreateGroup(made)).await else { panic!() };
    assert_eq!((made.listeners, made.members[0].health), (Vec::new(), Health::Unknown));
    cloud.carry_out(Operation::DeleteGroup(made.id)).await.unwrap();
    let bound = Operation::DeleteGroup(group(FIRST));
    assert_eq!(refused(&cloud, bound).await, FaultKind::GroupInUse);
}

#[tokio::test(start_paused = true)]
async fn of_several_changes_by_id_those_that_can_be_made_are_made() {
    let cloud = balancer(true, Script::smooth());
    let named = put(&cloud, vec![backend(1, 80)]).await;
    put(&cloud, vec![backend(1, 81)]).await;
    let stranger = BackendRef::Id(crate::model::BackendId::new("backend-x").unwrap());
    let off = Change { enabled: Some(false), ..Change::of(named[0].clone()) };
    let missing = Change { enabled: Some(false), ..Change::of(stranger) };
    let clash = Change { port: Some(port(81)), ..Change::of(named[0].clone()) };

    let all = update(vec![missing.clone(), off.clone(), clash.clone()]);
    let Ok(Outcome::Updated(updated)) = cloud.carry_out(all).await else { panic!("not updated") };
    let refusals: Vec<Option<FaultKind>> = updated
        .into_iter()
        .map(|Updated { refusal, backend: _ }| refusal.map(|refusal| refusal.kind))
        .collect();
    assert_eq!(refusals, [Some(FaultKind::UnknownBackend), None, Some(FaultKind::AlreadyPresent)]);
    let kept = Traffic::Off(Weight::new(50));
    assert_eq!(cloud.members(FIRST)[0].backend, Backend { traffic: kept, ..backend(1, 80) });

    assert_eq!(refused(&cloud, update(vec![missing])).await, FaultKind::UnknownBackend);
    assert_eq!(refused(&cloud, update(vec![clash])).await, FaultKind::AlreadyPresent);
}

#[tokio::test(start_paused = true)]
async fn changes_by_address_are_all_made_or_none() {
    let cloud = balancer(false, Script::smooth());
    put(&cloud, vec![backend(1, 80)]).await;
    let off = Change { enabled: Some(false), ..Change::of(at(1, 80)) };
    let both = update(vec![off.clone(), Change::of(at(2, 80))]);
    assert_eq!(refused(&cloud, both).await, FaultKind::UnknownBackend);
    assert_eq!(cloud.members(FIRST)[0].backend, backend(1, 80));
    cloud.carry_out(update(vec![off])).await.unwrap();
    assert_eq!(cloud.members(FIRST)[0].backend.traffic, Traffic::Off(None), "weight 0 forgets the weight");
}

#[tokio::test(start_paused = true)]
async fn an_update_of_a_group_answers_the_members_that_it_named() {
    let cloud = balancer(false, Script::smooth());
    put(&cloud, vec![backend(1, 80), backend(2, 80)]).await;
    let asked = |changes| {
        let (name, options) = (Some("another".to_owned()), Vec::new());
        Operation::UpdateGroup(UpdateGroup { group: group(FIRST), name, options, changes })
    };
    for (changes, told) in [(Vec::new(), 2), (vec![Change::of(at(2, 80))], 1)] {
        let Ok(Outcome::GroupUpdated(group)) = cloud.carry_out(asked(changes)).await else { panic!() };
        assert_eq!((group.members.len(), group.count, group.name.as_deref()), (told, 2, Some("another")));
    }
    assert_eq!(refused(&cloud, asked(vec![Change::of(at(3, 80))])).await, FaultKind::UnknownBackend);
}

#[tokio::test(start_paused = true)]
async fn what_comes_takes_the_places_of_what_goes() {
    let cases = [
        (
            vec![at(2, 80)],
            vec![backend(2, 81)],
            ["server-1 port 80", "server-2 port 81", "server-3 port 80"].to_vec(),
        ),
        (vec![at(1, 80), at(2, 80)], vec![backend(1, 81)], vec!["server-1 port 81", "server-3 port 80"]),
        (
            vec![at(1, 80), at(1, 99)],
            vec![backend(1, 81), backend(1, 82)],
            vec!["server-1 port 81", "server-2 port 80", "server-3 port 80", "server-1 port 82"],
        ),
        (
            vec![at(3, 80)],
            vec![backend(3, 80)],
            vec!["server-1 port 80", "server-2 port 80", "server-3 port 80"],
        ),
    ];
    for (old, new, wanted) in cases {
        let cloud = balancer(false, Script::smooth());
        put(&cloud, (1..=3).map(|server| backend(server, 80)).collect()).await;
        let replace = ReplaceBackends { group: group(FIRST), old, new: new.clone() };
        let Ok(Outcome::Replaced(came)) = cloud.carry_out(Operation::ReplaceBackends(replace)).await else {
            panic!("not replaced")
        };
        assert_eq!(came.into_iter().map(|member| member.backend).collect::<Vec<_>>(), new);
        assert_eq!(held(&cloud), wanted);
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_goes_for_a_server_that_nobody_knows() {
    let cloud = balancer(false, Script::smooth());
    put(&cloud, vec![backend(1, 80)]).await;
    let replace = ReplaceBackends { group: group(FIRST), old: vec![at(1, 80)], new: vec![backend(9, 80)] };
    assert_eq!(refused(&cloud, Operation::ReplaceBackends(replace)).await, FaultKind::UnknownServer);
    assert_eq!(held(&cloud), ["server-1 port 80"]);
}

#[tokio::test(start_paused = true)]
async fn a_removal_tells_what_went() {
    let cloud = balancer(true, Script::smooth());
    let named = put(&cloud, vec![backend(1, 80)]).await;
    let scope = Scope { group: None, ..scope() };
    let remove = Operation::RemoveBackends(RemoveBackends { scope, backends: named });
    let Ok(Outcome::Removed(gone)) = cloud.carry_out(remove.clone()).await else { panic!("not removed") };
    assert_eq!(gone[0].backend, backend(1, 80));
    assert_eq!(refused(&cloud, remove).await, FaultKind::UnknownBackend);
}

#[tokio::test(start_paused = true)]
async fn lists_come_in_parts_with_the_whole_number() {
    let cloud = balancer(false, Script::smooth());
    for (offset, limit, wanted) in [(0, 1, vec![FIRST]), (1, 5, vec!["group-2"]), (2, 5, vec![])] {
        let page = Page { offset, limit };
        let Ok(Outcome::Groups(groups, total)) = cloud.carry_out(list(page)).await else { panic!("no list") };
        let ids: Vec<&str> = groups.iter().map(|group| group.id.group.as_str()).collect();
        assert_eq!((ids, total), (wanted, 2));
    }
    let balancers = |detail, filter| {
        let page = Page { offset: 0, limit: 1 };
        Operation::ListLoadBalancers(ListLoadBalancers { place: place(), filter, page, detail })
    };
    let cases = [
        (Detail::Summary, LoadBalancerFilter::default(), (2, "lb-1", 0, 0, 0)),
        (Detail::GroupCount, LoadBalancerFilter::default(), (2, "lb-1", 2, 0, 0)),
        (
            Detail::Groups,
            LoadBalancerFilter { address: Some("203.0.113.2".to_owned()), ..LoadBalancerFilter::default() },
            (1, "lb-2", 1, 1, 1),
        ),
    ];
    for (detail, filter, wanted) in cases {
        let asked = cloud.carry_out(balancers(detail, filter)).await;
        let Ok(Outcome::LoadBalancers(part, total)) = asked else { panic!("no list") };
        let [only] = part.as_slice() else { panic!("{part:?}") };
        let (groups, listeners) = (only.groups.len(), only.listeners.len());
        assert_eq!((total, only.id.as_str(), only.group_count, groups, listeners), wanted);
    }
}

#[tokio::test(start_paused = true)]
async fn a_load_balancer_tells_its_listeners_and_its_place() {
    let cloud = balancer(true, Script::smooth());
    let asked = cloud.carry_out(Operation::DescribeLoadBalancer(first_balancer())).await;
    let Ok(Outcome::LoadBalancer(one)) = asked else { panic!("no load balancer") };
    assert_eq!((one.listeners.len(), one.place), (2, place()));
    let absent = LoadBalancerRef { id: id("lb-9").unwrap(), place: place() };
    assert_eq!(
        refused(&cloud, Operation::DescribeLoadBalancer(absent)).await,
        FaultKind::UnknownLoadBalancer
    );
    let regions = cloud.carry_out(Operation::ListRegions).await.unwrap();
    assert_eq!(regions, Outcome::Regions(vec![RegionId::new("region-1").unwrap()]));
    assert_eq!(cloud.carry_out(Operation::ListProjects).await.unwrap(), Outcome::Projects(Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn health_is_told_of_what_is_behind_a_listener() {
    let cloud = balancer(false, Script::smooth());
    put(&cloud, vec![backend(1, 8080), backend(2, 8080)]).await;
    cloud.carry_out(create(None, vec![backend(3, 8080)])).await.unwrap();
    cloud.ail("server-2");
    let asked = |port, protocol| {
        Operation::DescribeHealth(DescribeHealth { load_balancer: first_balancer(), port, protocol })
    };
    for (wanted, port, protocol) in [
        (2, None, None),
        (2, Some(port(80)), Some(Protocol::Tcp)),
        (0, Some(port(81)), None),
        (0, None, Some(Protocol::Udp)),
    ] {
        let Ok(Outcome::Health(checked)) = cloud.carry_out(asked(port, protocol)).await else { panic!() };
        let health: Vec<Health> = checked.iter().map(|checked| checked.health).collect();
        assert_eq!(health, [Health::Healthy, Health::Unhealthy][..wanted]);
    }
    let health: Vec<Health> = cloud.members(FIRST).iter().map(|member| member.health).collect();
    assert_eq!(health, [Health::Healthy, Health::Unhealthy]);
    assert_eq!(cloud.members("group-sim00001")[0].health, Health::Unknown);
}

#[tokio::test(start_paused = true)]
async fn the_nth_call_of_any_operation_stumbles() {
    let no = || Stumble::Refuse(FaultKind::TargetRefused, "no");
    let script = [(OperationName::DescribeGroup, 2, no()), (OperationName::UpdateBackends, 1, no())];
    let cloud = balancer(false, Script::of(&script));
    look(&cloud).await;
    assert_eq!(refused(&cloud, update(Vec::new())).await, FaultKind::TargetRefused);
    assert_eq!(refused(&cloud, Operation::DescribeGroup(group(FIRST))).await, FaultKind::TargetRefused);
    look(&cloud).await;
    cloud.carry_out(update(Vec::new())).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_group_takes_one_change_at_a_time_where_the_cloud_says_so() {
    for (is_listener, wanted) in [(false, Some(FaultKind::Busy)), (true, None)] {
        let cloud = balancer(is_listener, Script::smooth());
        let name = Some("another".to_owned());
        let rename = UpdateGroup { group: group(FIRST), name, options: Vec::new(), changes: Vec::new() };
        let (one, two) = tokio::join!(
            cloud.carry_out(add(vec![backend(1, 80)])),
            cloud.carry_out(Operation::UpdateGroup(rename))
        );
        one.unwrap();
        assert_eq!(two.err().map(|fault| fault.kind), wanted);
        cloud.carry_out(add(vec![backend(2, 80)])).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_gate_stops_a_change_before_or_after_it_is_made() {
    for (side, opens, count) in [(Side::Before, true, 1), (Side::Before, false, 0), (Side::After, false, 1)] {
        let cloud = Arc::new(balancer(true, Script::smooth()));
        let gate = Arc::new(Gate::new(move |number, _| (number == 1).then_some(side)));
        cloud.put_up(Arc::clone(&gate));
        let asked = Arc::clone(&cloud);
        let asked = tokio::spawn(async move { asked.carry_out(add(vec![backend(1, 80)])).await });
        gate.reached(1).await;
        assert_eq!(held(&cloud).len(), usize::from(side == Side::After));
        put(&cloud, vec![backend(2, 80)]).await;
        if opens {
            gate.open();
        } else {
            gate.shut();
        }
        assert_eq!(asked.await.unwrap().is_ok(), opens);
        assert_eq!(held(&cloud).len(), count + 1);
    }
}
