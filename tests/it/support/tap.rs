//! A wire tap: hands every call on as it is, signature and all, and keeps it.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;
use weighbridge::{
    http::{Answer, Arrived, Bounds, Client, Door, Listener, Service, serve},
    wire::{Call, Reply},
};

use super::house::Clouds;

/// A tap before one address.
pub struct Tap {
    /// Where it listens, `host:port`.
    pub endpoint: String,
    line: Arc<Line>,
}

/// One call that went through and was answered.
#[derive(Debug, Clone)]
pub struct Tapped {
    /// The call, as it was received.
    pub call: Call,
    /// How long the answer took.
    pub took: Duration,
}

struct Line {
    onward: String,
    client: Client,
    tapped: Mutex<Vec<Tapped>>,
}

/// More than any answer here takes.
const PATIENCE: Duration = Duration::from_secs(30);
const MAX_REPLY_BYTES: usize = 1024 * 1024;
const BOUNDS: Bounds = Bounds { max_body_bytes: 1024 * 1024, ..Bounds::USUAL };

impl Tap {
    /// Opens a tap before `onward`, `http://host:port`.
    pub fn before(onward: &str, clouds: &Clouds) -> Self {
        let client = Client::new(None).unwrap();
        let line = Arc::new(Line { onward: onward.to_owned(), client, tapped: Mutex::default() });
        let listener = clouds.wait(Listener::bind("127.0.0.1:0".parse().unwrap(), None)).unwrap();
        let endpoint = listener.local_addr().unwrap().to_string();
        let service = Arc::clone(&line) as Arc<dyn Service>;
        clouds.beside(serve(vec![listener], service, Door::new(BOUNDS), CancellationToken::new()));
        Self { endpoint, line }
    }

    /// What went through so far, in the order of the answers.
    pub fn tapped(&self) -> Vec<Tapped> {
        self.line.tapped.lock().unwrap().clone()
    }
}

impl Line {
    async fn hand_on(&self, call: Call) -> Reply {
        let began = Instant::now();
        let onward = Call { origin: self.onward.clone(), ..call.clone() };
        let reply = self.client.send(onward, PATIENCE, MAX_REPLY_BYTES).await.unwrap();
        self.tapped.lock().unwrap().push(Tapped { call, took: began.elapsed() });
        reply
    }
}

impl Service for Line {
    fn answer(&self, arrived: Arrived) -> Answer<'_> {
        Box::pin(self.hand_on(arrived.call))
    }
}
