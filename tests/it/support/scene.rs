//! A gateway in this process before two simulated clouds, with a line to the one that the caller's calls go to that can be
//! broken.

use std::{fmt::Write as _, net::SocketAddr, time::Duration};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_util::sync::{CancellationToken, DropGuard};
use weighbridge::{
    auth::Stamps, config::Config, gateway::Gateway, model::Group, simulator::Simulation, wire::Reply,
};

use super::{
    breaker::Breaker,
    caller::{FORM, pairs, plain_signed_by, raw, rpc_signed_by, told},
    message::read_reply,
    outpost::PATIENCE,
    signing::{Pairs, encoded},
};

/// Whose caller asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// Of Alibaba Cloud.
    Aliyun,
    /// Of UCloud.
    Ucloud,
}

impl Caller {
    fn dialect(self) -> &'static str {
        match self {
            Self::Aliyun => "aliyun",
            Self::Ucloud => "ucloud",
        }
    }
}

/// The clouds, the line, and the gateway. All of it ends when this is dropped.
pub struct Scene {
    /// The line to the target.
    pub breaker: Breaker,
    caller: Caller,
    target: String,
    address: SocketAddr,
    simulation: Simulation,
    _stop: DropGuard,
}

impl Scene {
    /// Opens one by a config; every call to a cloud takes `latency`.
    pub async fn open(config: &Config, caller: Caller, latency: Duration) -> Self {
        let mut config = Config { listen: vec!["127.0.0.1:0".parse().unwrap()], ..config.clone() };
        let stamps = Stamps::system().unwrap();
        let simulation = Simulation::start(&mut config, &stamps, latency).await.unwrap();
        let client = config.clients.iter().find(|client| client.dialect == caller.dialect()).unwrap();
        let row = &mut config.targets[client.target];
        let (target, breaker) = (row.name.to_string(), Breaker::before(&row.endpoint).await);
        row.endpoint.clone_from(&breaker.origin);
        let gateway = Gateway::bind(config, stamps).await.unwrap();
        let (address, stop) = (gateway.addresses().unwrap()[0], CancellationToken::new());
        tokio::spawn(gateway.run(stop.clone()));
        Self { breaker, caller, target, address, simulation, _stop: stop.drop_guard() }
    }

    /// Sends a call of the caller's, signed as this moment.
    pub async fn ask(&self, action: &str, own: &[(&str, &str)]) -> Reply {
        self.ask_all(action, pairs(own)).await
    }

    /// The same with parameters of its own.
    pub async fn ask_all(&self, action: &str, own: Pairs) -> Reply {
        timeout(PATIENCE, converse(self.address, &self.request(action, own))).await.expect("a reply in time")
    }

    fn request(&self, action: &str, own: Pairs) -> Vec<u8> {
        let mut params = pairs(&[("Action", action)]);
        params.extend(own);
        match self.caller {
            Caller::Aliyun => {
                params.extend(pairs(&[("RegionId", "cn-hangzhou"), ("Format", "JSON")]));
                let now = Stamps::system().unwrap().next().utc();
                let signed = rpc_signed_by(("demo-aliyun", "demo-aliyun-secret"), &now, "POST", &params);
                raw("POST", &encoded(&signed), None, "")
            }
            Caller::Ucloud => {
                params.extend(pairs(&[("Region", "cn-bj2"), ("ProjectId", "org-abc123")]));
                let signed = plain_signed_by(("demo-ucloud", "demo-ucloud-secret"), &params);
                raw("POST", "", Some(FORM), &encoded(&signed))
            }
        }
    }

    /// Sends one that has to succeed.
    pub async fn done(&self, action: &str, own: &[(&str, &str)]) -> Value {
        let reply = self.ask(action, own).await;
        assert!(succeeded(&reply), "{action}: {reply:?}");
        serde_json::from_slice(&reply.body).unwrap()
    }

    /// The groups of the target, in no particular order, one per line and without the ids that a new one would get.
    pub fn held(&self) -> String {
        let groups = self.simulation.cloud(&self.target).unwrap().groups();
        lines(groups.iter().map(line))
    }

    /// How many backends a group of the target holds.
    pub fn count(&self, group: &str) -> usize {
        self.simulation.cloud(&self.target).unwrap().members(group).len()
    }
}

/// A group in one line.
fn line(group: &Group) -> String {
    let mut line = format!("{:?} {:?}", group.name, group.listeners);
    let mut members: Vec<String> =
        group.members.iter().map(|member| format!("\n    {:?}", member.backend)).collect();
    members.sort();
    line.extend(members);
    line
}

/// Lines in their own order.
pub fn lines(of: impl Iterator<Item = String>) -> String {
    let mut all: Vec<String> = of.collect();
    all.sort();
    let mut text = String::new();
    for line in all {
        writeln!(text, "{line}").unwrap();
    }
    text
}

/// Whether a reply says so, of each of its items too.
pub fn succeeded(reply: &Reply) -> bool {
    let body: Value = serde_json::from_slice(&reply.body).expect("a JSON body");
    let items = body["BackendSet"].as_array().cloned().unwrap_or_default();
    let code = told(reply).code;
    code == "200 0" && items.iter().all(|item| item.get("SubRetCode").is_none_or(|code| code == 0))
}

async fn converse(address: SocketAddr, request: &[u8]) -> Reply {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("a head"));
    }
    let mut reply = read_reply(&String::from_utf8(head).unwrap().replace("\r\n", "\n"));
    let mut body = vec![0; reply.header("content-length").expect("a length").parse().unwrap()];
    stream.read_exact(&mut body).await.unwrap();
    reply.body = body.into();
    reply
}
