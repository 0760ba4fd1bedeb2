//! Stands between a gateway and a cloud, hears every call, and breaks those that it is told to.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http::{HeaderName, HeaderValue, header};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{Instant, sleep},
};
use weighbridge::{
    http::Client,
    wire::{Call, Reply},
};

use super::target::{action_of, params_of};

/// What becomes of a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Becomes {
    /// It is handed on, and its reply comes back.
    Whole,
    /// The connection ends before the first byte of a reply.
    Unanswered {
        /// Whether the cloud gets the call.
        done: bool,
    },
    /// It is carried out, and the connection ends in the middle of the reply.
    HalfAnswered,
    /// It is carried out and answered, and then the connection ends.
    LastWords,
    /// What is answered is no HTTP.
    Garbage {
        /// Whether the cloud gets the call.
        done: bool,
    },
    /// Some proxy answers a page of its own.
    Page {
        /// Whether the cloud gets the call.
        done: bool,
    },
    /// Nothing is answered for a long time.
    Stalled {
        /// Whether the cloud gets the call.
        done: bool,
    },
    /// The cloud gets the call after so long, and nobody gets the reply.
    Late(Duration),
    /// The cloud does not get it, and this is answered.
    Told(Reply),
}

/// A call that came by.
#[derive(Debug, Clone)]
pub struct Heard {
    /// What it asks for.
    pub action: String,
    /// The call as it came.
    pub call: Call,
    /// When it came.
    pub at: Instant,
    /// Its number among the changes, from 1; 0 for a read.
    pub change: usize,
}

impl Heard {
    /// What it asks for, without what differs from signature to signature.
    pub fn wish(&self) -> Vec<(String, String)> {
        let signed = ["Signature", "SignatureNonce", "Timestamp"];
        let mut params = params_of(&self.call);
        params.retain(|(name, _)| !signed.contains(&name.as_str()));
        params.push(("Action".to_owned(), self.action.clone()));
        params.sort();
        params.dedup();
        params
    }
}

type Rule = Box<dyn FnMut(&Heard) -> Becomes + Send>;

/// The line before one cloud. Dropping it ends it.
pub struct Breaker {
    /// Where it listens, `http://host:port`.
    pub origin: String,
    line: Arc<Line>,
    _connections: JoinSet<()>,
}

struct Line {
    onward: String,
    client: Client,
    rule: Mutex<Rule>,
    heard: Mutex<Vec<Heard>>,
}

/// Longer than any call here takes.
const LONG: Duration = Duration::from_secs(30);
const MAX_REPLY_BYTES: usize = 1 << 20;

impl Breaker {
    /// A line to `onward`, `http://host:port`, which hands everything on.
    pub async fn before(onward: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let line = Arc::new(Line {
            onward: onward.to_owned(),
            client: Client::new(None).unwrap(),
            rule: Mutex::new(Box::new(|_| Becomes::Whole)),
            heard: Mutex::default(),
        });
        let mut connections = JoinSet::new();
        let own = Arc::clone(&line);
        connections.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                open.spawn(Arc::clone(&own).converse(stream));
            }
        });
        Self { origin, line, _connections: connections }
    }

    /// From now on, calls become what `rule` says. What was heard before is forgotten.
    pub fn follow(&self, rule: impl FnMut(&Heard) -> Becomes + Send + 'static) {
        *self.line.rule.lock().unwrap() = Box::new(rule);
        self.line.heard.lock().unwrap().clear();
    }

    /// The calls since, in the order in which they came.
    pub fn heard(&self) -> Vec<Heard> {
        self.line.heard.lock().unwrap().clone()
    }

    /// Those that change something.
    pub fn changes(&self) -> Vec<Heard> {
        self.heard().into_iter().filter(|heard| heard.change > 0).collect()
    }
}

impl Line {
    async fn converse(self: Arc<Self>, stream: TcpStream) {
        let mut stream = BufReader::new(stream);
        while let Some(call) = read_call(&mut stream).await {
            let becomes = self.hear(&call);
            if !self.play(becomes, call, &mut stream).await {
                return;
            }
        }
    }

    fn hear(&self, call: &Call) -> Becomes {
        let action = action_of(call).unwrap_or_default();
        let mut all = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let before = all.iter().filter(|heard| heard.change > 0).count();
        let change = if action.starts_with("Describe") { 0 } else { before + 1 };
        let heard = Heard { action, call: call.clone(), at: Instant::now(), change };
        all.push(heard.clone());
        drop(all);
        (self.rule.lock().unwrap_or_else(PoisonError::into_inner))(&heard)
    }

    /// Whether the connection goes on.
    async fn play(&self, becomes: Becomes, call: Call, stream: &mut BufReader<TcpStream>) -> bool {
        let done = match &becomes {
            Becomes::Whole | Becomes::HalfAnswered | Becomes::LastWords => true,
            Becomes::Unanswered { done }
            | Becomes::Garbage { done }
            | Becomes::Page { done }
            | Becomes::Stalled { done } => *done,
            Becomes::Late(_) | Becomes::Told(_) => false,
        };
        let reply = if done { self.hand_on(call.clone()).await } else { Vec::new() };
        let said = match becomes {
            Becomes::Whole | Becomes::LastWords => reply,
            Becomes::Unanswered { .. } => Vec::new(),
            Becomes::HalfAnswered => reply[..reply.len() - reply.len() / 4].to_vec(),
            Becomes::Garbage { .. } => b"\x00\xff 200 \r\n\r\n\x01".to_vec(),
            Becomes::Page { .. } => written(&page()),
            Becomes::Stalled { .. } => {
                sleep(LONG).await;
                Vec::new()
            }
            Becomes::Late(late) => {
                sleep(late).await;
                self.hand_on(call).await;
                Vec::new()
            }
            Becomes::Told(ref reply) => written(reply),
        };
        let heard = stream.get_mut().write_all(&said).await.is_ok();
        heard && matches!(becomes, Becomes::Whole | Becomes::Page { .. } | Becomes::Told(_))
    }

    async fn hand_on(&self, call: Call) -> Vec<u8> {
        let onward = Call { origin: self.onward.clone(), ..call };
        // A cloud that is gone answers nothing.
        let reply = self.client.send(onward, LONG, MAX_REPLY_BYTES).await;
        reply.map(|reply| written(&reply)).unwrap_or_default()
    }
}

/// What a proxy says that cannot reach the cloud, or says so.
fn page() -> Reply {
    let text = "<html><body><h1>502 Bad Gateway</h1></body></html>";
    Reply::new(http::StatusCode::BAD_GATEWAY, "text/html", text)
}

fn written(reply: &Reply) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {}\r\n", reply.status).into_bytes();
    for (name, value) in &reply.headers {
        if *name != header::CONTENT_LENGTH && *name != header::CONNECTION {
            bytes.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
        }
    }
    bytes.extend(format!("content-length: {}\r\n\r\n", reply.body.len()).as_bytes());
    bytes.extend(&reply.body);
    bytes
}

/// The next call of a connection; none when there is no more.
async fn read_call(stream: &mut BufReader<TcpStream>) -> Option<Call> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        let count = stream.read_line(&mut head).await.ok()?;
        (count > 0).then_some(())?;
    }
    let mut lines = head.lines();
    let mut words = lines.next()?.split(' ');
    let method = words.next()?.parse().ok()?;
    let (path, query) = words.next().map(|place| place.split_once('?').unwrap_or((place, "")))?;
    let mut call = Call::new(method, "", path, query.to_owned());
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        let name: HeaderName = name.parse().ok()?;
        call.headers.append(name, HeaderValue::from_str(value).ok()?);
    }
    let length = call.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    call.body = body.into();
    Some(call)
}
