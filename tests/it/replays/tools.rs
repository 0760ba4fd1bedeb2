//! What the tools have in common: the way in which each stack of SDKs sends, and the rules by which it reads.

use data_encoding::HEXLOWER;
use serde_json::Value;
use sha1::{Digest, Sha1};
use weighbridge::{auth::Stamps, wire::Reply};

use crate::support::{
    caller::{FORM, in_json, pairs, plain_signed_by, raw, rpc_signed_by},
    house::House,
    signing::{Pairs, encoded},
};

/// The callers of the embedded default.
const ALIYUN: (&str, &str) = ("demo-aliyun", "demo-aliyun-secret");
const UCLOUD: (&str, &str) = ("demo-ucloud", "demo-ucloud-secret");

/// The stacks by which tools of Alibaba Cloud send.
#[derive(Debug, Clone, Copy)]
pub enum Stack {
    /// alibaba-cloud-sdk-go: everything in the query of a POST whose form is empty; empty parameters are left out.
    Go,
    /// tea-rpc: common parameters in the query, those of the action in a form.
    Tea,
    /// aliyun-python-sdk-core: everything in the query of a POST without a content type; footmark adds an `on`.
    Python,
}

/// The stacks by which tools of UCloud send: ucloud-sdk-go, with the action in the query and once more in the form.
#[derive(Debug, Clone, Copy)]
pub enum Plain {
    /// As it is.
    Go,
    /// The command line, which has an empty cookie.
    CommandLine,
}

/// The members of answers that are numbers on both clouds.
const NUMBERS: [&str; 18] = [
    "Port",
    "Weight",
    "ServerCount",
    "ListenerPort",
    "TotalCount",
    "PageNumber",
    "PageSize",
    "RetCode",
    "SubRetCode",
    "Enabled",
    "IsBackup",
    "FrontendPort",
    "ClientTimeout",
    "EnableCompression",
    "ForwardPort",
    "EnableHTTP2",
    "VServerCount",
    "PolicyPriority",
];

/// What the Alibaba Cloud side was answered: the status, and the body.
pub type Answered = (u16, Value);

/// Sends a call of Alibaba Cloud.
pub fn aliyun(house: &House, stack: Stack, action: &str, own: &[(&str, &str)]) -> Answered {
    let reply = reply(house, stack, "JSON", action, own);
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    let kind = reply.header("content-type").unwrap();
    assert!(kind.starts_with("application/json"), "{action}: {kind}");
    check_id(body["RequestId"].as_str());
    (reply.status.as_u16(), body)
}

/// Sends one that asks for XML.
pub fn aliyun_xml(house: &House, action: &str, own: &[(&str, &str)]) -> (u16, String) {
    let reply = reply(house, Stack::Python, "XML", action, own);
    let kind = reply.header("content-type").unwrap();
    assert!(kind.starts_with("text/xml"), "{action}: {kind}");
    (reply.status.as_u16(), String::from_utf8(reply.body.to_vec()).unwrap())
}

fn reply(house: &House, stack: Stack, format: &str, action: &str, own: &[(&str, &str)]) -> Reply {
    let now = Stamps::system().unwrap().next().utc();
    let sent: Vec<_> = own.iter().filter(|(_, value)| !value.is_empty()).copied().collect();
    let mut params = pairs(&[("Action", action), ("RegionId", "cn-hangzhou"), ("Format", format)]);
    params.extend(pairs(&sent));
    match stack {
        Stack::Go => params.push(("SignatureType".to_owned(), String::new())),
        Stack::Python => params.push(("on".to_owned(), action.to_owned())),
        Stack::Tea => {}
    }
    let signed = rpc_signed_by(ALIYUN, &now, "POST", &params);
    let request = match stack {
        Stack::Go => raw("POST", &encoded(&signed), Some(FORM), ""),
        Stack::Python => raw("POST", &encoded(&signed), None, ""),
        Stack::Tea => {
            let is_own = |name: &String| name == "RegionId" || own.iter().any(|(known, _)| known == name);
            let (form, query): (Pairs, Pairs) = signed.into_iter().partition(|(name, _)| is_own(name));
            raw("POST", &encoded(&query), Some(FORM), &encoded(&form))
        }
    };
    house.ask(&request)
}

/// The body of an answer that the tool takes for a success and can read.
pub fn done(action: &str, (status, body): Answered) -> Value {
    assert_eq!((status, body.get("Code")), (200, None), "{action}: {body}");
    check_types(action, &body);
    body
}

/// What says that a thing is gone: Terraform looks for the text, and for the code, in all that an error says.
pub fn check_gone((status, body): &Answered) {
    assert_eq!((*status, &body["Code"]), (404, &"InvalidParameter".into()), "{body}");
    let message = body["Message"].as_str().unwrap();
    assert!(message.starts_with("The specified VServerGroupId does not exist."), "{body}");
}

/// Sends a call of UCloud; every answer is a 200, and what came of the call is its RetCode.
pub fn ucloud(house: &House, tool: Plain, action: &str, own: &[(&str, &str)]) -> Value {
    let mut params = pairs(&[("Action", action), ("Region", "cn-bj2"), ("ProjectId", "org-abc123")]);
    params.extend(pairs(own));
    let form = encoded(&plain_signed_by(UCLOUD, &params));
    let mut request = String::from_utf8(raw("POST", &format!("Action={action}"), Some(FORM), &form)).unwrap();
    if let Plain::CommandLine = tool {
        request = request.replacen("\r\n", "\r\nCookie:\r\n", 1);
    }
    let reply = house.ask(request.as_bytes());
    assert_eq!(reply.status.as_u16(), 200, "{action}");
    let id = reply.header("x-ucloud-request-uuid").map(str::to_uppercase);
    check_id(id.as_deref());
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    check_types(action, &body);
    assert!(body["RetCode"].is_u64(), "{action}: {body}");
    body
}

/// Sends a call of UCloud as a JSON body. The signature is of its members by name: of a list the items one after the
/// other, of an object the members by name again.
pub fn ucloud_json(house: &House, mut body: Value) -> Value {
    body["PublicKey"] = UCLOUD.0.into();
    let text = signed_text(&body) + UCLOUD.1;
    body["Signature"] = HEXLOWER.encode(&Sha1::digest(text.as_bytes())).into();
    let reply = house.ask(&in_json(&body.to_string()));
    assert_eq!(reply.status.as_u16(), 200, "{body}");
    serde_json::from_slice(&reply.body).unwrap()
}

fn signed_text(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut names: Vec<&String> = members.keys().collect();
            names.sort();
            names.into_iter().flat_map(|name| [name.clone(), signed_text(&members[name])]).collect()
        }
        Value::Array(items) => items.iter().map(signed_text).collect(),
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// The answer of a call of UCloud that succeeds.
pub fn ucloud_done(house: &House, tool: Plain, action: &str, own: &[(&str, &str)]) -> Value {
    let body = ucloud(house, tool, action, own);
    assert_eq!(body["RetCode"], 0, "{action}: {body}");
    assert_eq!(body["Action"], format!("{action}Response"));
    body
}

/// A version 4 UUID in capitals.
fn check_id(id: Option<&str>) {
    let id = id.expect("a request id");
    assert!(id.parse::<uuid::Uuid>().is_ok() && id.to_uppercase() == id, "{id}");
}

/// Go reads numbers as numbers and nothing else, and a list that is null takes tools for a thing that is gone.
fn check_types(action: &str, value: &Value) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                assert!(!value.is_null(), "{action}: {name} is null");
                if NUMBERS.contains(&name.as_str()) {
                    // `ListenerPorts` lists bare numbers of this name.
                    let listed = value.as_array().is_some_and(|all| all.iter().all(Value::is_u64));
                    assert!(value.is_u64() || listed, "{action}: {name} is {value}");
                }
                check_types(action, value);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| check_types(action, item)),
        Value::Null => panic!("{action}: null in a list"),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// `$.BackendServers.BackendServer`, whose absence is a failure and not an empty list.
pub fn servers(body: &Value) -> &[Value] {
    body["BackendServers"]["BackendServer"].as_array().unwrap_or_else(|| panic!("no list of servers: {body}"))
}
