//! An engine before a simulated cloud: every call is written, signed, read and answered as on the wire, but there is no
//! socket, and time is virtual.

use std::{
    fs,
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use proptest::{prelude::*, test_runner::RngSeed};
use tokio::{
    runtime::Builder,
    time::{Instant, timeout},
};
use tokio_util::task::TaskTracker;
use weighbridge::{
    auth::{Stamp, Stamps},
    config::{Config, Limits, Target as TargetCloud},
    dialect::{Answer, Arrival, Asked, BoxFuture, Handler, Provider, Request, Wanted},
    engine::{Engine, Upstream},
    mapping::{Cloud, Sources, Tables},
    model::{
        AddBackends, Backend, BackendRef, Fault, FaultKind, Group, GroupId, GroupRef, Kind, LoadBalancerId,
        LoadBalancerRef, Member, Operation, OperationName, Outcome, Place, Port, ResourceId, Scope, Target,
        Traffic, Weight,
    },
    providers,
    simulator::{LoadBalancer, Script, Stumble},
    store::{Memory, Store},
    telemetry::Account,
    wire::{Call, Params, Reply},
};

use crate::support::demo_config;

/// What one call to the target takes.
pub const LATENCY: Duration = Duration::from_millis(200);
const UPSTREAM_TIMEOUT: Duration = Duration::from_secs(10);

pub const RSP: &str = "rsp-cige6j5e7p";
pub const RSP2: &str = "rsp-demo2";
pub const LB: &str = "lb-bp1b6c719dfa08ex";
pub const VSERVER: &str = "vserver-def456";
pub const VSERVER2: &str = "vserver-demo2";
pub const ULB: &str = "ulb-abc123";

/// A simulated cloud on the other side of its own words.
#[derive(Debug)]
pub struct Wire {
    provider: &'static Provider,
    cloud: Arc<Cloud>,
    pub balancer: Arc<LoadBalancer>,
    stamps: Stamps,
    /// Steps that the cloud has no words for, or more than one call may carry.
    unspeakable: Mutex<Vec<String>>,
}

impl Wire {
    async fn carry_out(&self, target: &TargetCloud, step: &Operation) -> Result<Outcome, Fault> {
        let Provider { egress, schemes, .. } = self.provider;
        let invocation = egress.write_call(step, &self.cloud).inspect_err(|fault| self.note(step, fault))?;
        let stamp = self.stamps.next();
        let scheme = schemes.iter().find(|scheme| scheme.id() == target.scheme).unwrap();
        let call = scheme.sign(&invocation, "http://target", &target.credential, &stamp);
        let reply = timeout(UPSTREAM_TIMEOUT, self.answer(call, &stamp, step)).await;
        let reply =
            reply.map_err(|_| Fault::new(FaultKind::TargetTimedOut, "the target did not answer in time"))?;
        egress.read_reply(step, &reply, &self.cloud)
    }

    async fn answer(&self, call: Call, stamp: &Stamp, step: &Operation) -> Reply {
        let (ingress, cloud) = (self.provider.ingress, &self.cloud);
        let arrival = ingress.unpack(call.clone()).unwrap();
        let mut envelope = ingress.envelope(&call, stamp, cloud);
        ingress.complete(&mut envelope, &arrival, cloud);
        let asked = match ingress.read(&arrival, cloud) {
            Ok(asked) => asked,
            Err(fault) => {
                self.note(step, &fault);
                return ingress.write_error(&envelope, &fault, cloud);
            }
        };
        let operation = asked.operation.clone();
        let result = self.balancer.handle(request(asked, 0, None)).await;
        ingress.write_reply(&envelope, Some(&operation), result.as_ref(), cloud)
    }

    fn note(&self, step: &Operation, fault: &Fault) {
        self.unspeakable.lock().unwrap().push(format!("{fault}: {step:?}"));
    }
}

impl Upstream for Wire {
    fn call<'a>(
        &'a self,
        target: &'a TargetCloud,
        step: &'a Operation,
        _: &'a Account,
    ) -> BoxFuture<'a, Result<Outcome, Fault>> {
        Box::pin(self.carry_out(target, step))
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

/// The embedded default with one target replaced by a cloud that follows a script.
pub struct Stage {
    config: Arc<Config>,
    pub wire: Arc<Wire>,
    pub engine: Engine,
    store: Arc<Memory>,
    client: usize,
    began: Instant,
}

impl Stage {
    /// Clients of Alibaba Cloud before UCloud.
    pub fn towards_ucloud(script: Script) -> Self {
        Self::new("aliyun", "ucloud", script)
    }

    /// Clients of UCloud before Alibaba Cloud.
    pub fn towards_aliyun(script: Script) -> Self {
        Self::new("ucloud", "aliyun", script)
    }

    /// The same before one that shows changes late, and whose table says so.
    pub fn towards_late_aliyun(script: Script) -> Self {
        let mut config = demo_config();
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("aliyun")).unwrap();
        let table = "[capability]\nsettles_after = 15\n";
        fs::write(folder.path().join("aliyun/provider.toml"), table).unwrap();
        let sources = Sources::overlaid(folder.path()).unwrap();
        config.tables = Arc::new(Tables::compile(&sources).unwrap());
        Self::before(config, "ucloud", "aliyun", script)
    }

    /// Clients of UCloud before Alibaba Cloud, within other limits.
    pub fn limited(limits: Limits, script: Script) -> Self {
        Self::before(Config { limits, ..demo_config() }, "ucloud", "aliyun", script)
    }

    fn new(dialect: &str, provider: &str, script: Script) -> Self {
        Self::before(demo_config(), dialect, provider, script)
    }

    fn before(config: Config, dialect: &str, provider: &str, script: Script) -> Self {
        let config = Arc::new(config);
        let cloud = Arc::clone(config.tables.cloud(provider).unwrap());
        let groups = config.resources.groups_of(provider).cloned().collect();
        let servers = config.resources.servers_of(provider).map(|server| server.target.clone()).collect();
        let balancer = Arc::new(LoadBalancer::new(Arc::clone(&cloud), groups, servers, script, LATENCY));
        let wire = Arc::new(Wire {
            provider: providers::provider(provider).unwrap(),
            cloud,
            balancer,
            stamps: Stamps::fixed(Timestamp::UNIX_EPOCH),
            unspeakable: Mutex::default(),
        });
        let client = config.clients.iter().position(|client| client.dialect == dialect).unwrap();
        let store = Arc::new(Memory::new());
        let engine = engine(&config, &wire, &store);
        Self { config, wire, engine, store, client, began: Instant::now() }
    }

    /// Another engine before the same cloud, which knows nothing of what this one did.
    pub fn restarted(&self) -> Self {
        let (config, wire) = (Arc::clone(&self.config), Arc::clone(&self.wire));
        let store = Arc::new(Memory::new());
        let engine = engine(&config, &wire, &store);
        Self { config, wire, engine, store, client: self.client, began: self.began }
    }

    /// Another engine before the same cloud, on the store of this one.
    pub fn replaced(&self) -> Self {
        let (config, wire, store) =
            (Arc::clone(&self.config), Arc::clone(&self.wire), Arc::clone(&self.store));
        let engine = engine(&config, &wire, &store);
        Self { config, wire, engine, store, client: self.client, began: self.began }
    }

    pub async fn ask(&self, operation: Operation) -> Result<Outcome, Fault> {
        self.engine.handle(request(Asked::all(operation), self.client, None)).await.map(outcome_of)
    }

    /// Asks the way a client does whose scheme cannot tell a repeat from a replay.
    pub async fn ask_again(&self, operation: Operation, repeat: [u8; 32]) -> Result<Outcome, Fault> {
        let request = request(Asked::all(operation), self.client, Some(repeat));
        let passed = SignedDuration::try_from(self.began.elapsed()).unwrap();
        self.engine.handle(Request { at: request.at + passed, ..request }).await.map(outcome_of)
    }

    pub async fn describe(&self, group: GroupRef) -> Result<Group, Fault> {
        let told = self.ask(Operation::DescribeGroup(group)).await?;
        let Outcome::Group(group) = told else { panic!("{told:?} is no group") };
        Ok(group)
    }

    /// What the target holds, past the engine.
    pub fn held(&self, group: &str) -> Vec<String> {
        self.wire.balancer.members(group).iter().map(|member| shown(&member.backend)).collect()
    }

    /// Changes the target past the engine.
    pub async fn meanwhile(&self, operation: Operation) {
        self.wire.balancer.handle(request(Asked::all(operation), 0, None)).await.unwrap();
    }

    /// Every change that the target was asked for.
    pub fn writes(&self) -> Vec<OperationName> {
        let calls = self.wire.balancer.calls();
        calls.iter().filter(|call| !call.is_read()).map(Operation::name).collect()
    }

    /// Steps that the target has no words for.
    pub fn unspeakable(&self) -> Vec<String> {
        self.wire.unspeakable.lock().unwrap().clone()
    }
}

fn engine(config: &Arc<Config>, wire: &Arc<Wire>, store: &Arc<Memory>) -> Engine {
    let (upstream, store) = (Arc::clone(wire) as Arc<dyn Upstream>, Arc::clone(store) as Arc<dyn Store>);
    Engine::new(Arc::clone(config), upstream, store, TaskTracker::new())
}

/// The number of the next request: no two have one id.
static NUMBER: AtomicUsize = AtomicUsize::new(0);

fn request(asked: Asked, client: usize, repeat: Option<[u8; 32]>) -> Request {
    let call = Call::new(http::Method::GET, "", "/", String::new());
    let arrival = Arc::new(Arrival { call, params: Params::default(), signed: None });
    let wanted = Wanted::Translated(Arc::new(asked));
    let id = format!("test-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let at = "2026-01-02T03:04:05Z".parse().unwrap();
    Request { id, at, client, wanted, arrival, place: None, repeat, account: Account::unread() }
}

fn outcome_of(answer: Answer) -> Outcome {
    match answer {
        Answer::Translated { outcome, losses: _ } => outcome,
        Answer::Passed(reply) => panic!("{reply:?} was passed on"),
    }
}

/// Calls that are refused, and one that is carried out and not answered, or neither.
pub fn any_stumbles() -> impl Strategy<Value = Vec<(OperationName, usize, Stumble)>> {
    use OperationName::{
        AddBackends, CreateGroup, DeleteGroup, RemoveBackends, ReplaceBackends, UpdateBackends, UpdateGroup,
    };
    let names = vec![
        AddBackends,
        RemoveBackends,
        UpdateBackends,
        ReplaceBackends,
        CreateGroup,
        UpdateGroup,
        DeleteGroup,
    ];
    let name = prop::sample::select(names);
    let refusal = prop_oneof![
        3 => Just(Stumble::Refuse(FaultKind::TargetRefused, "not today")),
        1 => Just(Stumble::Refuse(FaultKind::Throttled, "")),
    ];
    let stall = prop_oneof![Just(Stumble::Stall), Just(Stumble::StallAfter)];
    let stalled = (name.clone(), 1_usize..10, stall);
    (stalled, proptest::collection::vec((name, 1_usize..25, refusal), 0..7)).prop_map(|(stalled, refused)| {
        // Which of two is meant for one call is the first's to say.
        std::iter::once(stalled).chain(refused).collect()
    })
}

/// Runs a test in virtual time.
pub fn in_virtual_time<T>(work: impl Future<Output = T>) -> T {
    Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(work)
}

/// A backend in one line: `uhost-demo01:80 w50`, with `off` where it gets no traffic.
pub fn shown(backend: &Backend) -> String {
    let traffic = match backend.traffic {
        Traffic::On(weight) => format!("w{weight}"),
        Traffic::Off(Some(weight)) => format!("off w{weight}"),
        Traffic::Off(None) => "off".to_owned(),
    };
    format!("{}:{} {traffic}", backend.target, backend.port)
}

pub fn server(id: &str) -> Target {
    Target::Resource { kind: Kind::Instance, id: ResourceId::new(id).unwrap(), address: None }
}

/// The server of this number, as Alibaba Cloud names it.
pub fn ecs(number: usize) -> Target {
    server(&format!("i-bp1example{number:08}"))
}

/// The server of this number, as UCloud names it.
pub fn uhost(number: usize) -> Target {
    server(&format!("uhost-demo{number:02}"))
}

pub fn port(number: u32) -> Port {
    Port::new(number).unwrap()
}

pub fn weight(number: u32) -> Option<Weight> {
    Weight::new(number)
}

pub fn backend(target: Target, at: u32, weight: u32) -> Backend {
    let traffic = Weight::new(weight).map_or(Traffic::Off(None), Traffic::On);
    Backend { target, port: port(at), traffic, standby: false, description: None }
}

pub fn at(target: Target, number: u32) -> BackendRef {
    BackendRef::At { target, port: port(number) }
}

/// A group as a caller of Alibaba Cloud names it.
pub fn rsp(group: &str) -> GroupRef {
    GroupRef { load_balancer: None, group: GroupId::new(group).unwrap(), place: Place::default() }
}

/// A group as a caller of UCloud names it.
pub fn vserver(group: &str) -> GroupRef {
    GroupRef { load_balancer: LoadBalancerId::new(ULB), ..rsp(group) }
}

pub fn balancer(id: &str) -> LoadBalancerRef {
    LoadBalancerRef { id: LoadBalancerId::new(id).unwrap(), place: Place::default() }
}

/// Where a caller of UCloud says that a backend is.
pub fn ulb() -> Scope {
    Scope { load_balancer: LoadBalancerId::new(ULB), group: None, place: Place::default() }
}

pub fn add(group: GroupRef, backends: Vec<Backend>) -> Operation {
    Operation::AddBackends(AddBackends { group, backends })
}

pub fn added(outcome: Outcome) -> Vec<Member> {
    let Outcome::Added(members) = outcome else { panic!("{outcome:?} is no add") };
    members
}

/// How many sequences are tried, and which: the same each time, so that a change is to blame when one fails. Others come
/// with `PROPTEST_RNG_SEED` set to a number of one's own.
pub fn cases() -> ProptestConfig {
    let chosen = ProptestConfig::default().rng_seed;
    let rng_seed = if chosen == RngSeed::Random { RngSeed::Fixed(20_261_121) } else { chosen };
    ProptestConfig { cases: 150, failure_persistence: None, rng_seed, ..ProptestConfig::default() }
}
