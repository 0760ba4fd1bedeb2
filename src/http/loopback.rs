//! For tests: a server on a port of the system's choice, a service that records, and a client that writes raw bytes.

use std::{fs, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use http::{Method, StatusCode};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{Answer, Arrived, Bounds, Door, Listener, Service, SharedServerConfig, serve, server_config};
use crate::wire::{Call, Reply};

/// The bounds that the contract gives.
pub(super) const BOUNDS: Bounds = Bounds::USUAL;

/// Answers `ok` and passes on what arrived.
pub(super) struct Recorder {
    arrivals: UnboundedSender<Arrived>,
    delay: Duration,
}

impl Recorder {
    pub(super) fn new() -> (Self, UnboundedReceiver<Arrived>) {
        Self::slow(Duration::ZERO)
    }

    pub(super) fn slow(delay: Duration) -> (Self, UnboundedReceiver<Arrived>) {
        let (arrivals, seen) = unbounded_channel();
        (Self { arrivals, delay }, seen)
    }
}

impl Service for Recorder {
    fn answer(&self, arrived: Arrived) -> Answer<'_> {
        Box::pin(async move {
            let _unwatched = self.arrivals.send(arrived);
            sleep(self.delay).await;
            Reply::new(StatusCode::OK, "text/plain", "ok")
        })
    }
}

/// A running server.
pub(super) struct Loopback {
    pub(super) addr: SocketAddr,
    shutdown: CancellationToken,
    served: JoinHandle<()>,
}

impl Loopback {
    pub(super) async fn start(service: Recorder, bounds: Bounds) -> Self {
        Self::on(Listener::bind(ANY_PORT.parse().unwrap(), None).await.unwrap(), service, bounds)
    }

    pub(super) async fn start_tls(service: Recorder) -> (Self, Identity) {
        let identity = Identity::new();
        (Self::start_with(service, identity.shared()).await, identity)
    }

    pub(super) async fn start_with(service: Recorder, tls: SharedServerConfig) -> Self {
        Self::start_tls_with(service, tls, BOUNDS).await
    }

    pub(super) async fn start_tls_with(service: Recorder, tls: SharedServerConfig, bounds: Bounds) -> Self {
        let listener = Listener::bind(ANY_PORT.parse().unwrap(), Some(tls)).await.unwrap();
        Self::on(listener, service, bounds)
    }

    fn on(listener: Listener, service: Recorder, bounds: Bounds) -> Self {
        let (addr, shutdown) = (listener.local_addr().unwrap(), CancellationToken::new());
        let served =
            tokio::spawn(serve(vec![listener], Arc::new(service), Door::new(bounds), shutdown.clone()));
        Self { addr, shutdown, served }
    }

    pub(super) async fn connect(&self) -> Wire {
        Wire(TcpStream::connect(self.addr).await.unwrap())
    }

    /// Asks on one connection after another until an answer begins like this.
    pub(super) async fn ask_until(&self, answer: &str) {
        let asking = async {
            while !self.ask().await.starts_with(answer) {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, asking).await.expect("such an answer");
    }

    /// What comes back on a connection of its own; nothing if it is dropped.
    async fn ask(&self) -> String {
        let (mut stream, mut answer) = (self.connect().await.0, Vec::new());
        let _dropped = stream.write_all(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n").await;
        let _dropped = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    pub(super) fn get(&self, scheme: &str, path: &str) -> Call {
        Call::new(Method::GET, &format!("{scheme}://{}", self.addr), path, String::new())
    }

    pub(super) async fn stop(self) {
        self.shutdown.cancel();
        timeout(PATIENCE, self.served).await.expect("the server stops").unwrap();
    }
}

/// A client's end of a connection.
pub(super) struct Wire(TcpStream);

/// A reply, its head in lower case.
pub(super) struct Answered {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
}

impl Wire {
    pub(super) async fn send(&mut self, bytes: &[u8]) {
        timeout(PATIENCE, self.0.write_all(bytes)).await.expect("the server reads").unwrap();
    }

    /// The next reply, read to the end that its `Content-Length` gives.
    pub(super) async fn reply(&mut self) -> Answered {
        timeout(PATIENCE, self.read_reply()).await.expect("a reply")
    }

    /// All that comes until the server hangs up.
    pub(super) async fn rest(&mut self) -> String {
        let mut rest = Vec::new();
        timeout(PATIENCE, self.0.read_to_end(&mut rest)).await.expect("an end").unwrap();
        String::from_utf8_lossy(&rest).into_owned()
    }

    /// Sends a byte now and then until the server says something; all that it says.
    pub(super) async fn dribble(&mut self) -> String {
        let saying = async {
            while timeout(Duration::from_millis(10), self.0.readable()).await.is_err() {
                self.0.write_all(b"x").await.unwrap();
            }
        };
        timeout(PATIENCE, saying).await.expect("an answer to a head without end");
        self.rest().await
    }

    async fn read_reply(&mut self) -> Answered {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.0.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()).unwrap();
        let mut body = vec![0; length.parse().unwrap()];
        self.0.read_exact(&mut body).await.unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answered { status, head, body: String::from_utf8(body).unwrap() }
    }
}

/// A self-signed certificate for 127.0.0.1, in files.
pub(super) struct Identity {
    pub(super) chain: PathBuf,
    pub(super) key: PathBuf,
    _folder: tempfile::TempDir,
}

impl Identity {
    pub(super) fn new() -> Self {
        Self::made("127.0.0.1", rcgen::IsCa::NoCa)
    }

    /// The same the way `openssl req -x509` makes it: it calls itself an authority.
    pub(super) fn authority(name: &str) -> Self {
        Self::made(name, rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained))
    }

    fn made(name: &str, is_ca: rcgen::IsCa) -> Self {
        let mut params = rcgen::CertificateParams::new([name.to_owned()]).unwrap();
        params.is_ca = is_ca;
        let signing_key = rcgen::KeyPair::generate().unwrap();
        let cert = params.self_signed(&signing_key).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (chain, key) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
        fs::write(&chain, cert.pem()).unwrap();
        fs::write(&key, signing_key.serialize_pem()).unwrap();
        Self { chain, key, _folder: folder }
    }

    pub(super) fn shared(&self) -> SharedServerConfig {
        Arc::new(ArcSwap::new(server_config(&self.chain, &self.key).unwrap()))
    }

    pub(super) fn chain_pem(&self) -> Vec<u8> {
        fs::read(&self.chain).unwrap()
    }
}

const ANY_PORT: &str = "127.0.0.1:0";
/// A test that takes longer than this has failed.
const PATIENCE: Duration = Duration::from_secs(10);
