//! Makes a request line that is too long answerable.
//!
//! hyper answers a target above 65,534 bytes with a bare 414, and a reply without a body crashes the clients of both
//! clouds. So this stands between the socket and hyper and watches the first line of each request. A line within the
//! limit goes through as it is. Of a longer one the middle is left out: its beginning and its last parameters go on,
//! often `Action`, `Format` and the key among them, and [`LineWatch`] tells the exchange that this request can only
//! be refused.
//!
//! Not a parser: hyper still reads every byte that this lets through. A pipelined request, whose line comes before
//! the reply to the one in front of it, is not watched and gets hyper's own answer.

use std::{
    io, mem,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What the reader of the socket and the exchange tell each other. Both run in the task of one connection, in turns.
#[derive(Debug)]
pub(super) struct LineWatch {
    expects_line: AtomicBool,
    cut: AtomicBool,
    tail: AtomicUsize,
}

/// A request line whose middle was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cut {
    /// How much of the target follows the gap: whole parameters, each with its `&`.
    tail: usize,
}

/// A socket whose request lines are watched.
#[derive(Debug)]
pub(super) struct RequestLines<S> {
    socket: S,
    watch: Arc<LineWatch>,
    line: Line,
    /// What is handed on before more is read.
    held_back: BytesMut,
}

// === impl LineWatch ===

impl LineWatch {
    pub(super) fn new() -> Self {
        Self { expects_line: AtomicBool::new(true), cut: AtomicBool::new(false), tail: AtomicUsize::new(0) }
    }

    /// The head of a request has been read: what comes now is its body. Was its line cut?
    pub(super) fn head_was_read(&self) -> Option<Cut> {
        self.expects_line.store(false, Relaxed);
        self.cut.swap(false, Relaxed).then(|| Cut { tail: self.tail.load(Relaxed) })
    }

    /// A whole request has been answered: what comes now is the line of the next.
    pub(super) fn expect_line(&self) {
        self.expects_line.store(true, Relaxed);
    }

    fn line_ended(&self, cut: Option<Cut>) {
        self.expects_line.store(false, Relaxed);
        if let Some(Cut { tail }) = cut {
            self.tail.store(tail, Relaxed);
            self.cut.store(true, Relaxed);
        }
    }
}

// === impl Cut ===

impl Cut {
    /// `query` without the parameter that the gap has torn.
    pub(super) fn whole_parameters(self, query: &str) -> String {
        let gap = query.len().saturating_sub(self.tail);
        let Some((before, after)) = query.split_at_checked(gap) else { return String::new() };
        let before = before.rsplit_once('&').map_or("", |(whole, _torn)| whole);
        format!("{before}{after}").trim_start_matches('&').to_owned()
    }
}

// === impl RequestLines ===

impl<S> RequestLines<S> {
    /// Watches `socket` for lines of more than `limit` bytes, their line end not counted.
    pub(super) fn new(socket: S, limit: usize, watch: Arc<LineWatch>) -> Self {
        Self { socket, watch, line: Line::new(limit.min(LONGEST_TARGET)), held_back: BytesMut::new() }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for RequestLines<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while this.held_back.is_empty() {
            let before = buf.filled().len();
            ready!(Pin::new(&mut this.socket).poll_read(cx, buf))?;
            let arrived = buf.filled().get(before..).unwrap_or_default();
            if arrived.is_empty() || !this.watch.expects_line.load(Relaxed) {
                return Poll::Ready(Ok(()));
            }
            let Taken { passed, ended } = this.line.take(arrived)?;
            buf.set_filled(before + passed);
            if let Some(Ended { held, cut }) = ended {
                this.watch.line_ended(cut);
                this.held_back = held;
            }
            // Nothing passed and nothing held back is no end of the stream: read on.
            if passed > 0 {
                return Poll::Ready(Ok(()));
            }
        }
        let count = this.held_back.len().min(buf.remaining());
        buf.put_slice(&this.held_back.split_to(count));
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for RequestLines<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().socket).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().socket).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }
}

/// The request line that is under way.
#[derive(Debug)]
struct Line {
    limit: usize,
    /// How much of an over-long line's end is kept.
    tail: usize,
    /// How much went through as it came: at most `limit - tail`.
    passed: usize,
    /// How much was left out.
    dropped: usize,
    /// What came after the part that went through and was not left out.
    held: BytesMut,
}

/// What became of bytes that arrived.
struct Taken {
    /// So many of them go through as they are.
    passed: usize,
    /// The line ended among them.
    ended: Option<Ended>,
}

/// A line that has ended.
struct Ended {
    /// What goes through after what has passed.
    held: BytesMut,
    /// Set when the line was too long.
    cut: Option<Cut>,
}

impl Line {
    fn new(limit: usize) -> Self {
        Self { limit, tail: (limit / 4).min(LONGEST_TAIL), passed: 0, dropped: 0, held: BytesMut::new() }
    }

    fn take(&mut self, arrived: &[u8]) -> io::Result<Taken> {
        // "a server … SHOULD ignore at least one empty line (CRLF) received prior to the request-line" (RFC 9112, 2.2)
        let empty_lines =
            if self.passed == 0 { arrived.iter().take_while(|&&byte| is_line_end(byte)).count() } else { 0 };
        let line = arrived.get(empty_lines..).unwrap_or_default();
        let room = self.limit - self.tail - self.passed;
        let ends_at = line.iter().position(|&byte| byte == b'\n');
        if self.held.is_empty() && ends_at.unwrap_or(line.len()) <= room {
            return Ok(self.take_whole(arrived.len(), line.len(), ends_at));
        }
        let (through, held) = line.split_at_checked(room).unwrap_or((line, &[]));
        self.passed += through.len();
        let ends_at = ends_at.map(|at| self.held.len() + at - through.len());
        self.held.extend_from_slice(held);
        Ok(Taken { passed: empty_lines + through.len(), ended: self.judge(ends_at)? })
    }

    fn take_whole(&mut self, arrived: usize, line: usize, ends_at: Option<usize>) -> Taken {
        let ended = ends_at.map(|_| Ended { held: BytesMut::new(), cut: None });
        self.passed = if ended.is_some() { 0 } else { self.passed + line };
        Taken { passed: arrived, ended }
    }

    /// Decides on the line when its end is among what is held; else sees to it that not too much is held.
    fn judge(&mut self, ends_at: Option<usize>) -> io::Result<Option<Ended>> {
        let length = self.passed + self.dropped + ends_at.unwrap_or(self.held.len());
        // The carriage return stands before the end that was looked for.
        let too_long = length > self.limit + 1;
        let Some(ends_at) = ends_at else {
            return if too_long { self.leave_out(length).map(|()| None) } else { Ok(None) };
        };
        let held = mem::take(&mut self.held);
        (self.passed, self.dropped) = (0, 0);
        Ok(Some(if too_long { cut(held, ends_at, self.tail) } else { Ended { held, cut: None } }))
    }

    fn leave_out(&mut self, length: usize) -> io::Result<()> {
        if length > LONGEST_LINE {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "request line of more than 8 MiB"));
        }
        let surplus = self.held.len().saturating_sub(self.tail);
        self.held.advance(surplus);
        self.dropped += surplus;
        Ok(())
    }
}

/// Keeps whole parameters of the last `tail` bytes of a line that ends at `ends_at`, its version, and what follows.
fn cut(mut held: BytesMut, ends_at: usize, tail: usize) -> Ended {
    held.advance(ends_at.saturating_sub(tail));
    let line = held.get(..ends_at.min(tail)).unwrap_or_default();
    let target_end = line.iter().rposition(|&byte| byte == b' ').unwrap_or(line.len());
    let target = line.get(..target_end).unwrap_or_default();
    let start = target.iter().position(|&byte| byte == b'&').unwrap_or(target_end);
    held.advance(start);
    Ended { held, cut: Some(Cut { tail: target_end - start }) }
}

fn is_line_end(byte: u8) -> bool {
    byte == b'\r' || byte == b'\n'
}

/// The longest target that hyper and `http::Uri` take; a line within it has a target within it.
const LONGEST_TARGET: usize = 65_534;
/// Enough for every parameter of a call but the one that made it too long.
const LONGEST_TAIL: usize = 4096;
/// Where patience ends: nobody writes this by mistake.
const LONGEST_LINE: usize = 8 << 20;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::http::{
        Overrun,
        loopback::{BOUNDS, Loopback, Recorder},
    };

    /// What goes through of `bytes`, arriving in pieces of `piece`, and whether the line was cut.
    fn pass(limit: usize, bytes: &[u8], piece: usize) -> (Vec<u8>, Option<Cut>) {
        let (mut line, mut through, mut outcome) = (Line::new(limit), Vec::new(), None);
        for chunk in bytes.chunks(piece) {
            if outcome.is_some() {
                through.extend_from_slice(chunk);
                continue;
            }
            let Taken { passed, ended } = line.take(chunk).unwrap();
            through.extend_from_slice(&chunk[..passed]);
            if let Some(Ended { held, cut }) = ended {
                through.extend_from_slice(&held);
                outcome = Some(cut);
            }
        }
        (through, outcome.flatten())
    }

    fn request(padding: usize) -> String {
        let padding = "%E5".repeat(padding / 3) + &"x".repeat(padding % 3);
        format!("GET /?A=1&Long={padding}&Action=Add&Format=XML HTTP/1.1\r\nHost: a\r\n\r\nbody")
    }

    fn line_length(request: &str) -> usize {
        request.find("\r\n").unwrap()
    }

    proptest! {
        #[test]
        fn a_line_within_the_limit_is_not_touched(padding in 0_usize..460, piece in 1_usize..600) {
            let request = request(padding);
            prop_assert!(line_length(&request) <= 510);
            prop_assert_eq!(pass(510, request.as_bytes(), piece), (request.into_bytes(), None));
        }

        #[test]
        fn a_longer_line_loses_its_middle(padding in 470_usize..3000, piece in 1_usize..4000) {
            let request = request(padding);
            let (through, cut) = pass(510, request.as_bytes(), piece);
            let through = String::from_utf8(through).unwrap();
            prop_assert!(line_length(&through) <= 510);
            prop_assert!(through.starts_with("GET /?A=1&Long=%E5"));
            prop_assert!(through.ends_with("&Action=Add&Format=XML HTTP/1.1\r\nHost: a\r\n\r\nbody"));
            let query = through.lines().next().unwrap().split([' ', '?']).nth(2).unwrap();
            prop_assert_eq!(cut.unwrap().whole_parameters(query), "A=1&Action=Add&Format=XML");
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, limit in 0_usize..40, piece in 1_usize..40) {
            let _outcome = pass(limit, &bytes, piece);
        }
    }

    #[test]
    fn the_limit_counts_the_line_without_its_end() {
        let exact = request(500);
        let limit = line_length(&exact);
        assert_eq!(pass(limit, exact.as_bytes(), 64).1, None);
        assert!(pass(limit - 1, exact.as_bytes(), 64).1.is_some());
    }

    #[test]
    fn empty_lines_before_a_request_do_not_hide_it() {
        let request = format!("\r\n\r\n{}", request(2000));
        assert!(pass(510, request.as_bytes(), 1).1.is_some());
    }

    #[test]
    fn a_query_that_is_one_long_parameter_leaves_nothing() {
        assert_eq!(Cut { tail: 0 }.whole_parameters("BackendServers=%5B%7"), "");
    }

    #[tokio::test]
    async fn a_line_of_39_kb_passes_and_those_of_70_and_200_kb_are_refused_on_one_connection() {
        let (service, mut arrivals) = Recorder::new();
        let house = Loopback::start(service, BOUNDS).await;
        let mut wire = house.connect().await;
        for (length, overrun) in [(39_000, None), (70_000, Some(Overrun::RequestLine)), (1_000, None)] {
            wire.send(request(length).trim_end_matches("body").as_bytes()).await;
            assert_eq!(wire.reply().await.status, 200);
            let arrived = arrivals.recv().await.unwrap();
            assert_eq!(arrived.overrun, overrun, "{length}");
            assert!(arrived.call.query.ends_with("&Action=Add&Format=XML"));
            assert_eq!(arrived.call.query.len() < 100, overrun.is_some());
        }
        wire.send(request(200_000).trim_end_matches("body").as_bytes()).await;
        assert_eq!(wire.reply().await.status, 200);
        assert_eq!(arrivals.recv().await.unwrap().call.query, "A=1&Action=Add&Format=XML");
    }

    #[tokio::test]
    async fn a_line_of_exactly_the_default_limit_passes_whole() {
        let (service, mut arrivals) = Recorder::new();
        let house = Loopback::start(service, BOUNDS).await;
        let mut wire = house.connect().await;
        let frame = line_length(&request(0));
        wire.send(request(65_000 - frame).trim_end_matches("body").as_bytes()).await;
        assert_eq!(wire.reply().await.status, 200);
        let arrived = arrivals.recv().await.unwrap();
        assert_eq!(arrived.overrun, None);
        assert_eq!(arrived.call.query.len(), 65_000 - "GET /? HTTP/1.1".len());
    }

    #[tokio::test]
    async fn a_long_body_after_a_reply_is_no_request_line() {
        let (service, mut arrivals) = Recorder::new();
        let house = Loopback::start(service, BOUNDS).await;
        let mut wire = house.connect().await;
        for _ in 0..3 {
            wire.send(format!("POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n", 200_000).as_bytes()).await;
            wire.send(&vec![b'x'; 200_000]).await;
            assert_eq!(wire.reply().await.status, 200);
            let arrived = arrivals.recv().await.unwrap();
            assert_eq!((arrived.overrun, arrived.call.body.len()), (None, 200_000));
        }
    }

    #[tokio::test]
    async fn pipelined_requests_are_left_as_they_are() {
        let (service, mut arrivals) = Recorder::new();
        let house = Loopback::start(service, BOUNDS).await;
        let mut wire = house.connect().await;
        let (get, body) = ("GET / HTTP/1.1\r\n\r\n", "x".repeat(100_000));
        let post = format!("POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        wire.send(format!("{get}{post}{get}{post}").as_bytes()).await;
        for length in [0, body.len(), 0, body.len()] {
            assert_eq!(wire.reply().await.status, 200);
            let arrived = arrivals.recv().await.unwrap();
            assert_eq!((arrived.overrun, arrived.call.body.len()), (None, length));
        }
    }
}
