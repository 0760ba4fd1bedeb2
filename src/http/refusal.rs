//! What is said to those whose request is not even read. Whose language they speak is not known here, so it is plain
//! text, and the connection ends with it.

use std::{fmt, io, time::Duration};

use http::StatusCode;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy, sink},
    time::timeout,
};

use crate::wire::Reply;

use super::{
    exchange::{DRAIN_BYTES, DRAIN_WITHIN},
    head::MOST_HEADERS,
};

/// Why a request is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// There are as many connections as may be.
    Connections,
    /// Its headers are more than these bytes, or too many.
    Headers { max_bytes: usize },
    /// Its head was not whole within this time.
    SlowHead { within: Duration },
    /// Its body was not.
    SlowBody { within: Duration },
}

impl Refusal {
    /// Every [`reason`](Self::reason).
    pub(super) const REASONS: [&'static str; 4] = ["connections", "headers", "slow_head", "slow_body"];

    /// The word for it in metrics.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::Headers { max_bytes: _ } => "headers",
            Self::SlowHead { within: _ } => "slow_head",
            Self::SlowBody { within: _ } => "slow_body",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::Connections => StatusCode::SERVICE_UNAVAILABLE,
            Self::Headers { max_bytes: _ } => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::SlowHead { within: _ } | Self::SlowBody { within: _ } => StatusCode::REQUEST_TIMEOUT,
        }
    }

    /// The whole reply.
    fn text(self) -> String {
        let (status, text) = (self.status(), format!("{self}\n"));
        let again = if self == Self::Connections { "Retry-After: 1\r\n" } else { "" };
        format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n{again}Connection: close\r\n\r\n{text}",
            text.len()
        )
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connections => f.write_str("there are as many connections as may be; try again"),
            Self::Headers { max_bytes } => {
                write!(
                    f,
                    "the request has more than {max_bytes} bytes of headers, or more than {MOST_HEADERS} headers"
                )
            }
            Self::SlowHead { within } => {
                write!(f, "the head of the request was not there within {within:?}")
            }
            Self::SlowBody { within } => {
                write!(f, "the body of the request was not there within {within:?}")
            }
        }
    }
}

impl std::error::Error for Refusal {}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.status(), "text/plain", format!("{refusal}\n"))
    }
}

/// Says it and hangs up. What the other side still sends is read and forgotten for a while: closing with unread
/// bytes would reset the connection, and the reply would be lost before it is read.
pub(super) async fn turn_away<S>(mut stream: S, refusal: Refusal) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let farewell = async {
        stream.write_all(refusal.text().as_bytes()).await?;
        stream.shutdown().await?;
        copy(&mut stream.take(DRAIN_BYTES as u64), &mut sink()).await
    };
    timeout(DRAIN_WITHIN, farewell).await?.map(drop)
}

#[cfg(test)]
mod tests {
    use crate::http::{
        Bounds,
        loopback::{BOUNDS, Identity, Loopback, Recorder},
        server::MOST_REFUSALS,
    };

    use super::*;

    const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

    /// A request with a line of `line` bytes and headers of `headers` bytes.
    fn request(line: usize, headers: usize) -> String {
        let target = "x".repeat(line - "GET /? HTTP/1.1".len());
        format!("GET /?{target} HTTP/1.1\r\nA: {}\r\n\r\n", "x".repeat(headers - "A: \r\n\r\n".len()))
    }

    #[tokio::test]
    async fn headers_of_the_bound_are_taken_and_longer_ones_are_answered_431() {
        let (service, mut arrivals) = Recorder::new();
        let house = Loopback::start(service, BOUNDS).await;
        let max = BOUNDS.max_header_bytes;
        for length in [max + 1, 1_000_000, 5_000_000] {
            let mut wire = house.connect().await;
            for line in [100, BOUNDS.max_request_line_bytes] {
                wire.send(request(line, max).as_bytes()).await;
                assert_eq!(wire.reply().await.status, 200);
                assert!(arrivals.try_recv().unwrap().overrun.is_none());
            }
            wire.send(request(100, length).as_bytes()).await;
            let answered = wire.reply().await;
            assert_eq!(answered.status, 431);
            assert!(answered.head.contains("connection: close"), "{}", answered.head);
            assert!(answered.body.contains("65536 bytes"), "{}", answered.body);
            assert_eq!(wire.rest().await, "");
        }
        house.stop().await;
        assert!(arrivals.recv().await.is_none());
    }

    #[tokio::test]
    async fn a_connection_too_many_is_answered_503_until_one_ends() {
        let (service, _arrivals) = Recorder::new();
        let house = Loopback::start(service, Bounds { max_connections: 2, ..BOUNDS }).await;
        let (mut one, other) = (house.connect().await, house.connect().await);
        for _ in 0..3 {
            let mut late = house.connect().await;
            let answered = late.reply().await;
            assert_eq!(answered.status, 503);
            for header in ["retry-after: 1\r\n", "connection: close\r\n"] {
                assert!(answered.head.contains(header), "{}", answered.head);
            }
            assert!(answered.body.ends_with("try again\n"), "{}", answered.body);
            assert_eq!(late.rest().await, "");
        }
        drop(other);
        house.ask_until("HTTP/1.1 200 ").await;
        one.send(GET.as_bytes()).await;
        assert_eq!(one.reply().await.status, 200);
    }

    #[tokio::test]
    async fn a_connection_too_many_over_tls_ends_at_once() {
        let (service, _arrivals) = Recorder::new();
        let identity = Identity::new();
        let bounds = Bounds { max_connections: 1, ..BOUNDS };
        let house = Loopback::start_tls_with(service, identity.shared(), bounds).await;
        let _one = house.connect().await;
        assert_eq!(house.connect().await.rest().await, "");
    }

    /// None of these hangs up, so while the first are being told, those who come after are not.
    #[tokio::test]
    async fn those_who_are_refused_do_not_pile_up() {
        let (service, _arrivals) = Recorder::new();
        let house = Loopback::start(service, Bounds { max_connections: 1, ..BOUNDS }).await;
        let _one = house.connect().await;
        let (mut crowd, mut told) = (Vec::new(), 0);
        for _ in 0..4 * MOST_REFUSALS {
            crowd.push(house.connect().await);
        }
        for wire in &mut crowd {
            told += usize::from(wire.rest().await.starts_with("HTTP/1.1 503 "));
        }
        assert!((MOST_REFUSALS..crowd.len()).contains(&told), "{told}");
        drop(crowd);
        house.ask_until("HTTP/1.1 503 ").await;
    }

    #[tokio::test]
    async fn a_hundred_headers_are_taken_and_one_more_is_answered_431() {
        let (service, _arrivals) = Recorder::new();
        let house = Loopback::start(service, BOUNDS).await;
        for (count, status) in [(MOST_HEADERS, 200), (MOST_HEADERS + 1, 431)] {
            let mut wire = house.connect().await;
            wire.send(format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(count)).as_bytes()).await;
            let answered = wire.reply().await;
            assert_eq!((answered.status, answered.body.is_empty()), (status, false));
        }
    }

    #[tokio::test]
    async fn a_head_that_dribbles_is_answered_408_while_an_idle_connection_lives_on() {
        let (service, _arrivals) = Recorder::new();
        let bounds = Bounds { header_timeout: Duration::from_millis(300), ..BOUNDS };
        let house = Loopback::start(service, bounds).await;
        let (mut idle, mut fresh, mut slow) =
            (house.connect().await, house.connect().await, house.connect().await);
        idle.send(GET.as_bytes()).await;
        idle.reply().await;
        slow.send(b"GET / HTTP/1.1\r\nHost: a\r\nA: ").await;
        let rest = slow.dribble().await;
        assert!(rest.starts_with("HTTP/1.1 408 ") && rest.contains("300ms"), "{rest}");
        for wire in [&mut idle, &mut fresh] {
            wire.send(GET.as_bytes()).await;
            assert_eq!(wire.reply().await.status, 200);
        }
    }

    #[tokio::test]
    async fn an_idle_connection_ends_without_a_word_and_a_busy_one_is_waited_for() {
        let idle_timeout = Duration::from_secs(2);
        let (service, _arrivals) = Recorder::slow(idle_timeout * 3 / 2);
        let house = Loopback::start(service, Bounds { idle_timeout, ..BOUNDS }).await;
        let (mut busy, mut fresh) = (house.connect().await, house.connect().await);
        busy.send(GET.as_bytes()).await;
        assert_eq!(fresh.rest().await, "");
        assert_eq!(busy.reply().await.status, 200);
        assert_eq!(busy.rest().await, "");
    }
}
