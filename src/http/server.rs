//! The door: sockets, TLS, and one task for each connection.
//!
//! HTTP/1.1 only, since every client of both clouds speaks it and most speak nothing else. What becomes of a request
//! is in `exchange`; nothing here looks into one.

use std::{
    fmt, io,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig, server::TlsStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    door::{Door, Place},
    exchange::{Bounds, Exchange, Service},
    head::{HeadWatch, Heads},
    refusal::{Refusal, turn_away},
    request_line::{LineWatch, RequestLines},
    workers::Workers,
};

/// TLS settings that can be replaced while they are in use: each connection takes those of its beginning.
pub type SharedServerConfig = Arc<ArcSwap<ServerConfig>>;

/// A bound address.
pub struct Listener {
    socket: TcpListener,
    tls: Option<SharedServerConfig>,
}

impl Listener {
    /// Binds `addr`, for plain HTTP or, with `tls`, for HTTPS.
    ///
    /// # Errors
    /// What the system says when the address cannot be bound.
    pub async fn bind(addr: SocketAddr, tls: Option<SharedServerConfig>) -> io::Result<Self> {
        Ok(Self { socket: TcpListener::bind(addr).await?, tls })
    }

    /// The address, with the port that the system chose when port 0 was asked for.
    ///
    /// # Errors
    /// What the system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// The next connection. An error of `accept` is not the end: the client that hung up meanwhile is forgotten, and
    /// when files have run out the others need a moment to give some back.
    async fn next(&self) -> (TcpStream, SocketAddr) {
        loop {
            match self.socket.accept().await {
                Ok(arrival) => return arrival,
                Err(error) if is_the_clients(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").field("socket", &self.socket).field("tls", &self.tls.is_some()).finish()
    }
}

/// Serves until `shutdown` is cancelled and everything that was in flight has been answered.
///
/// The `workers` take connections in turn. On shutdown the sockets close, idle connections end, busy ones end with the reply that is due. The connections
/// have tasks of their own: dropping this future leaves them running.
pub async fn serve_on(
    workers: Workers,
    listeners: Vec<Listener>,
    service: Arc<dyn Service>,
    door: Arc<Door>,
    shutdown: CancellationToken,
) {
    let tasks = TaskTracker::new();
    let refusals = Arc::new(Semaphore::new(MOST_REFUSALS));
    let porter = Porter { service, door, workers, refusals, shutdown, tasks: tasks.clone() };
    for listener in listeners {
        tasks.spawn(porter.clone().admit(listener));
    }
    tasks.close();
    tasks.wait().await;
}

/// [`serve_on`] the runtime of whoever asks.
pub async fn serve(
    listeners: Vec<Listener>,
    service: Arc<dyn Service>,
    door: Arc<Door>,
    shutdown: CancellationToken,
) {
    serve_on(Workers::here(), listeners, service, door, shutdown).await;
}

/// Lets connections in.
#[derive(Clone)]
struct Porter {
    service: Arc<dyn Service>,
    door: Arc<Door>,
    workers: Workers,
    /// One for each connection that may be told that there is no place.
    refusals: Arc<Semaphore>,
    shutdown: CancellationToken,
    tasks: TaskTracker,
}

impl Porter {
    async fn admit(self, listener: Listener) {
        while let Some((stream, peer)) = self.shutdown.run_until_cancelled(listener.next()).await {
            let tls = listener.tls.as_deref().map(ArcSwap::load_full);
            match self.door.enter() {
                Some(place) => self.hand_over(stream, peer, tls, place),
                None => self.refuse(stream, peer, tls.is_some()),
            }
        }
    }

    /// Has a connection served, on the runtime whose turn it is.
    fn hand_over(&self, stream: TcpStream, peer: SocketAddr, tls: Option<Arc<ServerConfig>>, place: Place) {
        let porter = self.clone();
        let Some(worker) = self.workers.next() else {
            self.tasks.spawn(porter.receive(stream, peer, tls, place));
            return;
        };
        // Only a runtime that watches a socket is woken by it.
        let moved = stream.into_std();
        let received = async move {
            match moved.and_then(TcpStream::from_std) {
                Ok(stream) => porter.receive(stream, peer, tls, place).await,
                Err(error) => tracing::warn!(%peer, %error, "a connection cannot be watched"),
            }
        };
        self.tasks.spawn_on(received, worker);
    }

    /// Says no to a connection, or, in a flood of them or over TLS, just drops it.
    fn refuse(&self, stream: TcpStream, peer: SocketAddr, is_tls: bool) {
        tracing::debug!(%peer, "{}", Refusal::Connections);
        self.door.refuses(Refusal::Connections);
        let turn = Arc::clone(&self.refusals).try_acquire_owned();
        if let (Ok(turn), false) = (turn, is_tls) {
            self.tasks.spawn(async move {
                // It may have hung up before it was told, which is all the same here.
                let _outcome = turn_away(stream, Refusal::Connections).await;
                drop(turn);
            });
        }
    }

    /// Serves one connection to its end, and then gives its `place` back.
    async fn receive(
        self,
        stream: TcpStream,
        peer: SocketAddr,
        tls: Option<Arc<ServerConfig>>,
        place: Place,
    ) {
        // Without it a reply of two segments waits 40 ms for the client's acknowledgement. Failing is not fatal.
        let _outcome = stream.set_nodelay(true);
        let ended = match tls {
            None => self.converse(stream, peer).await,
            Some(tls) => match self.shutdown.run_until_cancelled(handshake(stream, tls)).await {
                Some(Ok(stream)) => self.converse(stream, peer).await,
                Some(Err(error)) => Err(error.into()),
                None => Ok(()),
            },
        };
        if let Err(error) = ended {
            tracing::debug!(%peer, error, "a connection ended early");
        }
        drop(place);
    }

    async fn converse<S>(self, mut stream: S, peer: SocketAddr) -> Result<(), BoxError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let (heads, door) = (Arc::new(HeadWatch::new()), Arc::clone(&self.door));
        let ended = self.answer(&mut stream, peer, Arc::clone(&heads)).await;
        match heads.refusal() {
            Some(refusal) => {
                door.refuses(refusal);
                Ok(turn_away(stream, refusal).await?)
            }
            None => ended,
        }
    }

    async fn answer<S>(self, stream: S, peer: SocketAddr, heads: Arc<HeadWatch>) -> Result<(), BoxError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let Self { service, door, workers: _, refusals: _, shutdown, tasks: _ } = self;
        let bounds = door.bounds();
        let lines = Arc::new(LineWatch::new());
        let stream = Heads::new(stream, bounds, Arc::clone(&heads));
        let stream = RequestLines::new(stream, bounds.max_request_line_bytes, Arc::clone(&lines));
        let at_work = AtomicBool::new(false);
        let exchange = Arc::new(Exchange { service, door, bounds, peer, heads, lines, at_work });
        let respond = service_fn(|request| {
            let exchange = Arc::clone(&exchange);
            async move { exchange.respond(request).await }
        });
        let mut connection = pin!(protocol(&bounds).serve_connection(TokioIo::new(stream), respond));
        tokio::select! {
            ended = connection.as_mut() => return Ok(ended?),
            () = shutdown.cancelled() => connection.as_mut().graceful_shutdown(),
        }
        tokio::select! {
            ended = timeout(STOP_WITHIN, connection) => Ok(ended??),
            () = nothing_to_answer(&exchange) => Ok(()),
        }
    }
}

/// Ends when a connection that is to stop has no request with the service: what it is still reading may never end.
async fn nothing_to_answer(exchange: &Exchange) {
    loop {
        sleep(ARRIVE_WITHIN).await;
        if !exchange.at_work.load(Ordering::Relaxed) {
            return;
        }
    }
}

/// hyper's own limits are just wide enough never to be met before those that are watched: they hold what is not.
fn protocol(bounds: &Bounds) -> http1::Builder {
    let head = bounds.max_request_line_bytes.saturating_add(bounds.max_header_bytes);
    let mut protocol = http1::Builder::new();
    protocol
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.idle_timeout + bounds.header_timeout)
        .max_buf_size(head.saturating_add(SPARE_BYTES));
    protocol
}

async fn handshake(stream: TcpStream, tls: Arc<ServerConfig>) -> io::Result<TlsStream<TcpStream>> {
    timeout(HANDSHAKE_WITHIN, TlsAcceptor::from(tls).accept(stream)).await?
}

fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Enough for those who come a little too many; beyond that it is a flood, and an answer is a waste.
pub(super) const MOST_REFUSALS: usize = 64;
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// hyper asks for this at the least; it has room for line ends and for what comes behind a head.
const SPARE_BYTES: usize = 8192;
/// How long a request that had begun to arrive may take to be there after the shutdown.
const ARRIVE_WITHIN: Duration = Duration::from_secs(2);
/// How long a connection may stay busy after the shutdown.
const STOP_WITHIN: Duration = Duration::from_mins(1);
/// Long enough not to spin while there is no file left to open, too short to notice.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{
        Client,
        loopback::{BOUNDS, Identity, Loopback, Recorder},
    };

    #[tokio::test]
    async fn a_connection_is_kept_and_head_gets_no_body() {
        let (service, _arrivals) = Recorder::new();
        let house = Loopback::start(service, BOUNDS).await;
        let mut wire = house.connect().await;
        for _ in 0..2 {
            wire.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
            let answered = wire.reply().await;
            assert_eq!((answered.status, answered.body.as_str()), (200, "ok"));
            assert!(answered.head.contains("content-length: 2"), "{}", answered.head);
        }
        wire.send(b"HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
        let rest = wire.rest().await;
        assert!(rest.contains("content-length: 2") && rest.ends_with("\r\n\r\n"), "{rest}");
    }

    #[tokio::test]
    async fn a_slow_request_is_answered_after_the_shutdown_and_idle_connections_end() {
        let (service, mut arrivals) = Recorder::slow(Duration::from_millis(300));
        let house = Loopback::start(service, BOUNDS).await;
        let (mut busy, mut idle, mut fresh) =
            (house.connect().await, house.connect().await, house.connect().await);
        idle.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        idle.reply().await;
        busy.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        arrivals.recv().await.unwrap();
        arrivals.recv().await.unwrap();
        let addr = house.addr;
        let stopped = tokio::spawn(house.stop());
        assert_eq!(idle.rest().await, "");
        assert_eq!(fresh.rest().await, "");
        assert!(TcpStream::connect(addr).await.is_err());
        let rest = busy.rest().await;
        assert!(rest.starts_with("HTTP/1.1 200 OK") && rest.contains("connection: close"), "{rest}");
        stopped.await.unwrap();
    }

    #[tokio::test]
    async fn one_connection_does_not_wait_for_another() {
        // The first is not answered while this test lives, so the second arrives only if it need not wait.
        let (service, mut arrivals) = Recorder::slow(Duration::from_hours(1));
        let house = Loopback::start(service, BOUNDS).await;
        let (mut one, mut other) = (house.connect().await, house.connect().await);
        one.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        arrivals.recv().await.unwrap();
        other.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        timeout(Duration::from_secs(10), arrivals.recv()).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_request_that_never_arrives_does_not_hold_up_a_stop() {
        let (service, _arrivals) = Recorder::new();
        let house = Loopback::start(service, BOUNDS).await;
        let (mut head, mut body) = (house.connect().await, house.connect().await);
        for wire in [&mut head, &mut body] {
            wire.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
            wire.reply().await;
        }
        head.send(b"GET / HTTP/1.1\r\nHo").await;
        body.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc").await;
        // Until the server has read what there is; nothing tells from outside.
        sleep(Duration::from_millis(100)).await;
        timeout(Duration::from_secs(20), house.stop())
            .await
            .expect("a stop that does not wait for the peers");
    }

    #[tokio::test]
    async fn a_stranger_at_the_tls_door_does_not_close_it() {
        let (service, _arrivals) = Recorder::new();
        let (house, identity) = Loopback::start_tls(service).await;
        let mut stranger = house.connect().await;
        stranger.send(b"GET / HTTP/1.1\r\n\r\n").await;
        stranger.rest().await;
        let client = Client::new(Some(&identity.chain_pem())).unwrap();
        let reply = client.send(house.get("https", "/"), Duration::from_secs(5), 100).await.unwrap();
        assert_eq!(reply.body, "ok");
    }

    #[tokio::test]
    async fn certificates_can_be_replaced_while_serving() {
        let (service, _arrivals) = Recorder::new();
        let (old, new) = (Identity::new(), Identity::new());
        let tls = old.shared();
        let house = Loopback::start_with(service, Arc::clone(&tls)).await;
        let client = Client::new(Some(&new.chain_pem())).unwrap();
        let patience = Duration::from_secs(5);
        assert!(client.send(house.get("https", "/"), patience, 100).await.is_err());
        tls.store(new.shared().load_full());
        assert!(client.send(house.get("https", "/"), patience, 100).await.is_ok());
    }

    #[tokio::test]
    async fn a_client_that_hangs_up_frees_its_connection_at_once() {
        let (service, mut arrivals) = Recorder::slow(Duration::from_secs(30));
        let house = Loopback::start(service, BOUNDS).await;
        let mut wire = house.connect().await;
        wire.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        arrivals.recv().await.unwrap();
        drop(wire);
        house.stop().await;
    }
}
