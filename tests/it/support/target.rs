//! A cloud that records what it is asked and answers what the test says: no line of it reads a mapping table.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
};

use http::{StatusCode, header};
use serde_json::{Value, json};
use tokio::{sync::Notify, time::timeout};
use tokio_util::sync::{CancellationToken, DropGuard};
use weighbridge::{
    http::{Answer, Arrived, Bounds, Door, Listener, Service, serve},
    wire::{Call, Reply},
};

use super::{
    outpost::PATIENCE,
    signing::{acs3_signature, decoded, rpc_signature},
};

/// The gateway's key where signatures hold a nonce.
const KEY_THERE: (&str, &str) = ("LTAI5tGateway", "gateway-secret-at-aliyun");

/// A recording target at an address of its own. It stops when this is dropped.
pub struct Target {
    /// Where it listens.
    pub address: SocketAddr,
    record: Arc<Record>,
    _stop: DropGuard,
}

/// How a target answers.
pub enum Answers {
    /// To every call of an action that has a reply of its own, that one; to all others these, in this order, and an
    /// error to every call beyond them.
    Scripted(BTreeMap<String, Reply>, Vec<Reply>),
    /// This, always.
    Always(Reply),
    /// Yes to every add, and an empty group to every look, in the language in which it is asked.
    Yes,
    /// Not at all, though it listens.
    Never,
    /// Not at all: nobody listens there.
    Absent,
}

struct Record {
    answers: Mutex<Answers>,
    calls: Mutex<Vec<Call>>,
    called: Notify,
}

impl Target {
    /// A target that answers so.
    pub async fn start(answers: Answers) -> Self {
        let absent = matches!(answers, Answers::Absent);
        let record =
            Arc::new(Record { answers: Mutex::new(answers), calls: Mutex::default(), called: Notify::new() });
        let listener = Listener::bind((Ipv4Addr::LOCALHOST, 0).into(), None).await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        let bounds = Bounds { max_body_bytes: 1 << 20, max_request_line_bytes: 65_534, ..Bounds::USUAL };
        let listeners = if absent { Vec::new() } else { vec![listener] };
        tokio::spawn(serve(
            listeners,
            Arc::clone(&record) as Arc<dyn Service>,
            Door::new(bounds),
            stop.clone(),
        ));
        Self { address, record, _stop: stop.drop_guard() }
    }

    /// The calls since the last look, in the order in which they came.
    pub fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut *self.record.calls.lock().unwrap())
    }

    /// Waits for a call.
    pub async fn called(&self) {
        timeout(PATIENCE, self.record.called.notified()).await.expect("a call in time");
    }
}

impl Service for Record {
    fn answer(&self, arrived: Arrived) -> Answer<'_> {
        let call = arrived.call;
        self.calls.lock().unwrap().push(call.clone());
        self.called.notify_one();
        let reply = match &mut *self.answers.lock().unwrap() {
            Answers::Scripted(named, others) => {
                let named = action_of(&call).and_then(|action| named.get(&action)).cloned();
                Some(named.unwrap_or_else(|| next(others)))
            }
            Answers::Always(reply) => Some(reply.clone()),
            Answers::Yes => Some(yes(&call)),
            Answers::Never | Answers::Absent => None,
        };
        Box::pin(async move {
            match reply {
                Some(reply) => reply,
                None => std::future::pending().await,
            }
        })
    }
}

/// The parameters of a call, wherever they travel.
pub fn params_of(call: &Call) -> Vec<(String, String)> {
    let body = std::str::from_utf8(&call.body).expect("a body of text");
    [decoded(&call.query), decoded(body)].concat()
}

/// The value of one parameter.
pub fn param_of(call: &Call, name: &str) -> Option<String> {
    params_of(call).into_iter().find(|(known, _)| known == name).map(|(_, value)| value)
}

/// What a call asks for, wherever it says so.
pub fn action_of(call: &Call) -> Option<String> {
    call.header("x-acs-action").map(str::to_owned).or_else(|| param_of(call, "Action"))
}

/// Whether a signature over a nonce holds, which cannot be written down.
pub fn signature_problem(found: &Call) -> Option<String> {
    if let Some(authorization) = found.header(header::AUTHORIZATION.as_str()) {
        let part = |name: &str| Some(authorization.split_once(name)?.1.split(',').next()?.to_owned());
        let names = part("SignedHeaders=").expect("signed headers");
        let right = acs3_signature(found, &names, KEY_THERE.1);
        let keyed = part("Credential=").is_some_and(|key| key == KEY_THERE.0);
        let holds = keyed && part("Signature=").is_some_and(|signature| signature == right);
        return (!holds).then(|| format!("`{authorization}` does not verify"));
    }
    param_of(found, "SignatureMethod")?;
    let right = rpc_signature(found.method.as_str(), &params_of(found), KEY_THERE.1);
    let signature = param_of(found, "Signature").unwrap_or_default();
    (signature != right).then(|| format!("the signature `{signature}` does not verify"))
}

fn next(replies: &mut Vec<Reply>) -> Reply {
    if replies.is_empty() {
        return Reply::new(StatusCode::IM_A_TEAPOT, "text/plain", "the case has no reply for this call");
    }
    replies.remove(0)
}

fn yes(call: &Call) -> Reply {
    let body = match param_of(call, "BackendServers") {
        Some(list) => json!({
            "RequestId": "365F4154-92F6-4AE4-92F8-7FF34B540710",
            "VServerGroupId": param_of(call, "VServerGroupId"),
            "BackendServers": {"BackendServer": with_numbers(&list)},
        }),
        None if param_of(call, "VServerGroupId").is_some() => json!({
            "RequestId": "365F4154-92F6-4AE4-92F8-7FF34B540710",
            "VServerGroupId": param_of(call, "VServerGroupId"),
            "BackendServers": {"BackendServer": []},
        }),
        None if param_of(call, "Action").as_deref() == Some("DescribeVServer") => json!({
            "RetCode": 0,
            "Action": "DescribeVServerResponse",
            "TotalCount": 1,
            "DataSet": [{
                "ULBId": param_of(call, "ULBId"),
                "VServerId": param_of(call, "VServerId"),
                "VServerName": "web",
                "Protocol": "TCP",
                "FrontendPort": 80,
                "Method": "Roundrobin",
                "Status": 0,
                "BackendSet": [],
            }],
        }),
        None => json!({"RetCode": 0, "Action": "AllocateBackendResponse", "BackendId": "backend-hjz2421u"}),
    };
    Reply::new(StatusCode::OK, "application/json", body.to_string())
}

/// A list of servers as a reply has it: `Port` and `Weight` are numbers there.
fn with_numbers(list: &str) -> Value {
    let mut servers: Value = serde_json::from_str(list).expect("a JSON list");
    for server in servers.as_array_mut().expect("a list") {
        for name in ["Port", "Weight"] {
            let number: u32 = server[name].as_str().expect("text").parse().expect("digits");
            server[name] = number.into();
        }
    }
    servers
}
