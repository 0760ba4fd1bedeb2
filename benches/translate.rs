//! What the core costs without sockets: verify, parse, map, sign, read, encode, for one backend and for twenty.
//!
//! `cargo bench --bench translate`. Times of one run compare with each other; across machines they do not. `caller` is
//! the yardstick of the same run: what it costs the caller to sign one such request.
#![expect(clippy::unwrap_used, reason = "a bench that cannot be set up may fail in any way")]

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
    sync::Arc,
};

use divan::{Bencher, black_box};
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
    model::{Fault, FaultKind, Operation, Outcome},
    providers::provider,
    store::{Memory, Store},
    telemetry::Account,
    wire::{Call, Params, Reply},
};

fn main() {
    divan::main();
}

/// A target that answers at once: everything of a call but the socket.
struct Instant {
    config: Arc<Config>,
    stamps: Stamps,
    reply: fn(&Invocation) -> Reply,
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
            let call = scheme.sign(
                &invocation,
                &origin_of(target, step.place()),
                &target.credential,
                &self.stamps.next(),
            );
            black_box(call);
            provider.egress.read_reply(step, &(self.reply)(&invocation), cloud)
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

struct Stage {
    front: Front,
    runtime: Runtime,
    stamps: Stamps,
}

impl Stage {
    fn new(reply: fn(&Invocation) -> Reply) -> Self {
        let (config, stamps) = (Arc::new(config()), Stamps::system().unwrap());
        let upstream = Instant { config: Arc::clone(&config), stamps: stamps.clone(), reply };
        let store: Arc<dyn Store> = Arc::new(Memory::new());
        let engine =
            Engine::new(Arc::clone(&config), Arc::new(upstream), Arc::clone(&store), TaskTracker::new());
        let front = front(&config, &engine, store, stamps.clone());
        Self { front, runtime: Builder::new_current_thread().enable_time().build().unwrap(), stamps }
    }

    fn answer(&self, call: Call) -> Reply {
        let reply = self.runtime.block_on(self.front.answer(Arrived { call, overrun: None, peer: PEER }));
        assert_eq!(reply.status, StatusCode::OK, "{:?}", reply.body);
        reply
    }
}

fn config() -> Config {
    let config = SourceText::new("demo.toml", include_str!("../mappings/demo.toml"));
    let resources = SourceText::new("resources.toml", include_str!("../mappings/resources.example.toml"));
    let known = [
        Known { provider: "aliyun", schemes: &["acs3", "v1"] },
        Known { provider: "ucloud", schemes: &["sha1"] },
    ];
    let mut config = load_text(&config, Some(&resources), Path::new("."), &|_| None, &known).unwrap();
    // Every pass has to do the work.
    config.limits.repeat_window = std::time::Duration::ZERO;
    config
}

/// An add of `count` servers by a client of Alibaba Cloud.
fn aliyun_call(count: usize, scheme: &str, stamps: &Stamps) -> Call {
    let item = |at: usize| {
        format!(
            r#"{{"ServerId":"i-bp1example{:08}","Port":"80","Weight":"100","Type":"ecs","Description":"blue"}}"#,
            at + 1
        )
    };
    let items: Vec<String> = (0..count).map(item).collect();
    let mut params = Params::default();
    params.push("RegionId", "cn-hangzhou");
    params.push("VServerGroupId", "rsp-cige6j5e7p");
    params.push("BackendServers", format!("[{}]", items.join(",")));
    let action = "AddVServerGroupBackendServers".to_owned();
    let invocation = Invocation { action, version: Some("2014-05-15".to_owned()), params };
    received(scheme_of("aliyun", scheme), &invocation, "demo-aliyun", "demo-aliyun-secret", stamps)
}

/// An add of one server by a client of UCloud.
fn ucloud_call(stamps: &Stamps) -> Call {
    let query = "Region=cn-bj2&ProjectId=org-abc123&ULBId=ulb-abc123&VServerId=vserver-def456&ResourceType=UHost\
                 &ResourceId=uhost-demo01&Port=8080&Weight=50&Enabled=1&IsBackup=0";
    let params = Params::decode(query).unwrap();
    let invocation = Invocation { action: "AllocateBackend".to_owned(), version: None, params };
    received(scheme_of("ucloud", "sha1"), &invocation, "demo-ucloud", "demo-ucloud-secret", stamps)
}

fn scheme_of(cloud: &str, scheme: &str) -> &'static dyn Scheme {
    let schemes = provider(cloud).unwrap().schemes;
    *schemes.iter().find(|known| known.id() == scheme).unwrap()
}

fn received(
    scheme: &dyn Scheme,
    invocation: &Invocation,
    key_id: &str,
    secret: &str,
    stamps: &Stamps,
) -> Call {
    let credential = Credential { key_id: key_id.to_owned(), secret: Secret::new(secret), token: None };
    let call = scheme.sign(invocation, "http://127.0.0.1:8080", &credential, &stamps.next());
    assert_eq!(call.method, Method::POST);
    Call { origin: String::new(), ..call }
}

/// What a UCloud answers whose group is empty: twenty adds begin with a look at it.
fn allocated(invocation: &Invocation) -> Reply {
    let body = match invocation.action.as_str() {
        "DescribeVServer" => {
            r#"{"RetCode":0,"Action":"DescribeVServerResponse","TotalCount":1,"DataSet":[{"ULBId":"ulb-abc123","VServerId":"vserver-def456","VServerName":"web","Protocol":"TCP","FrontendPort":80,"Method":"WeightRoundrobin","Status":0,"BackendSet":[]}]}"#
        }
        _ => r#"{"RetCode":0,"Action":"AllocateBackendResponse","BackendId":"backend-hjz2421u"}"#,
    };
    Reply::new(StatusCode::OK, "application/json", body)
}

fn added(_invocation: &Invocation) -> Reply {
    let body = r#"{"RequestId":"9DEC9C28-AB05-4DDF-9A78-6B08EC9CE18C","VServerGroupId":"rsp-cige6j5e7p","BackendServers":{"BackendServer":[{"ServerId":"i-bp1example00000001","Port":8080,"Weight":50,"Type":"ecs"}]}}"#;
    Reply::new(StatusCode::OK, "application/json", body)
}

#[divan::bench(args = [1, 20])]
fn aliyun_v1_to_ucloud(bencher: Bencher<'_, '_>, count: usize) {
    let stage = Stage::new(allocated);
    bencher
        .with_inputs(|| aliyun_call(count, "v1", &stage.stamps))
        .bench_local_values(|call| stage.answer(call));
}

#[divan::bench(args = [1, 20])]
fn aliyun_acs3_to_ucloud(bencher: Bencher<'_, '_>, count: usize) {
    let stage = Stage::new(allocated);
    bencher
        .with_inputs(|| aliyun_call(count, "acs3", &stage.stamps))
        .bench_local_values(|call| stage.answer(call));
}

#[divan::bench]
fn ucloud_to_aliyun(bencher: Bencher<'_, '_>) {
    let stage = Stage::new(added);
    bencher.with_inputs(|| ucloud_call(&stage.stamps)).bench_local_values(|call| stage.answer(call));
}

#[divan::bench(args = [1, 20])]
fn caller_signs_v1(bencher: Bencher<'_, '_>, count: usize) {
    let stamps = Stamps::system().unwrap();
    bencher.bench_local(|| aliyun_call(count, "v1", &stamps));
}
