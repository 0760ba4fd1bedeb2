//! One request on one connection: read whole and within bounds, answered by the service, written back.
//!
//! hyper's types on one side, ours on the other. What a refusal says is the service's business: it is told what did
//! not fit ([`Overrun`]) and answers in the caller's own form.

use std::{
    fmt,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header, request::Parts};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::time::timeout;

use crate::wire::{Call, Reply};

use super::{
    body::{Capped, drain, read_capped},
    door::Door,
    head::HeadWatch,
    refusal::Refusal,
    request_line::{Cut, LineWatch},
};

/// A request that has been read.
#[derive(Debug)]
pub struct Arrived {
    /// The request. Its path and query are the raw text of the request line, its origin is empty.
    pub call: Call,
    /// Set when the call does not hold the whole request, which leaves nothing to do but to refuse it.
    pub overrun: Option<Overrun>,
    /// Who sent it.
    pub peer: SocketAddr,
}

/// What did not fit into the [`Bounds`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overrun {
    /// The call holds the first `max_body_bytes` of the body.
    Body,
    /// The call's query holds the whole parameters of the beginning and of the end of the request line.
    RequestLine,
}

/// How many connections there may be, how much of a request is read, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// How many connections are held at once, all listeners together. One more is answered 503 before its request is
    /// read, or, over TLS, ended without a word: a handshake costs more than an answer.
    pub max_connections: usize,
    /// The longest body that is read whole.
    pub max_body_bytes: usize,
    /// The longest request line (method, target and version) that is read whole; values above 65,534 count as that.
    pub max_request_line_bytes: usize,
    /// The longest headers, in bytes from the end of the request line to the empty line, which is counted. Whoever sends
    /// longer ones, or more than a hundred, is answered 431 and the connection ends.
    pub max_header_bytes: usize,
    /// How long a head may take from its first byte. One that takes longer is answered 408 and the connection ends.
    pub header_timeout: Duration,
    /// How long a body may take. One that takes longer is answered 408 and the connection ends.
    pub body_timeout: Duration,
    /// How long a connection is kept on which no request begins, or no byte of a reply is taken. It ends without a word.
    pub idle_timeout: Duration,
}

impl Bounds {
    /// What nobody has set. Node's clients fail the call that meets a closing connection, so connections are kept for
    /// longer than the 60 to 75 s for which others keep theirs.
    pub const USUAL: Self = Self {
        max_connections: 4096,
        max_body_bytes: 256 * 1024,
        max_request_line_bytes: 65_000,
        max_header_bytes: 64 * 1024,
        header_timeout: Duration::from_secs(10),
        body_timeout: Duration::from_secs(30),
        idle_timeout: Duration::from_secs(90),
    };
}

impl Default for Bounds {
    fn default() -> Self {
        Self::USUAL
    }
}

/// What answers the requests of a server.
pub trait Service: Send + Sync + 'static {
    /// Answers one request. There is no way not to: a refusal is a reply, too.
    ///
    /// The future is dropped where it stands when the client hangs up, so work that has to be finished belongs in a
    /// task of its own. `Content-Length` and `Transfer-Encoding` of the reply are replaced; `Connection: close` is
    /// honoured.
    fn answer(&self, arrived: Arrived) -> Answer<'_>;
}

/// The future of a reply.
pub type Answer<'s> = Pin<Box<dyn Future<Output = Reply> + Send + 's>>;

/// What the requests of one connection have in common.
pub(super) struct Exchange {
    pub(super) service: Arc<dyn Service>,
    pub(super) door: Arc<Door>,
    pub(super) bounds: Bounds,
    pub(super) peer: SocketAddr,
    pub(super) heads: Arc<HeadWatch>,
    pub(super) lines: Arc<LineWatch>,
    /// Whether a request is with the service: what has not even arrived is not waited for at a stop.
    pub(super) at_work: AtomicBool,
}

/// A request that did not arrive; the connection ends without a reply.
#[derive(Debug, thiserror::Error)]
#[error("the body broke off")]
pub(super) struct BrokenOff(#[from] hyper::Error);

impl Exchange {
    pub(super) async fn respond(
        &self,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, BrokenOff> {
        self.heads.head_was_read();
        let cut = self.lines.head_was_read();
        let (head, mut body) = request.into_parts();
        let within = self.bounds.body_timeout;
        let Ok(read) = timeout(within, read_capped(&mut body, self.bounds.max_body_bytes)).await else {
            let refusal = Refusal::SlowBody { within };
            self.door.refuses(refusal);
            return Ok(last_response(refusal.into(), body));
        };
        let Capped { bytes, rest } = read?;
        let is_whole = rest.is_none();
        let overrun = match (cut, is_whole) {
            (Some(_), _) => Some(Overrun::RequestLine),
            (None, false) => Some(Overrun::Body),
            (None, true) => None,
        };
        let call = call(head, cut, bytes);
        self.at_work.store(true, Ordering::Relaxed);
        let reply = self.service.answer(Arrived { call, overrun, peer: self.peer }).await;
        self.at_work.store(false, Ordering::Relaxed);
        if !is_whole {
            return Ok(last_response(reply, body));
        }
        self.heads.expect_head();
        self.lines.expect_line();
        Ok(response(reply))
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("bounds", &self.bounds)
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

fn call(head: Parts, cut: Option<Cut>, body: Bytes) -> Call {
    let query = head.uri.query().unwrap_or_default();
    let query = cut.map_or_else(|| query.to_owned(), |cut| cut.whole_parameters(query));
    let path = head.uri.path().to_owned();
    Call { method: head.method, origin: String::new(), path, query, headers: head.headers, body }
}

fn response(reply: Reply) -> Response<Full<Bytes>> {
    let Reply { status, mut headers, body } = reply;
    // A length or a coding that was copied from another server's reply may contradict what is written here.
    headers.remove(header::CONTENT_LENGTH);
    headers.remove(header::TRANSFER_ENCODING);
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// The response to a request of which `rest` is unread.
fn last_response(reply: Reply, rest: Incoming) -> Response<Full<Bytes>> {
    // hyper writes the reply while this reads: closing with unread bytes would reset the connection, and the
    // client would lose the reply before it has read it.
    tokio::spawn(timeout(DRAIN_WITHIN, drain(rest, DRAIN_BYTES)));
    let mut response = response(reply);
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// How long and how far the rest of what is too long is read and forgotten.
pub(super) const DRAIN_WITHIN: Duration = Duration::from_secs(2);
pub(super) const DRAIN_BYTES: usize = 8 << 20;

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;
    use crate::http::loopback::{BOUNDS, Loopback, Recorder};

    const SMALL: Bounds = Bounds { max_body_bytes: 1000, ..BOUNDS };

    async fn post(house: &Loopback, length: usize) -> crate::http::loopback::Answered {
        let mut wire = house.connect().await;
        wire.send(format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n").as_bytes()).await;
        wire.send(&vec![b'x'; length]).await;
        wire.reply().await
    }

    #[tokio::test]
    async fn a_body_of_the_bound_is_whole_and_one_byte_more_is_flagged_and_answered() {
        let (service, mut arrivals) = Recorder::new();
        let house = Loopback::start(service, SMALL).await;
        for (length, overrun) in [(1000, None), (1001, Some(Overrun::Body)), (5_000_000, Some(Overrun::Body))]
        {
            let answered = post(&house, length).await;
            assert_eq!((answered.status, answered.body.as_str()), (200, "ok"));
            assert_eq!(answered.head.contains("connection: close"), overrun.is_some());
            let arrived = arrivals.recv().await.unwrap();
            assert_eq!((arrived.overrun, arrived.call.body.len()), (overrun, 1000));
        }
    }

    #[tokio::test]
    async fn a_chunked_body_is_joined_and_bounded() {
        let (service, mut arrivals) = Recorder::new();
        let house = Loopback::start(service, SMALL).await;
        let mut wire = house.connect().await;
        let head = "POST /?a=b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
        wire.send(format!("{head}3\r\na=b\r\n4\r\n&c=d\r\n0\r\n\r\n").as_bytes()).await;
        assert_eq!(wire.reply().await.status, 200);
        assert_eq!(arrivals.recv().await.unwrap().call.body, "a=b&c=d");
        let chunk = "x".repeat(600);
        wire.send(format!("{head}258\r\n{chunk}\r\n258\r\n{chunk}\r\n0\r\n\r\n").as_bytes()).await;
        assert_eq!(wire.reply().await.status, 200);
        let arrived = arrivals.recv().await.unwrap();
        assert_eq!((arrived.overrun, arrived.call.body.len()), (Some(Overrun::Body), 1000));
    }

    #[tokio::test]
    async fn a_post_without_a_length_has_an_empty_body() {
        let (service, mut arrivals) = Recorder::new();
        let house = Loopback::start(service, SMALL).await;
        let mut wire = house.connect().await;
        wire.send(b"POST /?Action=A HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert_eq!(wire.reply().await.status, 200);
        let arrived = arrivals.recv().await.unwrap();
        assert_eq!((arrived.call.query.as_str(), arrived.call.body.len()), ("Action=A", 0));
    }

    #[tokio::test]
    async fn a_host_that_is_a_url_and_utf8_in_a_header_are_taken_as_they_are() {
        let (service, mut arrivals) = Recorder::new();
        let house = Loopback::start(service, SMALL).await;
        let mut wire = house.connect().await;
        wire.send("GET / HTTP/1.1\r\nhost: http://127.0.0.1:1\r\nuser-agent: 后端\r\n\r\n".as_bytes()).await;
        assert_eq!(wire.reply().await.status, 200);
        let call = arrivals.recv().await.unwrap().call;
        assert_eq!(call.header("host"), Some("http://127.0.0.1:1"));
        assert_eq!(call.header("user-agent"), Some("后端"));
    }

    #[tokio::test]
    async fn an_absolute_target_is_split_into_path_and_query() {
        let (service, mut arrivals) = Recorder::new();
        let house = Loopback::start(service, SMALL).await;
        let mut wire = house.connect().await;
        wire.send(b"GET http://slb.aliyuncs.com/?a=%7E+~ HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert_eq!(wire.reply().await.status, 200);
        let call = arrivals.recv().await.unwrap().call;
        assert_eq!((call.origin.as_str(), call.path.as_str(), call.query.as_str()), ("", "/", "a=%7E+~"));
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_reaches_no_service() {
        let (service, mut arrivals) = Recorder::new();
        let house = Loopback::start(service, SMALL).await;
        let mut wire = house.connect().await;
        wire.send(b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc").await;
        drop(wire);
        assert_eq!(post(&house, 7).await.status, 200);
        assert_eq!(arrivals.recv().await.unwrap().call.body.len(), 7);
        house.stop().await;
        assert!(arrivals.recv().await.is_none());
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_is_answered_408_and_reaches_no_service() {
        let (service, mut arrivals) = Recorder::new();
        let bounds = Bounds { body_timeout: Duration::from_millis(300), ..SMALL };
        let house = Loopback::start(service, bounds).await;
        let mut wire = house.connect().await;
        wire.send(b"POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n").await;
        let rest = wire.dribble().await;
        assert!(rest.starts_with("HTTP/1.1 408 ") && rest.contains("connection: close"), "{rest}");
        house.stop().await;
        assert!(arrivals.recv().await.is_none());
    }

    #[test]
    fn framing_copied_from_another_server_is_dropped() {
        let mut reply = Reply::new(StatusCode::OK, "text/plain", "ok");
        reply.append(header::CONTENT_LENGTH, "99");
        reply.append(header::TRANSFER_ENCODING, "chunked");
        let response = response(reply);
        assert_eq!(response.headers().len(), 1);
    }
}
