//! Whatever arrives, something is answered: no input panics, and none is let in unsigned.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, LazyLock},
};

use http::{HeaderName, HeaderValue, Method};
use proptest::prelude::*;
use tokio_util::task::TaskTracker;
use weighbridge::{
    auth::Stamps,
    config::{Config, Target},
    dialect::{Arrival, BoxFuture},
    engine::{Engine, Upstream},
    front::Front,
    gateway::{explain, front},
    http::Arrived,
    model::{Fault, Operation, Outcome},
    store::{Memory, Store},
    telemetry::Account,
    wire::{Call, Document, Reply},
};

use crate::support::demo_config;

/// A target that must never be reached.
struct Unreachable;

/// Where requests come from.
const PEER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1);

impl Upstream for Unreachable {
    fn call<'a>(
        &'a self,
        _target: &'a Target,
        step: &'a Operation,
        _: &'a Account,
    ) -> BoxFuture<'a, Result<Outcome, Fault>> {
        panic!("{step:?} reached the target")
    }

    fn pass<'a>(
        &'a self,
        _: &'a Target,
        arrival: &'a Arrival,
        _: &'a Account,
    ) -> BoxFuture<'a, Result<Reply, Fault>> {
        panic!("{arrival:?} reached the target")
    }
}

static CONFIG: LazyLock<Arc<Config>> = LazyLock::new(|| Arc::new(demo_config()));

fn front_before_nothing() -> Front {
    let stamps = Stamps::fixed("2026-01-02T03:04:05Z".parse().unwrap());
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let engine =
        Engine::new(Arc::clone(&CONFIG), Arc::new(Unreachable), Arc::clone(&store), TaskTracker::new());
    front(&CONFIG, &engine, store, stamps)
}

/// Parameters that lead deep into the readers, with values that nobody expects.
fn params() -> impl Strategy<Value = String> {
    let names = prop::sample::select(vec![
        "Action",
        "Version",
        "AccessKeyId",
        "Signature",
        "SignatureMethod",
        "SignatureNonce",
        "Timestamp",
        "Format",
        "PublicKey",
        "BackendServers",
        "BackendServers.1.Port",
        "VServerGroupId",
        "RegionId",
        "Region",
        "ULBId",
        "VServerId",
        "Backends.0",
        "Port",
        "Weight",
        "ResourceType",
        "%zz",
        "",
    ]);
    let values = prop_oneof![
        Just("AddVServerGroupBackendServers".to_owned()),
        Just("AllocateBackend".to_owned()),
        Just("AllocateBackendBatch".to_owned()),
        Just("demo-aliyun".to_owned()),
        Just("demo-ucloud".to_owned()),
        Just("[{'ServerId':'i-1','Port':80}]".to_owned()),
        Just("a|UHost|80|1|10.0.0.1".to_owned()),
        ".{0,20}",
        "[0-9]{1,12}",
        "(%[0-9A-Fa-f]{2}){0,6}",
        "[\\[\\]{}'\":,\\\\a-z]{0,30}",
    ];
    let pair = (names, values).prop_map(|(name, value)| format!("{name}={value}"));
    prop::collection::vec(pair, 0..8).prop_map(|pairs| pairs.join("&"))
}

fn call() -> impl Strategy<Value = Call> {
    let method = prop::sample::select(vec![Method::GET, Method::POST, Method::PUT]);
    let content_type = prop::sample::select(vec![
        "",
        "application/json",
        "application/x-www-form-urlencoded; charset=UTF-8",
        "text/plain",
    ]);
    let authorization = prop_oneof![
        Just(String::new()),
        Just("ACS3-HMAC-SHA256 Credential=demo-aliyun,SignedHeaders=host;x-acs-date,Signature=00".to_owned()),
        "ACS3-[ -~]{0,60}",
    ];
    let body = prop_oneof![params(), ".{0,40}", r#"\{"PublicKey":"demo-ucloud","Action":.{0,20}\}"#];
    (method, params(), content_type, authorization, body).prop_map(
        |(method, query, content_type, authorization, body)| {
            let mut call = Call::new(method, "", "/", query);
            for (name, value) in [("content-type", content_type), ("authorization", &authorization)] {
                if let (false, Ok(value)) = (value.is_empty(), HeaderValue::from_str(value)) {
                    call.headers.insert(HeaderName::from_static(name), value);
                }
            }
            call.body = body.into();
            call
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn every_call_is_answered_and_none_reaches_the_target(call in call()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let reply = runtime.block_on(front_before_nothing().answer(Arrived { call, overrun: None, peer: PEER }));
        prop_assert!(!reply.body.is_empty());
        let body = String::from_utf8(reply.body.to_vec()).unwrap();
        let json = Document::from_json(body.as_bytes());
        prop_assert!(json.is_ok() || body.starts_with("<?xml"), "{}", body);
        let code = json.ok().and_then(|body| Some(body.member("RetCode")?.scalar()?.into_owned()));
        prop_assert!(code.as_deref() != Some("0") && (code.is_some() || !reply.status.is_success()), "{}", body);
    }

    #[test]
    fn every_call_can_be_explained_or_is_refused(call in call()) {
        let stamp = Stamps::fixed("2026-01-02T03:04:05Z".parse().unwrap()).next();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        if let Err(refusal) = runtime.block_on(explain(&CONFIG, call, &stamp)) {
            prop_assert!(!refusal.reply.body.is_empty());
        }
    }
}
