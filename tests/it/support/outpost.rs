//! A gateway on a port of its own, before a target that records: the real thing from socket to socket, but for the
//! clock and the cloud.

use std::{fs, net::SocketAddr, path::Path, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_util::sync::{CancellationToken, DropGuard};
use weighbridge::{
    auth::Stamps,
    config::{Config, Known, load_text},
    gateway::Gateway,
    mapping::SourceText,
    providers::PROVIDERS,
    wire::Reply,
};

use super::{
    fixture,
    message::read_reply,
    target::{Answers, Target},
};

/// The moment at which every test happens: that of the worked signature vectors.
pub const NOW: &str = "2026-01-02T03:04:05Z";

/// A test that takes longer than this has failed.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A gateway and its target. Both stop when this is dropped.
pub struct Outpost {
    /// Where the gateway listens.
    pub address: SocketAddr,
    /// The cloud that it calls.
    pub target: Target,
    /// What it works by.
    pub config: Config,
    _stop: DropGuard,
}

/// One word of `golden/weighbridge.toml` in place of another: `("on_loss = \"refuse\"", "on_loss = \"report\"")`.
pub type Change<'c> = (&'c str, &'c str);

impl Outpost {
    /// A gateway by the golden config with these changes, before a target that answers so.
    pub async fn open(changes: &[Change<'_>], answers: Answers) -> Self {
        let target = Target::start(answers).await;
        let endpoint = format!("http://{}", target.address);
        let config = golden_config(changes, &endpoint);
        let stop = CancellationToken::new();
        let gateway = Gateway::bind(config.clone(), Stamps::fixed(NOW.parse().unwrap())).await.unwrap();
        let address = gateway.addresses().unwrap()[0];
        tokio::spawn(gateway.run(stop.clone()));
        Self { address, target, config, _stop: stop.drop_guard() }
    }

    /// Sends raw bytes and reads one reply.
    pub async fn ask(&self, request: &[u8]) -> Reply {
        ask(self.address, request).await
    }
}

/// Sends raw bytes to an address and reads one reply.
pub async fn ask(address: SocketAddr, request: &[u8]) -> Reply {
    timeout(PATIENCE, converse(address, request)).await.expect("a reply in time")
}

async fn converse(address: SocketAddr, request: &[u8]) -> Reply {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // A server that refuses what is too long may close before it has read it all; its reply counts.
    let _unfinished = stream.write_all(request).await;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("a head"));
    }
    let head = String::from_utf8(head).unwrap().replace("\r\n", "\n");
    let mut reply = read_reply(&head);
    let length = reply.header("content-length").expect("a length").parse().unwrap();
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    reply.body = body.into();
    reply
}

fn golden_config(changes: &[Change<'_>], endpoint: &str) -> Config {
    let mut text = golden_text("weighbridge.toml");
    let endpoints = [("https://api.ucloud.cn", endpoint), ("https://slb.{region}.aliyuncs.com", endpoint)];
    for (old, new) in endpoints.iter().chain(changes) {
        assert!(text.contains(old), "the golden config has no `{old}`");
        text = text.replace(old, new);
    }
    let config = SourceText::new("weighbridge.toml", &text);
    let resources = SourceText::new("resources.toml", &golden_text("resources.toml"));
    let schemes: Vec<Vec<&str>> = PROVIDERS
        .iter()
        .map(|provider| provider.schemes.iter().map(|scheme| scheme.id()).collect())
        .collect();
    let known: Vec<Known<'_>> = PROVIDERS
        .iter()
        .zip(&schemes)
        .map(|(provider, schemes)| Known { provider: provider.id, schemes })
        .collect();
    load_text(&config, Some(&resources), Path::new("."), &|_| None, &known)
        .unwrap_or_else(|problems| panic!("{problems:#?}"))
}

fn golden_text(file: &str) -> String {
    fs::read_to_string(fixture("golden").join(file)).unwrap()
}
