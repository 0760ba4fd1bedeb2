//! The pooled client: sends one [`Call`], waits for one [`Reply`], and says of each failure what it means.
//!
//! No redirects, no retries of anything that may have been sent, no proxy from the environment, no decompression: a signed call goes out once, as it is,
//! to the host that it was signed for. The one thing that a caller has to know of a failure is whether the call may
//! have been carried out, so that is what the variants of [`SendError`] say.

use std::{
    error::Error,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, Uri, header, uri::PathAndQuery};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::connect::HttpConnector;
use tokio::time::timeout;

use crate::wire::{Call, Reply};

use super::{
    body::{Capped, read_capped},
    pool::{Link, Pool, Reach},
    tls::{TlsError, client_config},
};

/// A client with its pool of connections. Clones share the pool.
#[derive(Clone)]
pub struct Client {
    pool: Arc<Pool>,
}

impl Client {
    /// A client that trusts the public authorities and, if given, those in the PEM text `extra_ca`.
    ///
    /// # Errors
    /// [`TlsError`] when `extra_ca` holds no usable certificate.
    pub fn new(extra_ca: Option<&[u8]>) -> Result<Self, TlsError> {
        let tls = HttpsConnectorBuilder::new().with_tls_config(client_config(extra_ca)?);
        let connector = tls.https_or_http().enable_http1().wrap_connector(tcp());
        Ok(Self { pool: Pool::new(connector) })
    }

    /// Sends `call` to its origin and reads the reply, all of it `within` that time and `max_reply_bytes`.
    ///
    /// `Host` is made from the origin unless the call has one; `Content-Length` is always ours.
    ///
    /// # Errors
    /// [`SendError`], which says whether the call may have been carried out.
    pub async fn send(
        &self,
        call: Call,
        within: Duration,
        max_reply_bytes: usize,
    ) -> Result<Reply, SendError> {
        let connected = AtomicBool::new(false);
        match timeout(within, self.exchange(call, &connected, max_reply_bytes)).await {
            Ok(outcome) => outcome,
            Err(_) if connected.load(Ordering::Relaxed) => Err(SendError::TimedOut),
            Err(_) => Err(SendError::Unreachable("no connection in time".into())),
        }
    }

    /// `connected` says whether something may have been sent, from right before it is.
    async fn exchange(
        &self,
        call: Call,
        connected: &AtomicBool,
        max_reply_bytes: usize,
    ) -> Result<Reply, SendError> {
        let reach = Reach::to(&call.origin);
        let origin = call.origin.clone();
        let mut request = request(call)?;
        loop {
            let (mut link, is_fresh) = match self.pool.take(&reach).await {
                Some(link) => (link, false),
                None => (self.connect(&origin).await?, true),
            };
            connected.store(true, Ordering::Relaxed);
            match link.carry(request, async |response| read(response, max_reply_bytes).await).await {
                Ok(reply) => {
                    let reply = reply?;
                    self.pool.keep(reach, link);
                    return Ok(reply);
                }
                Err(mut failure) => match failure.take_message() {
                    // One that was kept may end the moment it is used; nothing was sent then.
                    Some(unsent) if !is_fresh => {
                        connected.store(false, Ordering::Relaxed);
                        request = unsent;
                    }
                    Some(_) => return Err(SendError::Unreachable(failure.into_error().into())),
                    None => return Err(SendError::Lost(failure.into_error().into())),
                },
            }
        }
    }

    async fn connect(&self, origin: &str) -> Result<Link, SendError> {
        let to: Uri = origin.parse().map_err(|error| SendError::Unreachable(Box::new(error)))?;
        self.pool.connect(to).await.map_err(SendError::Unreachable)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

/// Why there is no reply. No text here holds any part of the call: its query may carry a usable signature.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// No connection, or one that ended before anything was written: the call was **not** carried out.
    #[error("cannot be reached")]
    Unreachable(#[source] Box<dyn Error + Send + Sync>),
    /// The connection broke before the reply was complete: the call **may have been** carried out.
    #[error("the connection was lost before the reply was complete")]
    Lost(#[source] Box<dyn Error + Send + Sync>),
    /// Time ran out after a connection was there: the call **may have been** carried out.
    #[error("no reply in time")]
    TimedOut,
    /// There is a reply, and it is longer than the caller wants to hold: the call **was** most likely carried out.
    #[error("the reply is too large")]
    ReplyTooLarge,
}

/// The request as it goes to its host: the origin is the connection's affair.
fn request(call: Call) -> Result<Request<Full<Bytes>>, SendError> {
    let unusable = |error: http::Error| SendError::Unreachable(Box::new(error));
    let target = PathAndQuery::from_maybe_shared(call.target()).map_err(|error| unusable(error.into()))?;
    let Call { method, origin, path: _, query: _, mut headers, body } = call;
    headers.remove(header::TRANSFER_ENCODING);
    // What is read is handed on as it is, so a coding that the reader cannot undo must not be asked for.
    headers.remove(header::ACCEPT_ENCODING);
    headers.remove(header::CONTENT_LENGTH);
    if !headers.contains_key(header::HOST) {
        let host = HeaderValue::try_from(host_of(&origin)).map_err(|error| unusable(error.into()))?;
        headers.insert(header::HOST, host);
    }
    // A GET without a body has no length; a POST without one needs a zero, or some servers answer 411.
    if !body.is_empty() || !matches!(method, Method::GET | Method::HEAD) {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    }
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = method;
    *request.uri_mut() = Uri::from(target);
    *request.headers_mut() = headers;
    Ok(request)
}

/// Host and port of an origin; the port that the scheme has anyway is left out.
fn host_of(origin: &str) -> &str {
    let (scheme, authority) = origin.split_once("://").unwrap_or(("", origin));
    let usual = if scheme == "https" { ":443" } else { ":80" };
    authority.strip_suffix(usual).unwrap_or(authority)
}

async fn read(response: Response<Incoming>, max: usize) -> Result<Reply, SendError> {
    let (head, body) = response.into_parts();
    let read = read_capped(body, max).await.map_err(|error| SendError::Lost(Box::new(error)))?;
    match read {
        Capped { bytes, rest: None } => Ok(Reply { status: head.status, headers: head.headers, body: bytes }),
        Capped { rest: Some(_), .. } => Err(SendError::ReplyTooLarge),
    }
}

fn tcp() -> HttpConnector {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECT_WITHIN));
    tcp
}

const CONNECT_WITHIN: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;
    use crate::http::loopback::{BOUNDS, Loopback, Recorder};

    const SOON: Duration = Duration::from_secs(5);

    /// A call to a server that reads a request, says `reply` and hangs up.
    async fn call_answered_with(reply: &'static [u8]) -> Call {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _read = stream.read(&mut [0; 4096]).await.unwrap();
            stream.write_all(reply).await.unwrap();
        });
        Call::new(Method::POST, &origin, "/", "Signature=s3cret".to_owned())
    }

    async fn failed(call: Call, within: Duration) -> SendError {
        Client::new(None).unwrap().send(call, within, 100).await.unwrap_err()
    }

    #[tokio::test]
    async fn a_call_arrives_as_it_was_given_and_connections_are_kept() {
        let (service, mut arrivals) = Recorder::new();
        let house = Loopback::start(service, BOUNDS).await;
        let client = Client::new(None).unwrap();
        let mut peers = Vec::new();
        for body in ["a=b", ""] {
            let mut call = house.get("http", "/");
            call.method = Method::POST;
            call.query = "Port=80&Weight=%31".to_owned();
            call.body = Bytes::from(body);
            call.headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
            let reply = client.send(call.clone(), SOON, 2).await.unwrap();
            assert_eq!((reply.status.as_u16(), reply.body.as_ref()), (200, &b"ok"[..]));
            let arrived = arrivals.recv().await.unwrap();
            assert_eq!((arrived.call.query, arrived.call.body), (call.query, call.body));
            let headers = arrived.call.headers;
            assert_eq!(headers[header::HOST], house.addr.to_string());
            assert_eq!(headers[header::CONTENT_LENGTH], body.len().to_string());
            assert_eq!(headers.len(), 2, "{headers:?}");
            peers.push(arrived.peer);
        }
        assert_eq!(peers[0], peers[1]);
    }

    #[tokio::test]
    async fn a_kept_connection_that_was_closed_meanwhile_is_not_used() {
        let (service, mut arrivals) = Recorder::new();
        let bounds = crate::http::Bounds { idle_timeout: Duration::from_millis(100), ..BOUNDS };
        let house = Loopback::start(service, bounds).await;
        let client = Client::new(None).unwrap();
        let mut peers = Vec::new();
        for _ in 0..2 {
            client.send(house.get("http", "/"), SOON, 2).await.unwrap();
            peers.push(arrivals.recv().await.unwrap().peer);
            // Until the server has closed it; nothing tells from outside.
            tokio::time::sleep(Duration::from_millis(400)).await;
        }
        assert_ne!(peers[0], peers[1]);
    }

    #[tokio::test]
    async fn calls_beside_each_other_have_connections_of_their_own() {
        let (service, mut arrivals) = Recorder::slow(Duration::from_millis(200));
        let house = Loopback::start(service, BOUNDS).await;
        let client = Client::new(None).unwrap();
        let call = || client.send(house.get("http", "/"), SOON, 2);
        let (one, other) = tokio::join!(call(), call());
        assert!(one.is_ok() && other.is_ok());
        assert_ne!(arrivals.recv().await.unwrap().peer, arrivals.recv().await.unwrap().peer);
    }

    #[test]
    fn the_usual_port_is_left_out_of_the_host() {
        for (origin, host) in [
            ("https://slb.aliyuncs.com:443", "slb.aliyuncs.com"),
            ("http://slb.aliyuncs.com:80", "slb.aliyuncs.com"),
            ("https://slb.aliyuncs.com:80", "slb.aliyuncs.com:80"),
            ("http://[::1]:8080", "[::1]:8080"),
        ] {
            assert_eq!(host_of(origin), host);
        }
    }

    #[tokio::test]
    async fn nobody_listening_is_unreachable() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let error = failed(Call::new(Method::GET, &origin, "/", String::new()), SOON).await;
        assert!(matches!(error, SendError::Unreachable(_)), "{error:?}");
    }

    #[tokio::test]
    async fn a_tls_handshake_that_hangs_is_unreachable() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("https://{}", listener.local_addr().unwrap());
        let call = Call::new(Method::GET, &origin, "/", String::new());
        let error = failed(call, Duration::from_millis(100)).await;
        assert!(matches!(error, SendError::Unreachable(_)), "{error:?}");
    }

    #[tokio::test]
    async fn an_origin_that_is_no_address_is_unreachable() {
        for origin in ["", "ftp://127.0.0.1", "http://", "127.0.0.1:1", "http://[::1"] {
            let error = failed(Call::new(Method::GET, origin, "/", String::new()), SOON).await;
            assert!(matches!(error, SendError::Unreachable(_)), "{origin}: {error:?}");
        }
    }

    #[tokio::test]
    async fn a_reply_that_does_not_come_is_timed_out() {
        let (service, _arrivals) = Recorder::slow(SOON);
        let house = Loopback::start(service, BOUNDS).await;
        let error = failed(house.get("http", "/"), Duration::from_millis(100)).await;
        assert!(matches!(error, SendError::TimedOut), "{error:?}");
    }

    #[tokio::test]
    async fn a_connection_that_breaks_is_lost_and_the_error_holds_no_signature() {
        for reply in
            [&b""[..], b"HTTP/1.1 200 OK\r\nContent-Le", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab"]
        {
            let error = failed(call_answered_with(reply).await, SOON).await;
            assert!(matches!(error, SendError::Lost(_)), "{error:?}");
            assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
        }
    }

    #[tokio::test]
    async fn a_reply_above_the_bound_is_too_large_and_one_until_close_is_read() {
        let call = call_answered_with(b"HTTP/1.1 200 OK\r\n\r\nabc").await;
        let client = Client::new(None).unwrap();
        assert_eq!(client.send(call, SOON, 3).await.unwrap().body, "abc");
        let call = call_answered_with(b"HTTP/1.1 200 OK\r\n\r\nabcd").await;
        assert!(matches!(client.send(call, SOON, 3).await, Err(SendError::ReplyTooLarge)));
    }

    #[tokio::test]
    async fn a_redirect_is_a_reply() {
        let call =
            call_answered_with(b"HTTP/1.1 302 Found\r\nLocation: /a\r\nContent-Length: 0\r\n\r\n").await;
        let reply = Client::new(None).unwrap().send(call, SOON, 0).await.unwrap();
        assert_eq!(reply.header("location"), Some("/a"));
    }

    #[tokio::test]
    async fn a_private_authority_is_trusted_only_when_it_is_given() {
        let (service, mut arrivals) = Recorder::new();
        let (house, identity) = Loopback::start_tls(service).await;
        let error = failed(house.get("https", "/"), SOON).await;
        assert!(matches!(error, SendError::Unreachable(_)), "{error:?}");
        let client = Client::new(Some(&identity.chain_pem())).unwrap();
        assert_eq!(client.send(house.get("https", "/a"), SOON, 2).await.unwrap().body, "ok");
        assert_eq!(arrivals.recv().await.unwrap().call.path, "/a");
    }
}
