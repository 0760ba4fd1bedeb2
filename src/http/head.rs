//! Bounds the head of each request in size and in time, and the time in which nothing comes or goes.
//!
//! hyper has one time for both, and Node's clients want a connection to be kept for longer than any head may take. It
//! answers headers that are too long without a body, which crashes the clients of both clouds. So this stands right
//! at the socket: it changes no byte, finds where each head begins and ends, and ends a reading that goes too far.
//! What is then said is `refusal`'s.
//!
//! Not a parser: hyper still reads every byte. The part of a pipelined request that comes before the reply to the one
//! in front of it is not watched; hyper's buffer and its own time, which are set a little wider, bound that.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};

use super::{exchange::Bounds, refusal::Refusal};

/// What the reader of the socket and the exchange tell each other. Both run in the task of one connection, in turns.
#[derive(Debug)]
pub(super) struct HeadWatch {
    expects_head: AtomicBool,
    refusal: OnceLock<Refusal>,
}

/// A socket whose requests' heads are watched.
#[derive(Debug)]
pub(super) struct Heads<S> {
    socket: S,
    watch: Arc<HeadWatch>,
    bounds: Bounds,
    /// None while a request is past its head.
    head: Option<Head>,
    /// Until when the head has to begin, or, once it has, to end.
    deadline: Pin<Box<Sleep>>,
    /// Until when the other side has to take some of what is written; none while it does.
    stalled: Option<Pin<Box<Sleep>>>,
}

// === impl HeadWatch ===

impl HeadWatch {
    pub(super) fn new() -> Self {
        Self { expects_head: AtomicBool::new(true), refusal: OnceLock::new() }
    }

    /// The head of a request has been read: what comes now is its body.
    pub(super) fn head_was_read(&self) {
        self.expects_head.store(false, Relaxed);
    }

    /// A whole request has been answered: what comes now is the head of the next.
    pub(super) fn expect_head(&self) {
        self.expects_head.store(true, Relaxed);
    }

    /// What is to be said before the connection ends; none if nothing is.
    pub(super) fn refusal(&self) -> Option<Refusal> {
        self.refusal.get().copied()
    }

    fn refuse(&self, refusal: Refusal) -> io::Error {
        io::Error::other(*self.refusal.get_or_init(|| refusal))
    }
}

// === impl Heads ===

impl<S> Heads<S> {
    /// Watches `socket`, which has nothing behind it yet.
    pub(super) fn new(socket: S, bounds: Bounds, watch: Arc<HeadWatch>) -> Self {
        let deadline = Box::pin(sleep(bounds.idle_timeout));
        Self { socket, watch, bounds, head: Some(Head::default()), deadline, stalled: None }
    }

    /// Takes up what the exchange has said since the last reading.
    fn follow(&mut self) {
        match (self.watch.expects_head.load(Relaxed), &self.head) {
            (true, None) => {
                self.head = Some(Head::default());
                self.give(self.bounds.idle_timeout);
            }
            (false, Some(_)) => self.head = None,
            (true, Some(_)) | (false, None) => {}
        }
    }

    fn give(&mut self, time: Duration) {
        self.deadline.as_mut().reset(Instant::now() + time);
    }

    /// Ends a writing that has got nowhere for as long as a connection may idle.
    fn check_moving<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(self.bounds.idle_timeout)));
        ready!(stalled.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the reply is not read")))
    }

    fn take(&mut self, arrived: &[u8]) -> io::Result<()> {
        let Some(head) = &mut self.head else { return Ok(()) };
        let had_begun = head.has_begun();
        let ended = head.take(arrived);
        let begins = !had_begun && head.has_begun();
        if head.header_bytes > self.bounds.max_header_bytes || head.headers > MOST_HEADERS {
            return Err(self.watch.refuse(Refusal::Headers { max_bytes: self.bounds.max_header_bytes }));
        }
        if ended {
            self.head = None;
            self.watch.head_was_read();
        } else if begins {
            self.give(self.bounds.header_timeout);
        }
        Ok(())
    }

    fn check_time(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match &self.head {
            Some(head) if self.deadline.as_mut().poll(cx).is_ready() => Err(if head.has_begun() {
                self.watch.refuse(Refusal::SlowHead { within: self.bounds.header_timeout })
            } else {
                io::Error::new(io::ErrorKind::TimedOut, "no request came")
            }),
            _ => Ok(()),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Heads<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.follow();
        let before = buf.filled().len();
        let read = Pin::new(&mut this.socket).poll_read(cx, buf)?;
        this.take(buf.filled().get(before..).unwrap_or_default())?;
        // After the reading: what has come in time counts, however late it is looked at.
        this.check_time(cx)?;
        read.map(Ok)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Heads<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.socket).poll_write(cx, buf);
        this.check_moving(cx, written)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.socket).poll_flush(cx);
        this.check_moving(cx, flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // Something is still to be said; hyper does not know that.
        if this.watch.refusal().is_some() {
            return Poll::Ready(Ok(()));
        }
        let ended = Pin::new(&mut this.socket).poll_shutdown(cx);
        this.check_moving(cx, ended)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.socket).poll_write_vectored(cx, bufs);
        this.check_moving(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }
}

/// How far a head has come.
#[derive(Debug, Default)]
struct Head {
    /// The request line is over.
    in_headers: bool,
    /// The line that is under way has a byte that is no line end.
    in_line: bool,
    /// What came after the request line, the empty line at the end counted.
    header_bytes: usize,
    /// How many header lines have ended.
    headers: usize,
}

impl Head {
    fn has_begun(&self) -> bool {
        self.in_headers || self.in_line
    }

    /// Takes what arrived. Whether the head ended with it, or in the middle of it.
    fn take(&mut self, arrived: &[u8]) -> bool {
        for piece in arrived.split_inclusive(|&byte| byte == b'\n') {
            self.header_bytes += if self.in_headers { piece.len() } else { 0 };
            self.in_line |= piece.iter().any(|&byte| byte != b'\r' && byte != b'\n');
            if !piece.ends_with(b"\n") {
                return false;
            }
            // "a server … SHOULD ignore at least one empty line (CRLF) received prior to the request-line" (RFC 9112, 2.2)
            match (self.in_headers, self.in_line) {
                (true, false) => return true,
                (true, true) => self.headers += 1,
                (false, in_line) => self.in_headers = in_line,
            }
            self.in_line = false;
        }
        false
    }
}

/// As many as hyper takes.
pub(super) const MOST_HEADERS: usize = 100;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;

    const BOUNDS: Bounds = Bounds { max_header_bytes: 30, ..Bounds::USUAL };
    const HEAD: &str = "GET / HTTP/1.1\r\nHost: a\r\nAccept: b\r\n\r\n";

    fn watched() -> (DuplexStream, Heads<DuplexStream>, Arc<HeadWatch>) {
        let ((client, server), watch) = (duplex(1000), Arc::new(HeadWatch::new()));
        (client, Heads::new(server, BOUNDS, Arc::clone(&watch)), watch)
    }

    /// Reads until the reading fails.
    async fn failure(heads: &mut Heads<DuplexStream>) -> io::Error {
        let mut part = [0; 100];
        loop {
            match heads.read(&mut part).await {
                Ok(count) => assert_ne!(count, 0, "the other side is still there"),
                Err(error) => return error,
            }
        }
    }

    /// Reads what is there.
    async fn read(heads: &mut Heads<DuplexStream>, length: usize) {
        heads.read_exact(&mut vec![0; length]).await.unwrap();
    }

    proptest! {
        #[test]
        fn a_head_ends_where_it_ends_however_it_comes(
            empty_lines in 0_usize..3, crlf: bool, headers in 0_usize..4, piece in 1_usize..20
        ) {
            let end = if crlf { "\r\n" } else { "\n" };
            let lines = format!("{}{end}", format!("Name: value{end}").repeat(headers));
            let whole = format!("{}GET / HTTP/1.1{end}{lines}", end.repeat(empty_lines));
            let (mut head, mut ended) = (Head::default(), Vec::new());
            for part in whole.as_bytes().chunks(piece) {
                ended.push(head.take(part));
            }
            prop_assert!(ended.pop().unwrap() && !ended.contains(&true));
            prop_assert_eq!((head.header_bytes, head.headers), (lines.len(), headers));
        }
    }

    #[tokio::test]
    async fn headers_of_the_bound_pass_and_one_byte_more_does_not() {
        let pad = BOUNDS.max_header_bytes - "A: \r\n\r\n".len();
        for (pad, passes) in [(pad, true), (pad + 1, false)] {
            let (mut client, mut heads, watch) = watched();
            let head = format!("GET /?{} HTTP/1.1\r\nA: {}\r\n\r\n", "x".repeat(100), "x".repeat(pad));
            client.write_all(head.as_bytes()).await.unwrap();
            let read = heads.read_exact(&mut vec![0; head.len()]).await;
            assert_eq!((read.is_ok(), watch.refusal().is_none()), (passes, passes), "{read:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_has_its_time_from_its_first_byte() {
        let (mut client, mut heads, watch) = watched();
        sleep(BOUNDS.idle_timeout / 2).await;
        let began = Instant::now();
        let dribbling = async {
            for byte in HEAD.as_bytes() {
                client.write_all(&[*byte]).await.unwrap();
                sleep(Duration::from_secs(1)).await;
            }
        };
        tokio::select! {
            _ = failure(&mut heads) => {}
            () = dribbling => panic!("it has more bytes than it has seconds"),
        }
        assert_eq!(began.elapsed(), BOUNDS.header_timeout);
        assert_eq!(watch.refusal(), Some(Refusal::SlowHead { within: BOUNDS.header_timeout }));
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_on_which_nothing_comes_ends_without_a_word() {
        let (mut client, mut heads, watch) = watched();
        // Empty lines before a request are nothing of it.
        client.write_all(b"\r\n\r\n").await.unwrap();
        let began = Instant::now();
        let error = failure(&mut heads).await;
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!((began.elapsed(), watch.refusal()), (BOUNDS.idle_timeout, None));
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_is_being_answered_has_all_the_time_and_the_next_starts_anew() {
        let (mut client, mut heads, watch) = watched();
        for _ in 0..2 {
            client.write_all(HEAD.as_bytes()).await.unwrap();
            read(&mut heads, HEAD.len()).await;
            let answering = tokio::time::timeout(Duration::from_hours(1), failure(&mut heads)).await;
            assert!(answering.is_err(), "{answering:?}");
            watch.expect_head();
        }
        let began = Instant::now();
        failure(&mut heads).await;
        assert_eq!((began.elapsed(), watch.refusal()), (BOUNDS.idle_timeout, None));
    }

    #[tokio::test(start_paused = true)]
    async fn a_reply_that_nobody_reads_is_given_up_and_one_that_is_read_slowly_is_not() {
        let (mut client, mut heads, _watch) = watched();
        let slow_reader = async {
            for _ in 0..10 {
                sleep(BOUNDS.idle_timeout / 2).await;
                client.read_exact(&mut [0; 500]).await.unwrap();
            }
        };
        let (written, ()) = tokio::join!(heads.write_all(&[0; 5000]), slow_reader);
        written.unwrap();
        let began = Instant::now();
        let error = heads.write_all(&[0; 5000]).await.unwrap_err();
        assert_eq!((error.kind(), began.elapsed()), (io::ErrorKind::TimedOut, BOUNDS.idle_timeout));
    }

    #[tokio::test]
    async fn a_body_is_not_counted() {
        let (mut client, mut heads, watch) = watched();
        let whole = format!("{HEAD}{}", "\r\n\r\n".repeat(100));
        client.write_all(whole.as_bytes()).await.unwrap();
        read(&mut heads, whole.len()).await;
        assert_eq!(watch.refusal(), None);
    }
}
