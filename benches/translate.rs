//! What the core costs without sockets: verify, parse, map, sign, read the reply, encode; and how that grows.
//!
//! `cargo bench --bench translate`. Of several rounds the shortest counts: whatever else the machine does only adds. Each way
//! stands beside its bare hashes of the same run, which is what to compare: the digests that the signatures of the request
//! and of every call made for it are of, over the same texts, without anything that makes those texts.
#![expect(clippy::unwrap_used, reason = "a bench that cannot be set up may fail in any way")]
#![expect(clippy::panic, reason = "the same")]
#![expect(clippy::print_stdout, reason = "its figures are what it is for")]

use std::{
    cell::Cell,
    env,
    fmt::Write as _,
    hint::black_box,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, Instant as Began},
};

use http::{Method, StatusCode};
use tokio::runtime::{Builder, Runtime};
use tokio_util::task::TaskTracker;
use weighbridge::{
    auth::{Credential, Stamps},
    config::{Config, Known, Target, load_text},
    crypto::Secret,
    dialect::{Arrival, BoxFuture, Invocation, Scheme},
    engine::{Engine, Upstream},
    front::Front,
    gateway::{front, origin_of, target_scheme},
    http::Arrived,
    mapping::SourceText,
    model::{Backend, Fault, FaultKind, GroupRef, Operation, Outcome, Traffic},
    providers::provider,
    store::{Memory, Store},
    telemetry::Account,
    wire::{Call, Params, Reply},
};

/// As the program that is measured.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The ways of an add, and up to how many backends one call of each has.
const WAYS: [(Way, usize); 4] =
    [(Way::AliyunV1, 40), (Way::AliyunAcs3, 40), (Way::UcloudToV1, 20), (Way::UcloudToAcs3, 20)];

fn main() {
    let words: Vec<String> = env::args().skip(1).filter(|word| word != "--bench").collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => tables(),
        ["busy", way, backends] => busy(way.parse().unwrap(), backends.parse().unwrap()),
        _ => println!("give nothing, or `busy WAY BACKENDS`; ways are 0 to 3"),
    }
}

/// The same add again and again, for somebody who looks at it with a profiler.
fn busy(way: usize, backends: usize) {
    let stage = Stage::new(WAYS[way].0, 10, 1);
    let calls: Vec<Call> = (0..WARM_UP).map(|_| stage.call(backends)).collect();
    for call in calls {
        stage.answer(call);
    }
}

fn tables() {
    println!("| an add | backends | µs | its bare hashes µs | ÷ |\n|---|---|---|---|---|");
    for (way, most) in WAYS {
        for backends in [1, 5, 10, 20, 40].into_iter().filter(|backends| *backends <= most) {
            let stage = Stage::new(way, 10, 1);
            let (whole, hashes) = (stage.cost(backends), stage.hashes(backends));
            println!("| {} | {backends} | {whole:.1} | {hashes:.2} | {:.1} |", way.name(), whole / hashes);
        }
    }
    println!(
        "\n| an add of one backend, with | {} |",
        WAYS.map(|(way, _)| format!("{} µs", way.name())).join(" | ")
    );
    println!("|---|---|---|---|---|");
    for rows in [10, 1000, 100_000, 1_000_000] {
        let figures = WAYS.map(|(way, _)| format!("{:.1}", Stage::new(way, rows, 1).cost(1)));
        println!("| {rows} servers in the resource map | {} |", figures.join(" | "));
    }
    for clients in [1, 100, 10_000] {
        let figures = WAYS.map(|(way, _)| format!("{:.1}", Stage::new(way, 10, clients).cost(1)));
        println!("| {clients} clients in the config | {} |", figures.join(" | "));
    }
}

/// Whose add, how it is signed, and so which way it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    AliyunV1,
    AliyunAcs3,
    UcloudToV1,
    UcloudToAcs3,
}

impl Way {
    const fn name(self) -> &'static str {
        match self {
            Self::AliyunV1 => "Alibaba V1 → UCloud",
            Self::AliyunAcs3 => "Alibaba ACS3 → UCloud",
            Self::UcloudToV1 => "UCloud → Alibaba V1",
            Self::UcloudToAcs3 => "UCloud → Alibaba ACS3",
        }
    }

    const fn cloud(self) -> (&'static str, &'static str) {
        match self {
            Self::AliyunV1 => ("aliyun", "v1"),
            Self::AliyunAcs3 => ("aliyun", "acs3"),
            Self::UcloudToV1 | Self::UcloudToAcs3 => ("ucloud", "sha1"),
        }
    }
}

/// How many rounds there are, of how many requests, and how many before the first.
const ROUNDS: usize = 15;
const REQUESTS: usize = 300;
const WARM_UP: usize = 500;

/// So many groups take turns, so that none is added to without end.
const GROUPS: usize = 4000;

/// A target that answers at once: everything of a call but the socket.
struct Instant {
    config: Arc<Config>,
    stamps: Stamps,
    /// The strings to sign of what was called, if anybody wants them.
    signed: Arc<Mutex<Option<Vec<Signed>>>>,
}

/// A text that a signature is of.
struct Signed {
    scheme: &'static dyn Scheme,
    text: String,
    secret: Secret,
}

/// Where requests come from.
const PEER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1);

impl Upstream for Instant {
    fn call<'a>(
        &'a self,
        target: &'a Target,
        step: &'a Operation,
        _: &'a Account,
    ) -> BoxFuture<'a, Result<Outcome, Fault>> {
        Box::pin(async move {
            let provider = provider(&target.provider).unwrap();
            let cloud = self.config.tables.cloud(provider.id).unwrap();
            let scheme = target_scheme(provider, target).unwrap();
            let invocation = provider.egress.write_call(step, cloud)?;
            let origin = origin_of(target, step.place());
            let call = scheme.sign(&invocation, &origin, &target.credential, &self.stamps.next());
            if let Some(signed) = &mut *self.signed.lock().unwrap() {
                signed.push(Signed::of(scheme, call.clone(), provider.id, &target.credential.secret));
            }
            black_box(call);
            provider.egress.read_reply(step, &replied(step, &invocation), cloud)
        })
    }

    fn pass<'a>(
        &'a self,
        _: &'a Target,
        _: &'a Arrival,
        _: &'a Account,
    ) -> BoxFuture<'a, Result<Reply, Fault>> {
        Box::pin(async { Err(Fault::new(FaultKind::Internal, "nothing is passed on here")) })
    }
}

impl Signed {
    fn of(scheme: &'static dyn Scheme, call: Call, cloud: &str, secret: &Secret) -> Self {
        let arrival = provider(cloud).unwrap().ingress.unpack(call).unwrap();
        Self { scheme, text: scheme.string_to_sign(&arrival), secret: secret.clone() }
    }
}

struct Stage {
    way: Way,
    front: Front,
    runtime: Runtime,
    stamps: Stamps,
    signed: Arc<Mutex<Option<Vec<Signed>>>>,
    /// How many requests were made.
    made: Cell<usize>,
}

impl Stage {
    fn new(way: Way, rows: usize, clients: usize) -> Self {
        let (config, stamps) = (Arc::new(config(way, rows, clients)), Stamps::system().unwrap());
        let signed = Arc::default();
        let upstream =
            Instant { config: Arc::clone(&config), stamps: stamps.clone(), signed: Arc::clone(&signed) };
        let store: Arc<dyn Store> = Arc::new(Memory::new());
        let engine =
            Engine::new(Arc::clone(&config), Arc::new(upstream), Arc::clone(&store), TaskTracker::new());
        let front = front(&config, &engine, store, stamps.clone());
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        Self { way, front, runtime, stamps, signed, made: Cell::default() }
    }

    fn answer(&self, call: Call) {
        let reply = self.runtime.block_on(self.front.answer(Arrived { call, overrun: None, peer: PEER }));
        assert_eq!(reply.status, StatusCode::OK, "{:?}", reply.body);
        // One of the clouds says so of a failure too.
        assert!(!String::from_utf8_lossy(&reply.body).contains("Message"), "{:?}", reply.body);
    }

    /// Microseconds for one add.
    fn cost(&self, backends: usize) -> f64 {
        let calls = |count: usize| (0..count).map(|_| self.call(backends)).collect::<Vec<_>>();
        for call in calls(WARM_UP) {
            self.answer(call);
        }
        least(|| each(calls(REQUESTS), |call| self.answer(call)))
    }

    /// The same, for the digests alone.
    fn hashes(&self, backends: usize) -> f64 {
        let (cloud, scheme) = self.way.cloud();
        *self.signed.lock().unwrap() = Some(Vec::new());
        let call = self.call(backends);
        let own = Signed::of(scheme_of(cloud, scheme), call.clone(), cloud, &Secret::new(secret_of(cloud)));
        self.answer(call);
        let mut signed = self.signed.lock().unwrap().take().unwrap();
        signed.push(own);
        let all = || signed.iter().for_each(|of| drop(black_box(of.scheme.signature(&of.text, &of.secret))));
        least(|| each(vec![(); REQUESTS], |()| all()))
    }

    /// An add of `backends` servers; no two are the same.
    fn call(&self, backends: usize) -> Call {
        let at = self.made.replace(self.made.get() + 1);
        let (cloud, scheme) = self.way.cloud();
        let (group, port) = (at % GROUPS, 1 + at % 60_000);
        let (action, version, params) = match self.way {
            Way::AliyunV1 | Way::AliyunAcs3 => {
                ("AddVServerGroupBackendServers", Some("2014-05-15"), aliyun(group, port, backends))
            }
            Way::UcloudToV1 | Way::UcloudToAcs3 if backends == 1 => {
                ("AllocateBackend", None, ucloud(group, port))
            }
            Way::UcloudToV1 | Way::UcloudToAcs3 => {
                ("AllocateBackendBatch", None, ucloud_batch(group, port, backends))
            }
        };
        let invocation =
            Invocation { action: action.to_owned(), version: version.map(str::to_owned), params };
        let (key_id, secret) = (key_of(cloud), Secret::new(secret_of(cloud)));
        let credential = Credential { key_id, secret, token: None };
        let scheme = scheme_of(cloud, scheme);
        let call = scheme.sign(&invocation, "http://127.0.0.1:8080", &credential, &self.stamps.next());
        assert_eq!(call.method, Method::POST);
        Call { origin: String::new(), ..call }
    }
}

/// Microseconds for each of `inputs`.
fn each<T>(inputs: Vec<T>, work: impl FnMut(T)) -> f64 {
    let count = f64::from(u32::try_from(inputs.len()).unwrap());
    let began = Began::now();
    inputs.into_iter().for_each(work);
    began.elapsed().as_secs_f64() * 1e6 / count
}

fn least(round: impl Fn() -> f64) -> f64 {
    (0..ROUNDS).map(|_| round()).fold(f64::INFINITY, f64::min)
}

/// The embedded default, with so many servers in the map and so many clients of each cloud.
fn config(way: Way, rows: usize, clients: usize) -> Config {
    let scheme = if way == Way::UcloudToV1 { "v1" } else { "acs3" };
    let aliyun = format!("provider = \"aliyun\"\nsignature = \"{scheme}\"");
    let mut text = include_str!("../mappings/demo.toml").replace("provider = \"aliyun\"", &aliyun);
    for (cloud, target) in [("aliyun", "ucloud-simulated"), ("ucloud", "aliyun-simulated")] {
        for client in 1..clients {
            let key = format!("key_id = \"bench-{cloud}-{client}\"\nsecret = \"bench-secret-{client}\"");
            writeln!(text, "[[clients]]\ndialect = \"{cloud}\"\n{key}\ntarget = \"{target}\"").unwrap();
        }
    }
    let mut map = String::new();
    for group in 0..GROUPS {
        let aliyun = format!(
            "{{ load_balancer = \"lb-bench\", group = \"rsp-bench{group}\", region = \"cn-hangzhou\" }}"
        );
        let ucloud = format!(
            "{{ load_balancer = \"ulb-abc123\", group = \"vserver-bench{group}\", project = \"org-abc123\", region = \"cn-bj2\" }}"
        );
        writeln!(map, "[[group]]\naliyun = {aliyun}\nucloud = {ucloud}").unwrap();
    }
    for row in 1..=rows {
        writeln!(map, "[[server]]\naliyun = \"i-bp1example{row:08}\"\nucloud = \"uhost-demo{row:02}\"")
            .unwrap();
    }
    let (config, resources) = (SourceText::new("demo.toml", &text), SourceText::new("resources.toml", &map));
    let known = [
        Known { provider: "aliyun", schemes: &["acs3", "v1"] },
        Known { provider: "ucloud", schemes: &["sha1"] },
    ];
    let mut config = load_text(&config, Some(&resources), Path::new("."), &|_| None, &known).unwrap();
    // Every pass has to do the work.
    config.limits.repeat_window = Duration::ZERO;
    config
}

fn key_of(cloud: &str) -> String {
    format!("demo-{cloud}")
}

fn secret_of(cloud: &str) -> String {
    format!("demo-{cloud}-secret")
}

fn scheme_of(cloud: &str, scheme: &str) -> &'static dyn Scheme {
    let schemes = provider(cloud).unwrap().schemes;
    *schemes.iter().find(|known| known.id() == scheme).unwrap()
}

/// The parameters of an add of so many servers by a client of Alibaba Cloud.
fn aliyun(group: usize, port: usize, backends: usize) -> Params {
    let item = |at: usize| {
        // Ten servers, each on several ports.
        let (server, port) = (1 + at % 10, port + at / 10);
        format!(r#"{{"ServerId":"i-bp1example{server:08}","Port":"{port}","Weight":"100","Type":"ecs"}}"#)
    };
    let items: Vec<String> = (0..backends).map(item).collect();
    let mut params = Params::default();
    params.push("RegionId", "cn-hangzhou");
    params.push("VServerGroupId", format!("rsp-bench{group}"));
    params.push("BackendServers", format!("[{}]", items.join(",")));
    params
}

/// The parameters of an add of one server by a client of UCloud.
fn ucloud(group: usize, port: usize) -> Params {
    let query = format!(
        "Region=cn-bj2&ProjectId=org-abc123&ULBId=ulb-abc123&VServerId=vserver-bench{group}&ResourceType=UHost\
         &ResourceId=uhost-demo01&Port={port}&Weight=50&Enabled=1&IsBackup=0"
    );
    Params::decode(&query).unwrap()
}

/// The parameters of an add of several.
fn ucloud_batch(group: usize, port: usize, backends: usize) -> Params {
    let mut params = Params::default();
    params.push("Region", "cn-bj2");
    params.push("ProjectId", "org-abc123");
    params.push("ULBId", "ulb-abc123");
    params.push("VServerId", format!("vserver-bench{group}"));
    for at in 0..backends {
        let (server, port) = (1 + at % 10, port + at / 10);
        params
            .push(format!("Backends.{at}"), format!("uhost-demo{server:02}|UHost|{port}|1|10.0.0.{server}"));
    }
    params
}

/// What a target answers. The group of a UCloud is empty: twenty adds begin with a look at it.
fn replied(step: &Operation, invocation: &Invocation) -> Reply {
    let body = match (invocation.action.as_str(), step) {
        ("DescribeVServer", Operation::DescribeGroup(GroupRef { group, .. })) => {
            format!(
                r#"{{"RetCode":0,"Action":"DescribeVServerResponse","TotalCount":1,"DataSet":[{{"ULBId":"ulb-abc123","VServerId":"{group}","VServerName":"web","Protocol":"TCP","FrontendPort":80,"Method":"WeightRoundrobin","Status":0,"BackendSet":[]}}]}}"#
            )
        }
        (_, Operation::AddBackends(add)) if invocation.action != "AllocateBackend" => {
            let server = |backend: &Backend| {
                let Backend { target, port, traffic, .. } = backend;
                let Traffic::On(weight) = traffic else { panic!("{backend} gets no traffic") };
                format!(r#"{{"ServerId":"{target}","Port":{port},"Weight":{weight},"Type":"ecs"}}"#)
            };
            let servers: Vec<String> = add.backends.iter().map(server).collect();
            format!(
                r#"{{"RequestId":"9DEC9C28-AB05-4DDF-9A78-6B08EC9CE18C","VServerGroupId":"rsp-bench0","BackendServers":{{"BackendServer":[{}]}}}}"#,
                servers.join(",")
            )
        }
        (_, Operation::AddBackends(add)) => {
            let backend = &add.backends[0];
            format!(
                r#"{{"RetCode":0,"Action":"AllocateBackendResponse","BackendId":"backend-{}-{}"}}"#,
                backend.target, backend.port
            )
        }
        (_, _) => r#"{"RetCode":0}"#.to_owned(),
    };
    Reply::new(StatusCode::OK, "application/json", body)
}
