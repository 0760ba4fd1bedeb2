//! SDKs of Alibaba Cloud SLB, which add to UCloud ULB.

use std::time::Duration;

use serde_json::{Value, json};
use weighbridge::model::Kind;

use super::driver::{Driver, Sdk};
use crate::support::{
    house::{Held, House},
    tap::Tap,
};

const GROUP: &str = "rsp-cige6j5e7p";
/// A group of which nothing is expected but refusals.
const EMPTY_GROUP: &str = "rsp-demo2";
const TARGET: &str = "ucloud-simulated";

/// One backend: as it is asked for, as it is answered, and as the target holds it.
struct Case {
    asked: Value,
    answered: Value,
    held: Held,
}

impl Case {
    /// The backends of one call, on ports from `first_port` on.
    fn several(count: u16, first_port: u16) -> Vec<Self> {
        (0..count).map(|at| Self::of(at, first_port + at)).collect()
    }

    fn of(at: u16, port: u16) -> Self {
        let Server { here, there, kind, word } = Server::at(at);
        let weight = [Some(0), Some(1), Some(100), None][usize::from(at % 4)];
        let description = description(at);
        let mut asked = json!({"ServerId": here, "Port": port});
        if at % 2 == 1 {
            asked["Port"] = port.to_string().into();
        }
        if let Some(weight) = weight {
            asked["Weight"] = weight.into();
        }
        if !description.is_empty() {
            asked["Description"] = description.clone().into();
        }
        // `ecs` goes without saying, and half of the time it is not said.
        if word != "ecs" || at % 2 == 1 {
            asked["Type"] = word.into();
        }
        let held = Held { port, server: there, kind, weight: Some(weight.unwrap_or(100)).filter(|w| *w > 0) };
        let answered = json!({"ServerId": here, "Port": port, "Weight": weight.unwrap_or(100), "Type": word,
                              "Description": description});
        Self { asked, answered, held }
    }
}

/// Twenty of them make a request line of more than the 8 kB that many servers stop at.
fn description(at: u16) -> String {
    match at {
        0 | 4 => String::new(),
        1 | 5 => "blue".to_owned(),
        2 | 6 => "后端 a+b&c*~ 100%".to_owned(),
        _ => "后".repeat(80),
    }
}

/// A row of the embedded resource map.
struct Server {
    here: String,
    there: String,
    kind: Kind,
    word: &'static str,
}

impl Server {
    /// An instance, an interface, a container and bare metal, and then instances.
    fn at(at: u16) -> Self {
        let server = |here: &str, there: &str, kind, word| Self {
            here: here.to_owned(),
            there: there.to_owned(),
            kind,
            word,
        };
        match at {
            1 => server("eni-bp1demo01", "uni-demo01", Kind::Interface, "eni"),
            2 => server("eci-bp1demo01", "cube-demo01", Kind::Container, "eci"),
            3 => server("i-bp1metal01", "upm-demo01", Kind::Metal, "ecs"),
            at => {
                let (here, there) =
                    (format!("i-bp1example{:08}", at + 1), format!("uhost-demo{:02}", at + 1));
                server(&here, &there, Kind::Instance, "ecs")
            }
        }
    }
}

/// One call of an add, and what it has to come to.
struct Add {
    job: Value,
    cases: Vec<Case>,
}

impl Add {
    fn of(house: &House, count: u16, first_port: u16) -> Self {
        let cases = Case::several(count, first_port);
        let asked: Vec<Value> = cases.iter().map(|case| case.asked.clone()).collect();
        Self { job: job(&house.endpoint(), &asked), cases }
    }

    fn single_quoted(self) -> Self {
        let Self { mut job, cases } = self;
        job["spelling"] = "single-quoted".into();
        Self { job, cases }
    }

    fn check_answer(&self, told: &Value, as_read: fn(Value) -> Value) {
        let answered = self.cases.iter().map(|case| as_read(case.answered.clone())).collect();
        assert_eq!(told["BackendServers"]["BackendServer"], Value::Array(answered));
        assert_eq!(told["VServerGroupId"], GROUP);
        assert!(is_request_id(told["RequestId"].as_str().unwrap()), "{told}");
    }
}

fn job(endpoint: &str, backends: &[Value]) -> Value {
    json!({"endpoint": endpoint, "key_id": "demo-aliyun", "secret": "demo-aliyun-secret", "region": "cn-hangzhou",
           "group": GROUP, "backends": backends})
}

/// A version 4 UUID in capitals, as this cloud writes it.
fn is_request_id(text: &str) -> bool {
    text.parse::<uuid::Uuid>().is_ok() && text.len() == 36 && text.to_uppercase() == text
}

/// Adds 1, 3 and 20 backends as JSON and 3 as pseudo-JSON, beside each other. `as_read` is what the SDK's parser makes
/// of an answered backend.
fn adds_arrive_and_are_answered(sdk: Sdk, as_read: fn(Value) -> Value) {
    let Some(driver) = sdk.driver() else { return };
    let house = House::open(Duration::ZERO);
    let adds = [
        Add::of(&house, 1, 1000),
        Add::of(&house, 3, 2000),
        Add::of(&house, 20, 3000),
        Add::of(&house, 3, 4000).single_quoted(),
    ];
    let jobs: Vec<Value> = adds.iter().map(|add| add.job.clone()).collect();
    for (add, told) in adds.iter().zip(driver.told_each(&jobs)) {
        add.check_answer(&told.unwrap(), as_read);
    }
    let held: Vec<Held> = adds.into_iter().flat_map(|add| add.cases).map(|case| case.held).collect();
    assert_eq!(house.clouds().held(TARGET, "vserver-def456"), held);
}

/// The JSON parsers hand numbers on as numbers.
fn as_json(answered: Value) -> Value {
    answered
}

/// XML has no numbers.
fn as_xml(mut answered: Value) -> Value {
    for name in ["Port", "Weight"] {
        answered[name] = answered[name].to_string().into();
    }
    answered
}

#[test]
fn tea_adds_with_acs3() {
    adds_arrive_and_are_answered(Sdk::Tea, as_json);
}

#[test]
fn tea_adds_with_signature_1_0() {
    adds_arrive_and_are_answered(Sdk::TeaV1, as_json);
}

/// It signs and sends `host: http://127.0.0.1:PORT`, which is no host.
#[test]
fn tea_is_understood_when_its_endpoint_is_a_url() {
    let Some(driver) = Sdk::Tea.driver() else { return };
    let house = House::open(Duration::ZERO);
    for (slash, first_port) in [("", 1000), ("/", 2000)] {
        let mut add = Add::of(&house, 3, first_port);
        add.job["endpoint"] = format!("http://{}{slash}", house.endpoint()).into();
        add.check_answer(&driver.told(&add.job).unwrap(), as_json);
    }
}

#[test]
fn the_classic_sdk_adds() {
    adds_arrive_and_are_answered(Sdk::Classic, as_json);
}

#[test]
fn pop_core_adds_in_the_query() {
    adds_arrive_and_are_answered(Sdk::PopCoreGet, as_json);
}

#[test]
fn pop_core_adds_in_a_form() {
    adds_arrive_and_are_answered(Sdk::PopCorePost, as_json);
}

#[test]
fn libcloud_adds_and_reads_xml() {
    adds_arrive_and_are_answered(Sdk::Libcloud, as_xml);
}

/// What is wrong with a job, and the error that it has to raise.
struct Mistake {
    name: &'static str,
    value: Value,
    code: &'static str,
    status: u16,
    says: &'static str,
}

impl Mistake {
    const fn of(
        name: &'static str,
        value: Value,
        code: &'static str,
        status: u16,
        says: &'static str,
    ) -> Self {
        Self { name, value, code, status, says }
    }

    fn all() -> [Self; 4] {
        let heavy = json!([{"ServerId": "i-bp1example00000001", "Port": 80, "Weight": 101}]);
        [
            Self::of("secret", "wrong".into(), "SignatureDoesNotMatch", 400, "string to sign is:"),
            Self::of(
                "key_id",
                "nobody".into(),
                "InvalidAccessKeyId.NotFound",
                404,
                "access key is not found",
            ),
            Self::of("backends", heavy, "InvalidWeight.Malformed", 400, "BackendServers.1.Weight"),
            Self::of("group", "rsp-unknown".into(), "InvalidParameter", 404, "VServerGroupId does not exist"),
        ]
    }

    fn job(&self, house: &House) -> Value {
        let backend = json!({"ServerId": "i-bp1example00000001", "Port": 80, "Weight": 10});
        let mut job = job(&house.endpoint(), &[backend]);
        job["group"] = EMPTY_GROUP.into();
        job[self.name] = self.value.clone();
        job
    }
}

/// Makes every mistake and gives what the SDK raised for it to `check`; nothing may have been added.
fn mistakes_raise_its_own_error(sdk: Sdk, check: fn(&Mistake, &Value)) {
    let Some(driver) = sdk.driver() else { return };
    let house = House::open(Duration::ZERO);
    let mistakes = Mistake::all();
    let jobs: Vec<Value> = mistakes.iter().map(|mistake| mistake.job(&house)).collect();
    for (mistake, told) in mistakes.iter().zip(driver.told_each(&jobs)) {
        check(mistake, &told.unwrap_err());
    }
    assert_eq!(house.clouds().held(TARGET, "vserver-demo2"), []);
    assert_eq!(house.clouds().calls(TARGET), 0, "a refused request is not sent on");
}

/// Code, status, message and request id stand where the SDK keeps them.
fn check_error(mistake: &Mistake, error: &Value, class: &str) {
    assert_eq!(error["class"], class, "{error}");
    assert_eq!((&error["code"], &error["status"]), (&mistake.code.into(), &mistake.status.into()), "{error}");
    assert!(error["message"].as_str().unwrap().contains(mistake.says), "{error}");
    assert!(is_request_id(error["request_id"].as_str().unwrap()), "{error}");
}

#[test]
fn tea_raises_client_exceptions() {
    let check = |mistake: &Mistake, error: &Value| check_error(mistake, error, "ClientException");
    mistakes_raise_its_own_error(Sdk::Tea, check);
    mistakes_raise_its_own_error(Sdk::TeaV1, check);
}

/// It compares our string to sign with its own, and blames the secret only when they are equal byte for byte.
#[test]
fn the_classic_sdk_finds_its_own_string_to_sign_in_ours() {
    mistakes_raise_its_own_error(Sdk::Classic, |mistake, error| {
        let (code, says) = ("InvalidAccessKeySecret", "AccessKeySecret is incorrect");
        let blamed = Mistake::of("secret", Value::Null, code, 400, says);
        check_error(if mistake.name == "secret" { &blamed } else { mistake }, error, "ServerException");
    });
}

#[test]
fn pop_core_raises_errors_named_by_their_codes() {
    let check =
        |mistake: &Mistake, error: &Value| check_error(mistake, error, &format!("{}Error", mistake.code));
    mistakes_raise_its_own_error(Sdk::PopCoreGet, check);
    mistakes_raise_its_own_error(Sdk::PopCorePost, check);
}

/// It keeps code and request id inside the message.
#[test]
fn libcloud_raises_http_errors_read_from_xml() {
    mistakes_raise_its_own_error(Sdk::Libcloud, |mistake, error| {
        assert_eq!(
            (&error["class"], &error["status"]),
            (&"BaseHTTPError".into(), &mistake.status.into()),
            "{error}"
        );
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(&format!("'code': '{}'", mistake.code)), "{message}");
        assert!(message.contains(mistake.says), "{message}");
        let id = message.split("'request_id': '").nth(1).and_then(|rest| rest.split('\'').next());
        assert!(is_request_id(id.unwrap()), "{message}");
    });
}

/// How long one call to the target takes when the target is slow.
const SLOW: Duration = Duration::from_millis(300);

/// Adds 20 backends while every call to the target is slow; how long the gateway took.
fn slow_add_of_twenty(driver: &Driver) -> Duration {
    let house = House::open(SLOW);
    let tap = Tap::before(&format!("http://{}", house.endpoint()), house.clouds());
    let mut add = Add::of(&house, 20, 1000);
    add.job["endpoint"] = tap.endpoint.clone().into();
    add.check_answer(&driver.told(&add.job).unwrap(), as_json);
    assert_eq!(house.clouds().calls(TARGET), 1 + 20, "a look, and one for each");
    tap.tapped()[0].took
}

#[test]
fn tea_has_its_answer_for_twenty_within_three_seconds_of_a_slow_target() {
    let Some(driver) = Sdk::Tea.driver() else { return };
    let took = slow_add_of_twenty(&driver);
    assert!(took < Duration::from_secs(3), "{took:?}");
}

/// It gives up after 3 s by itself, and 20 calls one after the other would take 6.
#[test]
fn pop_core_does_not_give_up_on_twenty_before_a_slow_target() {
    let Some(driver) = Sdk::PopCoreGet.driver() else { return };
    slow_add_of_twenty(&driver);
}
