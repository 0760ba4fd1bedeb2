//! Connections to targets, kept for the next call.
//!
//! A connection has no task of its own: whoever uses it drives it. That saves two hand-overs between tasks for every call,
//! and a connection that is kept by its runtime never wakes the thread of another.

use std::{
    collections::HashMap,
    error::Error,
    future::poll_fn,
    mem,
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::Poll,
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::Full;
use hyper::{
    body::Incoming,
    client::conn::{
        TrySendError,
        http1::{self, SendRequest},
    },
};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use tokio::{
    runtime::{Handle, Id},
    time::{Instant, sleep},
};
use tower_service::Service;

/// Below what load balancers in front of an API allow: a call on a connection that is just being closed is lost.
const IDLE_FOR: Duration = Duration::from_secs(30);

/// Kept connections, and how new ones are made.
pub(super) struct Pool {
    connector: HttpsConnector<HttpConnector>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    idle: HashMap<Reach, Vec<(Link, Instant)>>,
    /// Whether somebody sees to it that they are closed in time.
    swept: bool,
}

/// Where a connection leads, and on which runtime it was made: that one wakes whoever waits for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Reach {
    origin: String,
    runtime: Option<Id>,
}

/// A connection that is ready for a request.
pub(super) struct Link {
    sender: SendRequest<Full<Bytes>>,
    connection: Connection,
}

type Connection = Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>;
type BoxError = Box<dyn Error + Send + Sync>;

impl Reach {
    /// The way to an origin from here.
    pub(super) fn to(origin: &str) -> Self {
        Self { origin: origin.to_owned(), runtime: Handle::try_current().ok().map(|handle| handle.id()) }
    }
}

impl Pool {
    pub(super) fn new(connector: HttpsConnector<HttpConnector>) -> Arc<Self> {
        Arc::new(Self { connector, kept: Mutex::default() })
    }

    /// A kept connection that the other side has not closed, if there is one.
    pub(super) async fn take(&self, reach: &Reach) -> Option<Link> {
        loop {
            let (mut link, since) = self.kept().idle.get_mut(reach)?.pop()?;
            if since.elapsed() < IDLE_FOR && link.is_ready().await {
                return Some(link);
            }
        }
    }

    /// A new connection.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) async fn connect(&self, to: Uri) -> Result<Link, BoxError> {
        let stream = self.connector.clone().call(to).await?;
        let (sender, connection) = http1::handshake(stream).await?;
        Ok(Link { sender, connection: Box::pin(connection) })
    }

    /// Keeps a connection whose last reply was read to its end.
    pub(super) fn keep(self: &Arc<Self>, reach: Reach, link: Link) {
        if link.sender.is_closed() {
            return;
        }
        let mut kept = self.kept();
        kept.idle.entry(reach).or_default().push((link, Instant::now()));
        if !mem::replace(&mut kept.swept, true) {
            tokio::spawn(sweep(Arc::downgrade(self)));
        }
    }

    /// Closes what was not used for too long. Whether anything is left.
    fn close_old(&self) -> bool {
        let mut kept = self.kept();
        kept.idle.retain(|_, links| {
            links.retain(|(_, since)| since.elapsed() < IDLE_FOR);
            !links.is_empty()
        });
        kept.swept = !kept.idle.is_empty();
        kept.swept
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes connections in time, for as long as there are any.
async fn sweep(pool: Weak<Pool>) {
    loop {
        sleep(IDLE_FOR / 4).await;
        if !pool.upgrade().is_some_and(|pool| pool.close_old()) {
            return;
        }
    }
}

impl Link {
    /// Whether the connection is still open and takes another request.
    async fn is_ready(&mut self) -> bool {
        poll_fn(|cx| {
            if self.connection.as_mut().poll(cx).is_ready() {
                return Poll::Ready(false);
            }
            self.sender.poll_ready(cx).map(|ready| ready.is_ok())
        })
        .await
    }

    /// Sends a request and hands back what `read` makes of the response, driving the connection meanwhile.
    ///
    /// # Errors
    /// Why there is no response; with the request, if nothing of it was sent.
    pub(super) async fn carry<T>(
        &mut self,
        request: Request<Full<Bytes>>,
        read: impl AsyncFnOnce(Response<Incoming>) -> T,
    ) -> Result<T, TrySendError<Request<Full<Bytes>>>> {
        let Self { sender, connection } = self;
        let sent = sender.try_send_request(request);
        let mut exchange = pin!(async { Ok(read(sent.await?).await) });
        let mut open = true;
        poll_fn(|cx| {
            open = open && connection.as_mut().poll(cx).is_pending();
            exchange.as_mut().poll(cx)
        })
        .await
    }
}
