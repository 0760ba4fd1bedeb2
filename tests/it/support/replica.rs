//! A gateway in this process that may be one of several before the same clouds, and what callers of either cloud ask it.

use std::net::SocketAddr;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use weighbridge::{auth::Stamps, config::Config, gateway::Gateway, store::StoreAt, wire::Reply};

use super::{
    caller::{in_query, plain_signed_by, rpc_signed_by},
    house::Clouds,
    outpost::ask,
    signing::{Pairs, decoded},
};

/// A gateway with a store that others may use too.
pub struct Replica {
    pub address: SocketAddr,
    admin: SocketAddr,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

impl Replica {
    /// Opens one before these clouds.
    pub async fn open(clouds: &Clouds, store: &StoreAt) -> Self {
        let anywhere = "127.0.0.1:0".parse().unwrap();
        let config = Config {
            listen: vec![anywhere],
            admin: Some(anywhere),
            store: store.clone(),
            ..clouds.config.clone()
        };
        let gateway = Gateway::bind(config, Stamps::system().unwrap()).await.unwrap();
        let (address, admin) = (gateway.addresses().unwrap()[0], gateway.admin_address().unwrap().unwrap());
        let stop = CancellationToken::new();
        Self { address, admin, running: tokio::spawn(gateway.run(stop.clone())), stop }
    }

    /// Sends a request as it is.
    pub async fn ask(&self, request: &[u8]) -> Reply {
        ask(self.address, request).await
    }

    /// What is answered to a caller of Alibaba Cloud.
    pub async fn aliyun(&self, query: &str) -> String {
        text(&self.ask(&aliyun(query)).await)
    }

    /// What is answered to a caller of UCloud.
    pub async fn ucloud(&self, query: &str) -> String {
        text(&self.ask(&ucloud(query)).await)
    }

    /// What the admin listener says.
    pub async fn admin(&self, path: &str) -> String {
        text(&ask(self.admin, format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).await)
    }

    /// Stops it, and waits until it has.
    pub async fn stop(self) {
        self.stop.cancel();
        self.running.await.unwrap();
    }
}

/// A reply in one line: status and body.
pub fn text(reply: &Reply) -> String {
    format!("{} {}", reply.status.as_u16(), String::from_utf8_lossy(&reply.body))
}

/// A request of the embedded default's client of Alibaba Cloud.
pub fn aliyun(query: &str) -> Vec<u8> {
    let now = Stamps::system().unwrap().next().utc();
    let key = ("demo-aliyun", "demo-aliyun-secret");
    in_query("GET", &rpc_signed_by(key, &now, "GET", &params(query)))
}

/// A request of the embedded default's client of UCloud.
pub fn ucloud(query: &str) -> Vec<u8> {
    in_query("GET", &plain_signed_by(("demo-ucloud", "demo-ucloud-secret"), &params(query)))
}

fn params(query: &str) -> Pairs {
    decoded(query)
}
