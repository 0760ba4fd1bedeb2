//! What is not translated, and where it goes: nowhere, or to a target of the caller's own cloud, as it came.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::StatusCode;
use serde_json::Value;
use tokio::time::sleep;
use tokio_util::task::TaskTracker;
use weighbridge::{
    config::Target,
    dialect::{Arrival, Asked, BoxFuture, Handler, Request, Wanted},
    engine::{Engine, Upstream},
    model::{Fault, FaultKind, Operation, Outcome, RemoveBackends},
    store::Memory,
    telemetry::Account,
    wire::{Call, Params, Reply},
};

use crate::{
    life::stage::{at, ecs, rsp},
    support::{
        caller::{in_form, in_query, pairs, plain_signed, rpc_signed, told},
        demo_config,
        outpost::{Change, Outpost},
        signing::Pairs,
        target::{Answers, param_of, signature_problem},
    },
};

/// The clients of the golden config, with a place for what is not translated.
const PASSED_ON: [Change<'static>; 2] = [
    ("target  = \"ucloud-prod\"", "target = \"ucloud-prod\"\nuntranslated = \"aliyun-prod\""),
    ("target  = \"aliyun-prod\"", "target = \"aliyun-prod\"\nuntranslated = \"ucloud-prod\""),
];

fn listener() -> Pairs {
    pairs(&[
        ("Action", "CreateLoadBalancerTCPListener"),
        ("LoadBalancerId", "lb-own"),
        ("ListenerPort", "80"),
        ("Bandwidth", "-1"),
        ("Anything", "a b+c*d~e"),
    ])
}

fn ulb() -> Pairs {
    pairs(&[("Action", "CreateULB"), ("Region", "cn-sh2"), ("ULBName", "a b+c"), ("Nobody", "knows")])
}

fn says(body: &'static str) -> Answers {
    let mut reply = Reply::new(StatusCode::BAD_REQUEST, "application/json;charset=utf-8", body);
    reply.append(http::HeaderName::from_static("x-own"), "kept");
    Answers::Always(reply)
}

#[tokio::test]
async fn an_action_without_a_place_to_go_is_refused_and_goes_nowhere() {
    let outpost = Outpost::open(&[], says("{}")).await;
    let reply = outpost.ask(&in_query("GET", &rpc_signed("GET", &listener()))).await;
    assert!(told(&reply).message.contains("CreateLoadBalancerTCPListener"), "{:?}", reply.body);
    let reply = outpost.ask(&in_form("", &plain_signed(&ulb()))).await;
    assert_eq!(told(&reply).code, "200 161");
    assert!(outpost.target.take_calls().is_empty());
}

#[tokio::test]
async fn an_action_goes_on_as_it_came_and_its_answer_comes_back_as_it_came() {
    const BODY: &str = r#"{"Code":"ListenerAlreadyExists",  "Message":"as it came"}"#;
    let outpost = Outpost::open(&PASSED_ON, says(BODY)).await;
    let reply = outpost.ask(&in_query("GET", &rpc_signed("GET", &listener()))).await;
    assert_eq!((reply.status.as_u16(), reply.body.as_ref()), (400, BODY.as_bytes()));
    assert_eq!(reply.header("content-type"), Some("application/json;charset=utf-8"));
    let calls = outpost.target.take_calls();
    let [call] = calls.as_slice() else { panic!("{} calls", calls.len()) };
    assert_eq!(call.header("x-acs-action"), Some("CreateLoadBalancerTCPListener"));
    assert_eq!(signature_problem(call), None);
    for (name, value) in listener().iter().filter(|(name, _)| name != "Action") {
        assert_eq!(param_of(call, name).as_ref(), Some(value), "{name}");
    }
    assert_eq!(param_of(call, "RegionId").as_deref(), Some("cn-shenzhen"), "the target's own");
    for name in ["AccessKeyId", "Signature", "SignatureNonce", "Timestamp"] {
        assert_eq!(param_of(call, name), None, "{name} is the caller's");
    }
}

#[tokio::test]
async fn so_does_one_of_the_other_dialect() {
    let outpost = Outpost::open(&PASSED_ON, says(r#"{"RetCode":4071,"Message":"as it came"}"#)).await;
    let reply = outpost.ask(&in_form("Action=CreateULB", &plain_signed(&ulb()))).await;
    assert_eq!(told(&reply).message, "as it came");
    let calls = outpost.target.take_calls();
    let [call] = calls.as_slice() else { panic!("{} calls", calls.len()) };
    let sent = [
        ("Action", "CreateULB"),
        ("Region", "cn-sh2"),
        ("ULBName", "a b+c"),
        ("Nobody", "knows"),
        ("ProjectId", "org-abc123"),
        ("PublicKey", "gateway@example.com200"),
    ];
    for (name, value) in sent {
        assert_eq!(param_of(call, name).as_deref(), Some(value), "{name}");
    }
    assert_eq!(call.header("channel-key"), Some("ch_golden"));
}

/// A caller who is told of a wrong signature looks for it in the wrong place: it is the gateway's.
#[tokio::test]
async fn a_refusal_of_the_gateways_own_key_is_the_gateways_to_tell() {
    for body in [
        r#"{"Code":"SignatureDoesNotMatch","Message":"server string to sign is:x","RequestId":"1"}"#,
        r#"{"RetCode":171,"Message":"Signature VerifyAC Error"}"#,
    ] {
        let outpost = Outpost::open(&PASSED_ON, says(body)).await;
        let is_ours = body.contains("RetCode");
        let request = if is_ours {
            in_form("", &plain_signed(&ulb()))
        } else {
            in_query("GET", &rpc_signed("GET", &listener()))
        };
        let told = told(&outpost.ask(&request).await);
        assert_eq!(told.code, if is_ours { "200 130" } else { "503 ServiceUnavailable" });
        assert!(told.message.contains("the gateway's own key"), "{}", told.message);
    }
}

#[tokio::test]
async fn a_request_of_somebody_else_goes_nowhere() {
    let outpost = Outpost::open(&PASSED_ON, says("{}")).await;
    let mut request = rpc_signed("GET", &listener());
    for (name, value) in &mut request {
        if name == "ListenerPort" {
            *value = "81".to_owned();
        }
    }
    let reply = outpost.ask(&in_query("GET", &request)).await;
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(body["Code"], "SignatureDoesNotMatch");
    assert!(outpost.target.take_calls().is_empty());
}

/// A target that only counts how many calls it has at a time.
#[derive(Default)]
struct Counting {
    in_flight: AtomicUsize,
    most: AtomicUsize,
    all: AtomicUsize,
}

impl Upstream for Counting {
    fn call<'a>(
        &'a self,
        _: &'a Target,
        step: &'a Operation,
        _: &'a Account,
    ) -> BoxFuture<'a, Result<Outcome, Fault>> {
        Box::pin(async move { Err(Fault::new(FaultKind::Internal, format!("{step:?} is no passing on"))) })
    }

    fn pass<'a>(
        &'a self,
        _: &'a Target,
        _: &'a Arrival,
        _: &'a Account,
    ) -> BoxFuture<'a, Result<Reply, Fault>> {
        Box::pin(async move {
            let now = self.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            self.all.fetch_add(1, Ordering::SeqCst);
            sleep(Duration::from_secs(1)).await;
            self.in_flight.fetch_sub(1, Ordering::SeqCst);
            Ok(Reply::new(StatusCode::OK, "application/json", "{}"))
        })
    }
}

#[tokio::test(start_paused = true)]
async fn changes_of_one_group_that_go_on_as_they_came_stand_in_line_too() {
    let mut config = demo_config();
    let own = config.targets.iter().position(|target| target.provider == "aliyun").unwrap();
    let client = config.clients.iter().position(|client| client.dialect == "aliyun").unwrap();
    config.clients[client].target = own;
    let target = Arc::new(Counting::default());
    let upstream = Arc::clone(&target) as Arc<dyn Upstream>;
    let engine = Engine::new(Arc::new(config), upstream, Arc::new(Memory::new()), TaskTracker::new());
    let ask = |number: usize| {
        let backends = vec![at(ecs(number), 80)];
        let remove = RemoveBackends { scope: rsp("rsp-cige6j5e7p").into(), backends };
        let call = Call::new(http::Method::GET, "", "/", String::new());
        let arrival = Arc::new(Arrival { call, params: Params::default(), signed: None });
        let wanted = Wanted::Translated(Arc::new(Asked::all(Operation::RemoveBackends(remove))));
        let at = "2026-01-02T03:04:05Z".parse().unwrap();
        let request = Request {
            id: format!("line-{number}"),
            at,
            client,
            wanted,
            arrival,
            place: None,
            repeat: None,
            account: Account::unread(),
        };
        let engine = engine.clone();
        async move { engine.handle(request).await }
    };
    let asked = futures_util::future::join_all((1..=5).map(ask)).await;
    assert!(asked.iter().all(Result::is_ok), "{asked:?}");
    assert_eq!((target.all.load(Ordering::SeqCst), target.most.load(Ordering::SeqCst)), (5, 1));
}
