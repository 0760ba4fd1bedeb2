//! Fifty at once, over real sockets.

use std::time::Duration;

use futures_util::future::join_all;
use http::StatusCode;
use serde_json::Value;
use tokio::{runtime::Runtime, time::Instant};
use weighbridge::{config::Config, wire::Reply};

use crate::support::{
    breaker::{Becomes, Heard},
    caller::{pairs, told},
    demo_config,
    program::announce,
    scene::{Caller, Scene, succeeded},
    signing::Pairs,
    target::param_of,
};

const RSP: &str = "rsp-cige6j5e7p";

/// What one write takes.
const LONG: Duration = Duration::from_secs(1);

/// The nth of fifty backends: twenty servers, each on several ports.
fn place(number: usize) -> (usize, usize) {
    (number % 20 + 1, 80 + number / 20)
}

fn ucloud_add(number: usize) -> Pairs {
    let (server, port) = place(number);
    pairs(&[
        ("ULBId", "ulb-abc123"),
        ("VServerId", "vserver-def456"),
        ("ResourceType", "UHost"),
        ("ResourceId", &format!("uhost-demo{server:02}")),
        ("Port", &port.to_string()),
        ("Weight", "50"),
    ])
}

fn aliyun_add(number: usize) -> Pairs {
    let (server, port) = place(number);
    let list = format!(r#"[{{"ServerId":"i-bp1example{server:08}","Port":"{port}","Weight":"50"}}]"#);
    pairs(&[("VServerGroupId", RSP), ("BackendServers", &list)])
}

/// The embedded default, with callers of Alibaba Cloud before Alibaba Cloud.
fn same_cloud() -> Config {
    let mut config = demo_config();
    let target = config.targets.iter().position(|target| target.provider == "aliyun").unwrap();
    let client = config.clients.iter_mut().find(|client| client.dialect == "aliyun").unwrap();
    client.target = target;
    config
}

/// So many callers at once, each with one backend; the replies, and how long it took.
async fn at_once(scene: &Scene, caller: Caller, count: usize) -> (Vec<Reply>, Duration) {
    let began = Instant::now();
    let ask = |number| match caller {
        Caller::Aliyun => scene.ask_all("AddVServerGroupBackendServers", aliyun_add(number)),
        Caller::Ucloud => scene.ask_all("AllocateBackend", ucloud_add(number)),
    };
    (join_all((0..count).map(ask)).await, began.elapsed())
}

/// How many backends each write adds.
fn sizes(heard: &[Heard]) -> Vec<usize> {
    let size = |heard: &Heard| {
        let list: Value = serde_json::from_str(&param_of(&heard.call, "BackendServers")?).ok()?;
        list.as_array().map(Vec::len)
    };
    heard.iter().map(|heard| size(heard).expect("a list of backends")).collect()
}

#[test]
fn fifty_callers_add_one_backend_each_in_four_calls() {
    Runtime::new().unwrap().block_on(async {
        for (name, config, caller) in
            [("UCloud", demo_config(), Caller::Ucloud), ("Alibaba Cloud", same_cloud(), Caller::Aliyun)]
        {
            let scene = Scene::open(&config, caller, LONG).await;
            let (replies, took) = at_once(&scene, caller, 50).await;
            assert!(replies.iter().all(answered), "{replies:?}");
            let sizes = sizes(&scene.breaker.changes());
            announce(&format!(
                "50 callers of {name}, a write takes 1 s: {} calls of {sizes:?} backends in {:.1} s",
                sizes.len(),
                took.as_secs_f64()
            ));
            assert!(sizes.len() <= 4, "{sizes:?}");
            assert_eq!(scene.count(RSP), 50);
        }
    });
}

fn answered(reply: &Reply) -> bool {
    told(reply).code == "200 0"
}

/// A reply of Alibaba Cloud's that tells of a fault.
fn refused(code: &str) -> Becomes {
    let body = format!(r#"{{"Code":"{code}","Message":"please try again later"}}"#);
    Becomes::Told(Reply::new(StatusCode::BAD_REQUEST, "application/json", body))
}

#[test]
fn a_target_that_is_busy_after_it_has_answered_gets_all_fifty() {
    Runtime::new().unwrap().block_on(async {
        let scene = Scene::open(&demo_config(), Caller::Ucloud, Duration::from_millis(100)).await;
        let mut free = Instant::now();
        scene.breaker.follow(move |heard| {
            if heard.change > 0 && heard.at < free {
                return refused("VServerGroupProcessing");
            }
            free = heard.at + LONG;
            Becomes::Whole
        });
        let (replies, took) = at_once(&scene, Caller::Ucloud, 50).await;
        assert!(replies.iter().all(succeeded), "{replies:?}");
        let calls = scene.breaker.changes().len();
        announce(&format!(
            "50 callers, one write a second: {calls} calls with those refused, in {:.1} s",
            took.as_secs_f64()
        ));
        assert_eq!(scene.count(RSP), 50);
    });
}

#[test]
fn one_bad_backend_of_a_merged_call_fails_its_own_caller_alone() {
    Runtime::new().unwrap().block_on(async {
        let scene = Scene::open(&demo_config(), Caller::Ucloud, Duration::from_millis(200)).await;
        scene.breaker.follow(|heard| {
            let list = param_of(&heard.call, "BackendServers").unwrap_or_default();
            let bad = heard.change > 0 && list.contains("i-bp1example00000007");
            if bad { refused("ObtainIpFail") } else { Becomes::Whole }
        });
        let (replies, _) = at_once(&scene, Caller::Ucloud, 20).await;
        let failed: Vec<usize> =
            replies.iter().enumerate().filter(|(_, reply)| !succeeded(reply)).map(|(at, _)| at).collect();
        assert_eq!(failed, [6], "the caller of uhost-demo07 alone");
        let text = told(&replies[6]).message;
        assert!(text.contains("uhost-demo07 port 80"), "{text}");
        let sizes = sizes(&scene.breaker.changes());
        announce(&format!("20 callers, one of them with a bad backend: calls of {sizes:?} backends"));
        assert_eq!(scene.count(RSP), 19);
    });
}
