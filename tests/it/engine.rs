//! All or nothing: what the engine does when calls fail, stall or get lost. Time is virtual, so nothing here waits.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use jiff::SignedDuration;
use tokio::time::{Instant, timeout};
use tokio_util::task::TaskTracker;
use weighbridge::{
    config::Target as TargetCloud,
    dialect::{Answer, Arrival, Asked, BoxFuture, Handler, Request, Wanted},
    engine::{Engine, Upstream},
    model::{
        AddBackends, Backend, Fault, FaultKind, GroupId, GroupRef, Kind, LoadBalancerId, Member, Operation,
        Outcome, Place, Port, ResourceId, Target, Traffic, Weight,
    },
    simulator::{LoadBalancer, Script, Stumble},
    store::Memory,
    telemetry::Account,
    wire::{Call, Params, Reply},
};

use crate::support::demo_config;

/// What one call to the target takes.
const LATENCY: Duration = Duration::from_millis(300);
const UPSTREAM_TIMEOUT: Duration = Duration::from_secs(10);

/// A simulated cloud without sockets, which counts how many calls are in flight.
struct Direct {
    balancer: Arc<LoadBalancer>,
    in_flight: AtomicUsize,
    most: AtomicUsize,
}

impl Upstream for Direct {
    fn call<'a>(
        &'a self,
        _target: &'a TargetCloud,
        step: &'a Operation,
        _: &'a Account,
    ) -> BoxFuture<'a, Result<Outcome, Fault>> {
        Box::pin(async move {
            let now = self.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            let request = request_of(step.clone(), 0);
            let reply = timeout(UPSTREAM_TIMEOUT, self.balancer.handle(request)).await;
            self.in_flight.fetch_sub(1, Ordering::SeqCst);
            match reply {
                Ok(answer) => answer.map(outcome_of),
                Err(_) => Err(Fault::new(FaultKind::TargetTimedOut, "the target did not answer in time")),
            }
        })
    }

    fn pass<'a>(
        &'a self,
        _: &'a TargetCloud,
        arrival: &'a Arrival,
        _: &'a Account,
    ) -> BoxFuture<'a, Result<Reply, Fault>> {
        panic!("{arrival:?} is passed on")
    }
}

fn outcome_of(answer: Answer) -> Outcome {
    match answer {
        Answer::Translated { outcome, losses: _ } => outcome,
        Answer::Passed(reply) => panic!("{reply:?} was passed on"),
    }
}

/// The embedded default with one target replaced by a cloud that follows a script.
struct Stage {
    engine: Engine,
    upstream: Arc<Direct>,
    client: usize,
}

impl Stage {
    /// Clients of Alibaba Cloud before UCloud.
    fn towards_ucloud(script: Script) -> Self {
        Self::new("aliyun", "ucloud", script)
    }

    /// Clients of UCloud before Alibaba Cloud.
    fn towards_aliyun(script: Script) -> Self {
        Self::new("ucloud", "aliyun", script)
    }

    fn new(dialect: &str, provider: &str, script: Script) -> Self {
        let config = Arc::new(demo_config());
        let cloud = config.tables.cloud(provider).unwrap();
        let groups = config.resources.groups_of(provider).cloned().collect();
        let servers = config.resources.servers_of(provider).map(|server| server.target.clone()).collect();
        let balancer = LoadBalancer::new(Arc::clone(cloud), groups, servers, script, LATENCY);
        let upstream = Arc::new(Direct {
            balancer: Arc::new(balancer),
            in_flight: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
        });
        let client = config.clients.iter().position(|client| client.dialect == dialect).unwrap();
        let store = Arc::new(Memory::new());
        let engine =
            Engine::new(config, Arc::clone(&upstream) as Arc<dyn Upstream>, store, TaskTracker::new());
        Self { engine, upstream, client }
    }

    async fn add(&self, operation: Operation) -> Result<Answer, Fault> {
        self.engine.handle(request_of(operation, self.client)).await
    }

    fn held(&self, group: &str) -> Vec<String> {
        self.upstream.balancer.members(group).iter().map(|member| member.backend.to_string()).collect()
    }

    fn calls(&self, wanted: fn(&Operation) -> bool) -> usize {
        self.upstream.balancer.calls().iter().filter(|call| wanted(call)).count()
    }

    /// Puts a backend into the target's group before the test begins, past the engine.
    async fn put(&self, group: GroupRef, backend: Backend) {
        let operation = Operation::AddBackends(AddBackends { group, backends: vec![backend] });
        self.upstream.balancer.handle(request_of(operation, 0)).await.unwrap();
    }
}

fn request_of(operation: Operation, client: usize) -> Request {
    let call = Call::new(http::Method::GET, "", "/", String::new());
    let arrival = Arc::new(Arrival { call, params: Params::default(), signed: None });
    let wanted = Wanted::Translated(Arc::new(Asked::all(operation)));
    let at = "2026-01-02T03:04:05Z".parse().unwrap();
    Request {
        id: "test".to_owned(),
        at,
        client,
        wanted,
        arrival,
        place: None,
        repeat: None,
        account: Account::unread(),
    }
}

fn is_add(call: &Operation) -> bool {
    matches!(call, Operation::AddBackends(_))
}

fn is_removal(call: &Operation) -> bool {
    matches!(call, Operation::RemoveBackends(_))
}

fn is_look(call: &Operation) -> bool {
    matches!(call, Operation::DescribeGroup(_))
}

fn backend(id: &str, port: u32, weight: u32) -> Backend {
    Backend {
        target: Target::Resource { kind: Kind::Instance, id: ResourceId::new(id).unwrap(), address: None },
        port: Port::new(port).unwrap(),
        traffic: Weight::new(weight).map_or(Traffic::Off(None), Traffic::On),
        standby: false,
        description: None,
    }
}

fn group(load_balancer: Option<&str>, group: &str) -> GroupRef {
    GroupRef {
        load_balancer: load_balancer.and_then(LoadBalancerId::new),
        group: GroupId::new(group).unwrap(),
        place: Place::default(),
    }
}

const RSP: &str = "rsp-cige6j5e7p";
const VSERVER: &str = "vserver-def456";

/// An add of `count` backends in Alibaba Cloud's ids: 20 servers, then the same on another port.
fn aliyun_add(count: u32) -> Operation {
    let server = |at: u32| format!("i-bp1example{:08}", at % 20 + 1);
    let backends = (0..count).map(|at| backend(&server(at), 80 + at / 20, 100)).collect();
    Operation::AddBackends(AddBackends { group: group(None, RSP), backends })
}

fn ucloud_group() -> GroupRef {
    group(Some("ulb-abc123"), VSERVER)
}

/// An add of `count` backends in UCloud's ids.
fn ucloud_add(count: u32) -> Operation {
    let backends =
        (0..count).map(|at| backend(&format!("uhost-demo{:02}", at % 20 + 1), 80 + at / 20, 50)).collect();
    Operation::AddBackends(AddBackends { group: ucloud_group(), backends })
}

fn added(answer: Answer) -> Vec<Member> {
    let Outcome::Added(members) = outcome_of(answer) else { panic!("an add answers what was added") };
    members
}

#[tokio::test(start_paused = true)]
async fn forty_servers_become_forty_adds_eight_at_a_time() {
    let stage = Stage::towards_ucloud(Script::smooth());
    let began = Instant::now();
    let members = added(stage.add(aliyun_add(40)).await.unwrap());
    assert_eq!(members.len(), 40);
    assert_eq!(members[39].backend.to_string(), "i-bp1example00000020 port 81");
    assert_eq!((stage.calls(is_add), stage.calls(is_look)), (40, 1));
    assert_eq!(stage.upstream.most.load(Ordering::SeqCst), 8);
    assert_eq!(began.elapsed(), LATENCY * 6, "a look, and eight at a time");
}

#[tokio::test(start_paused = true)]
async fn a_failure_takes_back_what_was_added_and_names_the_server() {
    let refusal = Stumble::Refuse(FaultKind::QuotaExceeded, "UCloud ULB answered 4207: quota");
    let stage = Stage::towards_ucloud(Script::of_adds(&[(12, refusal)]));
    let fault = stage.add(aliyun_add(20)).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::QuotaExceeded);
    assert!(fault.detail.contains("i-bp1example00000012 port 80"), "{fault}");
    assert!(fault.detail.contains("4207"), "{fault}");
    assert!(fault.detail.contains("taken back"), "{fault}");
    assert_eq!(stage.held(VSERVER), [""; 0]);
    assert!(stage.calls(is_add) <= 19, "no add is begun after the failure is known");
}

#[tokio::test(start_paused = true)]
async fn what_was_there_before_is_left_alone() {
    let refusal = Stumble::Refuse(FaultKind::TargetRefused, "UCloud ULB answered 4118: port");
    // The add that puts the old one there is the first, and the old one itself is not added again.
    let stage = Stage::towards_ucloud(Script::of_adds(&[(6, refusal)]));
    stage.put(ucloud_group(), backend("uhost-demo02", 80, 100)).await;
    let fault = stage.add(aliyun_add(6)).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::TargetRefused);
    assert_eq!(stage.held(VSERVER), ["uhost-demo02 port 80"]);
}

#[tokio::test(start_paused = true)]
async fn a_duplicate_that_is_as_asked_is_a_success() {
    let stage = Stage::towards_ucloud(Script::smooth());
    stage.put(ucloud_group(), backend("uhost-demo02", 80, 100)).await;
    assert_eq!(added(stage.add(aliyun_add(3)).await.unwrap()).len(), 3);
    assert_eq!(stage.held(VSERVER).len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_duplicate_with_another_weight_is_refused_and_the_rest_taken_back() {
    let stage = Stage::towards_ucloud(Script::smooth());
    stage.put(ucloud_group(), backend("uhost-demo02", 80, 7)).await;
    let fault = stage.add(aliyun_add(3)).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::AlreadyPresent);
    assert!(fault.detail.contains("i-bp1example00000002 port 80"), "{fault}");
    assert_eq!(stage.held(VSERVER), ["uhost-demo02 port 80"]);
}

#[tokio::test(start_paused = true)]
async fn an_add_whose_answer_got_lost_counts_when_it_has_landed() {
    let stage = Stage::towards_ucloud(Script::of_adds(&[(2, Stumble::StallAfter)]));
    let members = added(stage.add(aliyun_add(20)).await.unwrap());
    assert_eq!(members.len(), 20);
    assert_eq!(stage.held(VSERVER).len(), 20);
    assert_eq!(stage.calls(is_add), 20, "no add is sent twice");
}

#[tokio::test(start_paused = true)]
async fn an_add_that_times_out_and_has_not_landed_fails_the_call() {
    let stage = Stage::towards_ucloud(Script::of_adds(&[(2, Stumble::Stall)]));
    let fault = stage.add(aliyun_add(3)).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::TargetTimedOut);
    assert!(fault.detail.contains("i-bp1example00000002 port 80"), "{fault}");
    assert!(fault.detail.contains("did not show these afterwards"), "{fault}");
    assert_eq!(stage.held(VSERVER), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn an_add_that_has_landed_unanswered_is_taken_back_with_the_others() {
    let refusal = Stumble::Refuse(FaultKind::TargetRefused, "no");
    let stage = Stage::towards_ucloud(Script::of_adds(&[(1, Stumble::StallAfter), (3, refusal)]));
    let fault = stage.add(aliyun_add(3)).await.unwrap_err();
    assert!(fault.detail.contains("the 2 backends that this call had added were taken back"), "{fault}");
    assert_eq!(stage.held(VSERVER), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn what_shows_late_counts_as_landed_and_is_taken_back_with_the_others() {
    let refusal = Stumble::Refuse(FaultKind::TargetRefused, "no");
    // The answer is given up after 10 s; the first look comes then, and the add shows half a second later.
    let late = UPSTREAM_TIMEOUT + LATENCY / 2;
    let stage = Stage::towards_ucloud(Script::of_adds(&[(1, Stumble::StallAfter)]).lagging(late));
    assert_eq!(added(stage.add(aliyun_add(1)).await.unwrap()).len(), 1);
    assert!(stage.calls(is_look) > 1, "one look was not enough");

    let stage =
        Stage::towards_ucloud(Script::of_adds(&[(1, Stumble::StallAfter), (3, refusal)]).lagging(late));
    let fault = stage.add(aliyun_add(3)).await.unwrap_err();
    assert!(fault.detail.contains("the 2 backends that this call had added were taken back"), "{fault}");
    assert_eq!(stage.held(VSERVER), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_hangs_up_does_not_stop_the_fan_out() {
    let stage = Stage::towards_ucloud(Script::smooth());
    let hung_up = timeout(LATENCY / 2, stage.add(aliyun_add(20))).await;
    assert!(hung_up.is_err(), "the caller went away before the first answer");
    tokio::time::sleep(LATENCY * 4).await;
    assert_eq!(stage.held(VSERVER).len(), 20);
}

#[tokio::test(start_paused = true)]
async fn an_empty_add_answers_what_the_group_holds() {
    let stage = Stage::towards_ucloud(Script::smooth());
    stage.add(aliyun_add(2)).await.unwrap();
    let members = added(stage.add(aliyun_add(0)).await.unwrap());
    let names: Vec<String> = members.iter().map(|member| member.backend.to_string()).collect();
    assert_eq!(names, ["i-bp1example00000001 port 80", "i-bp1example00000002 port 80"]);
    assert_eq!(stage.calls(is_add), 2);
}

#[tokio::test(start_paused = true)]
async fn a_target_that_takes_twenty_gets_two_calls_and_a_look_before_them() {
    let stage = Stage::towards_aliyun(Script::smooth());
    assert_eq!(added(stage.add(ucloud_add(40)).await.unwrap()).len(), 40);
    assert_eq!((stage.calls(is_look), stage.calls(is_add)), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_second_batch_that_fails_takes_the_first_back_but_not_what_was_there() {
    let refusal = Stumble::Refuse(FaultKind::QuotaExceeded, "full");
    let stage = Stage::towards_aliyun(Script::of_adds(&[(3, refusal)]));
    stage.put(group(None, RSP), backend("i-bp1example00000020", 9000, 9)).await;
    let fault = stage.add(ucloud_add(40)).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::QuotaExceeded);
    assert_eq!(stage.held(RSP), ["i-bp1example00000020 port 9000"]);
    assert_eq!(stage.calls(is_removal), 1);
}

#[tokio::test(start_paused = true)]
async fn writers_of_one_group_take_turns_where_the_target_takes_one_at_a_time() {
    let stage = Stage::towards_aliyun(Script::smooth());
    let single = |at: u32| {
        let backends = vec![backend(&format!("uhost-demo{at:02}"), 80, 50)];
        Operation::AddBackends(AddBackends { group: ucloud_group(), backends })
    };
    let adds = (1..=5).map(|at| stage.add(single(at)));
    let answers = futures_util::future::join_all(adds).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(stage.upstream.most.load(Ordering::SeqCst), 1);
    assert_eq!(stage.held(RSP).len(), 5);
}

#[tokio::test(start_paused = true)]
async fn who_adds_beside_a_call_that_may_be_taken_back_waits_for_its_end() {
    let refusal = Stumble::Refuse(FaultKind::QuotaExceeded, "full");
    let stage = Stage::towards_ucloud(Script::of_adds(&[(20, refusal)]));
    let later = async {
        tokio::time::sleep(LATENCY * 2).await;
        stage.add(aliyun_add(1)).await
    };
    let (failed, succeeded) = tokio::join!(stage.add(aliyun_add(20)), later);
    assert_eq!(failed.unwrap_err().kind, FaultKind::QuotaExceeded);
    assert_eq!(added(succeeded.unwrap()).len(), 1);
    assert_eq!(stage.held(VSERVER), ["uhost-demo01 port 80"], "the success is still true");
}

#[tokio::test(start_paused = true)]
async fn adds_of_one_backend_do_not_wait_for_each_other_where_the_target_takes_many() {
    let stage = Stage::towards_ucloud(Script::smooth());
    let single = |at: u32| {
        let backends = vec![backend(&format!("i-bp1example{at:08}"), 80, 50)];
        Operation::AddBackends(AddBackends { group: group(None, RSP), backends })
    };
    let began = Instant::now();
    futures_util::future::join_all((1..=5).map(|at| stage.add(single(at)))).await;
    assert_eq!((stage.held(VSERVER).len(), began.elapsed()), (5, LATENCY));
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_landed_after_a_look_before_is_taken_back() {
    let refusal = Stumble::Refuse(FaultKind::QuotaExceeded, "full");
    let stage = Stage::towards_aliyun(Script::of_adds(&[(1, Stumble::StallAfter), (2, refusal)]));
    stage.add(ucloud_add(40)).await.unwrap_err();
    assert_eq!(stage.held(RSP), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn what_nobody_could_look_up_is_not_said_to_be_absent() {
    let stage = Stage::towards_ucloud(Script::of_adds(&[(1, Stumble::StallAfter)]));
    stage.upstream.balancer.blind();
    let fault = stage.add(aliyun_add(1)).await.unwrap_err();
    assert!(fault.detail.contains("could NOT be found out"), "{fault}");
}

#[tokio::test(start_paused = true)]
async fn two_backends_that_are_one_of_the_targets_are_refused() {
    let stage = Stage::towards_ucloud(Script::smooth());
    let with = |ip: &str| {
        let (kind, id) = (Kind::Interface, ResourceId::new("eni-bp1demo01").unwrap());
        Backend {
            target: Target::Resource { kind, id, address: Some(ip.parse().unwrap()) },
            ..backend("x", 80, 1)
        }
    };
    let backends = vec![with("10.0.0.1"), with("10.0.0.2")];
    let fault = stage.add(Operation::AddBackends(AddBackends { group: group(None, RSP), backends })).await;
    assert_eq!(fault.unwrap_err().kind, FaultKind::CannotHold);
    assert_eq!(stage.calls(is_add), 0);
}

#[tokio::test(start_paused = true)]
async fn a_busy_target_is_asked_again() {
    let busy = Stumble::Refuse(FaultKind::Busy, "");
    let stage = Stage::towards_aliyun(Script::of_adds(&[(1, busy.clone()), (2, busy)]));
    assert_eq!(added(stage.add(ucloud_add(1)).await.unwrap()).len(), 1);
    assert_eq!(stage.calls(is_add), 3);
}

#[tokio::test(start_paused = true)]
async fn an_identical_add_gets_the_recorded_answer_for_a_while() {
    let stage = Stage::towards_aliyun(Script::smooth());
    let repeat = || Request { repeat: Some([7; 32]), ..request_of(ucloud_add(1), stage.client) };
    let (first, second) = tokio::join!(stage.engine.handle(repeat()), stage.engine.handle(repeat()));
    let first = first.unwrap();
    assert_eq!(first, second.unwrap(), "a repeat waits for the first");
    assert_eq!(first, stage.engine.handle(repeat()).await.unwrap());
    assert_eq!(stage.calls(is_add), 1);
    tokio::time::sleep(Duration::from_secs(11)).await;
    let later = repeat();
    let at = later.at + SignedDuration::from_secs(11);
    stage.engine.handle(Request { at, ..later }).await.unwrap();
    assert_eq!(stage.calls(is_add), 2, "the window is over");
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_not_recorded() {
    let refusal = Stumble::Refuse(FaultKind::TargetRefused, "not now");
    let stage = Stage::towards_aliyun(Script::of_adds(&[(1, refusal)]));
    let repeat = || Request { repeat: Some([7; 32]), ..request_of(ucloud_add(1), stage.client) };
    stage.engine.handle(repeat()).await.unwrap_err();
    stage.engine.handle(repeat()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_backend_id_towards_a_cloud_that_has_none_decodes_to_what_it_stands_for() {
    let stage = Stage::towards_aliyun(Script::smooth());
    let members = added(stage.add(ucloud_add(1)).await.unwrap());
    let id = members[0].id.clone().unwrap();
    let (group, server, port) = weighbridge::dialect::read_handle(&id).unwrap();
    assert_eq!((group.as_str(), server.to_string().as_str(), port.get()), (RSP, "i-bp1example00000001", 80));
}
