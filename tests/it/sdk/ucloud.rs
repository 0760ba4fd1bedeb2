//! SDKs of UCloud ULB, which add to Alibaba Cloud SLB.

use std::{collections::HashSet, time::Duration};

use serde_json::{Value, json};
use weighbridge::{
    dialect::read_handle,
    model::{BackendId, Kind},
};

use super::driver::Sdk;
use crate::support::house::{Held, House};

const GROUP: &str = "vserver-def456";
/// A group of which nothing is expected but refusals.
const EMPTY_GROUP: &str = "vserver-demo2";
const TARGET: &str = "aliyun-simulated";
const TARGET_GROUP: &str = "rsp-cige6j5e7p";

/// One backend: as it is asked for, and as the target holds it.
struct Case {
    asked: Value,
    held: Held,
}

impl Case {
    /// The backends of one job, on ports from `first_port` on.
    fn several(count: u16, first_port: u16, of: fn(u16, u16) -> Self) -> Vec<Self> {
        (0..count).map(|at| of(at, first_port + at)).collect()
    }

    /// One for AllocateBackend: weights 1, 100, none, and disabled with a weight.
    fn single(at: u16, port: u16) -> Self {
        let (mut asked, server, kind) = row(at);
        asked["Port"] = port.into();
        let weight = match at % 4 {
            0 => Some(100),
            1 => Some(1),
            2 => None,
            _ => Some(50),
        };
        if let Some(weight) = weight {
            asked["Weight"] = weight.into();
        }
        if at % 4 == 3 {
            asked["Enabled"] = 0.into();
        }
        let weight = Some(weight.unwrap_or(1)).filter(|_| at % 4 != 3);
        Self { asked, held: Held { port, server, kind, weight } }
    }

    /// One for AllocateBackendBatch, which has no place for a weight: 1 is the default.
    fn batched(at: u16, port: u16) -> Self {
        // Nor has it one for the network of a bare address.
        let (mut asked, server, kind) = row(if at == 4 { 20 } else { at });
        asked["Port"] = port.into();
        let enabled = [None, Some(1), Some(0)][usize::from(at % 3)];
        if let Some(enabled) = enabled {
            asked["Enabled"] = enabled.into();
        }
        Self { asked, held: Held { port, server, kind, weight: Some(1).filter(|_| enabled != Some(0)) } }
    }
}

/// A row of the embedded resource map: as it is asked for, and the server and kind that stand for it. An instance, an
/// interface, a container, bare metal and an address, and then instances.
fn row(at: u16) -> (Value, String, Kind) {
    let of_id = |word: &str, id: &str| json!({"ResourceType": word, "ResourceId": id});
    match at {
        1 => (of_id("UNI", "uni-demo01"), "eni-bp1demo01".to_owned(), Kind::Interface),
        2 => (of_id("CUBE", "cube-demo01"), "eci-bp1demo01".to_owned(), Kind::Container),
        3 => (of_id("UPM", "upm-demo01"), "i-bp1metal01".to_owned(), Kind::Instance),
        4 => {
            let asked = json!({"ResourceType": "IP", "ResourceIP": "10.0.0.5", "VPCId": "uvnet-demo",
                               "SubnetId": "subnet-demo"});
            (asked, "i-bp1address01".to_owned(), Kind::Instance)
        }
        20 => (of_id("UHost", "uhost-ghi789"), "i-bp1example00000021".to_owned(), Kind::Instance),
        at => {
            let asked = of_id("UHost", &format!("uhost-demo{:02}", at + 1));
            (asked, format!("i-bp1example{:08}", at + 1), Kind::Instance)
        }
    }
}

fn job(house: &House, backends: &[Value]) -> Value {
    json!({"endpoint": house.endpoint(), "key_id": "demo-ucloud", "secret": "demo-ucloud-secret",
           "region": "cn-bj2", "project": "org-abc123", "load_balancer": "ulb-abc123", "group": GROUP,
           "backends": backends})
}

/// Adds 1, 3 and 20 backends beside each other. `answered` finds in what a job was told what stands for each backend.
fn adds_arrive_and_are_answered(sdk: Sdk, of: fn(u16, u16) -> Case, answered: fn(&Value) -> Vec<Value>) {
    let Some(driver) = sdk.driver() else { return };
    let house = House::open(Duration::ZERO);
    let adds = [Case::several(1, 1000, of), Case::several(3, 2000, of), Case::several(20, 3000, of)];
    let asked = |cases: &Vec<Case>| cases.iter().map(|case| case.asked.clone()).collect::<Vec<_>>();
    let jobs: Vec<Value> = adds.iter().map(|cases| job(&house, &asked(cases))).collect();
    let mut ids = HashSet::new();
    for (cases, told) in adds.iter().zip(driver.told_each(&jobs)) {
        let answered = answered(&told.unwrap());
        assert_eq!(answered.len(), cases.len(), "{answered:?}");
        for (case, answered) in cases.iter().zip(&answered) {
            check_answer(case, answered);
            assert!(ids.insert(answered["BackendId"].to_string()), "{answered} stands for two backends");
        }
    }
    let held: Vec<Held> = adds.into_iter().flatten().map(|case| case.held).collect();
    assert_eq!(house.clouds().held(TARGET, TARGET_GROUP), held);
}

/// The target has no ids for its backends, so the one that is answered tells what it stands for.
fn check_answer(case: &Case, answered: &Value) {
    let id = answered["BackendId"].as_str().unwrap();
    assert!(id.starts_with("backend-"), "{id}");
    let (group, server, port) = read_handle(&BackendId::new(id).unwrap()).unwrap();
    let found = (group.as_str(), server.to_string(), port.get());
    assert_eq!(found, (TARGET_GROUP, case.held.server.clone(), case.held.port));
}

#[test]
fn the_sdk_adds_one_by_one() {
    adds_arrive_and_are_answered(Sdk::Ucloud, Case::single, |told| told.as_array().unwrap().clone());
}

#[test]
fn the_sdk_adds_a_batch() {
    adds_arrive_and_are_answered(Sdk::UcloudBatch, Case::batched, |told| {
        let answered = told[0]["BackendSet"].as_array().unwrap().clone();
        assert!(answered.iter().all(|answered| answered["ResourceId"].is_string()), "{told}");
        answered
    });
}

/// Its signature has neither time nor nonce, so a repeat cannot be told from a replay.
#[test]
fn an_identical_add_gets_the_recorded_answer() {
    let Some(driver) = Sdk::Ucloud.driver() else { return };
    let house = House::open(Duration::ZERO);
    let job = job(&house, &[Case::single(0, 80).asked]);
    assert_eq!(driver.told(&job).unwrap(), driver.told(&job).unwrap());
    assert_eq!(house.clouds().calls(TARGET), 1);
}

/// What is wrong with a job, and the RetCode and message that it has to raise.
struct Mistake {
    name: &'static str,
    value: Value,
    code: u32,
    says: &'static str,
}

impl Mistake {
    const fn of(name: &'static str, value: Value, code: u32, says: &'static str) -> Self {
        Self { name, value, code, says }
    }

    /// Those that every action can make.
    fn of_any() -> Vec<Self> {
        vec![
            Self::of("secret", "wrong".into(), 171, "Signature VerifyAC Error"),
            Self::of("key_id", "nobody".into(), 172, "User Not Exists"),
            Self::of("group", "vserver-unknown".into(), 4088, "VServer [vserver-unknown] not exists"),
            Self::of("backends", backends("Port", 0), 230, "Port"),
        ]
    }

    /// "the value range is [1-100]": AllocateBackend.
    fn of_weight() -> Vec<Self> {
        let says = "Params [Weight] not available";
        vec![
            Self::of("backends", backends("Weight", 0), 230, says),
            Self::of("backends", backends("Weight", 101), 230, says),
        ]
    }
}

fn backends(name: &str, value: u16) -> Value {
    let mut backend = json!({"ResourceType": "UHost", "ResourceId": "uhost-demo01", "Port": 80});
    backend[name] = value.into();
    json!([backend])
}

fn mistakes_raise_ret_code_exceptions(sdk: Sdk, mistakes: &[Mistake]) {
    let Some(driver) = sdk.driver() else { return };
    let house = House::open(Duration::ZERO);
    let job = |mistake: &Mistake| {
        let mut job = job(&house, &[]);
        job["backends"] = backends("Port", 80);
        job["group"] = EMPTY_GROUP.into();
        job[mistake.name] = mistake.value.clone();
        job
    };
    let jobs: Vec<Value> = mistakes.iter().map(job).collect();
    for (mistake, told) in mistakes.iter().zip(driver.told_each(&jobs)) {
        let error = told.unwrap_err();
        assert_eq!(
            (&error["class"], &error["code"]),
            (&"RetCodeException".into(), &mistake.code.into()),
            "{error}"
        );
        assert!(error["message"].as_str().unwrap().contains(mistake.says), "{error}");
        assert!(error["request_id"].as_str().unwrap().parse::<uuid::Uuid>().is_ok(), "{error}");
    }
    assert_eq!(house.clouds().held(TARGET, "rsp-demo2"), []);
    assert_eq!(house.clouds().calls(TARGET), 0, "a refused request is not sent on");
}

#[test]
fn the_sdk_raises_ret_codes() {
    let mistakes: Vec<Mistake> = Mistake::of_any().into_iter().chain(Mistake::of_weight()).collect();
    mistakes_raise_ret_code_exceptions(Sdk::Ucloud, &mistakes);
}

#[test]
fn the_sdk_raises_ret_codes_for_a_batch() {
    mistakes_raise_ret_code_exceptions(Sdk::UcloudBatch, &Mistake::of_any());
}
