//! What the operator may ask of a running gateway: whether it lives, whether it can do its work, what it has counted, and
//! what it did last. Nothing here changes anything, and nobody is asked who they are: the listener is for the operator alone.

use std::sync::Arc;

use http::{Method, StatusCode, header};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::{current::Current, page};
use crate::{
    http::{Answer, Arrived, Service},
    telemetry::{Past, Readings, TextFormat},
    wire::{Call, Reply},
};

/// Answers on the admin listener.
#[derive(Debug)]
pub(super) struct Admin {
    current: Arc<Current>,
    /// Cancelled when the gateway stops: it finishes what it has and is not to be sent more.
    stopping: CancellationToken,
}

/// The last requests, the newest first.
#[derive(Serialize)]
struct Requests {
    requests: Vec<Arc<Past>>,
}

impl Admin {
    pub(super) fn new(current: Arc<Current>, stopping: CancellationToken) -> Self {
        Self { current, stopping }
    }

    async fn answered(&self, call: &Call, cut_off: bool) -> Reply {
        let seen = matches!(call.path.as_str(), "/" | "/requests" | "/explain");
        if let Some(refusal) = page::refusal(call).filter(|_| seen) {
            return refusal;
        }
        if cut_off {
            return text(StatusCode::PAYLOAD_TOO_LARGE, "this is longer than what is read here");
        }
        if call.path == "/explain" {
            let (config, stamp) = (&self.current.snapshot().config, self.current.lasting.stamps.next());
            return page::explain_reply(config, call, &stamp).await;
        }
        self.reply(call)
    }

    fn reply(&self, call: &Call) -> Reply {
        if !matches!(call.method, Method::GET | Method::HEAD) {
            return text(StatusCode::METHOD_NOT_ALLOWED, "only GET is answered here");
        }
        match call.path.as_str() {
            "/healthz" => text(StatusCode::OK, "alive"),
            "/readyz" => self.ready(),
            "/metrics" => self.metrics(call),
            "/requests" => self.requests(),
            path => page::reply(path).unwrap_or_else(|| {
                let here = "here are /, /healthz, /readyz, /metrics and /requests, and /explain for a POST";
                text(StatusCode::NOT_FOUND, here)
            }),
        }
    }

    fn ready(&self) -> Reply {
        let unready = |why: &str| text(StatusCode::SERVICE_UNAVAILABLE, why);
        if self.stopping.is_cancelled() {
            return unready("stopping: what is in flight is finished first");
        }
        if let Some(trouble) = self.current.lasting.store.trouble() {
            let why = "changes are refused, reads go on";
            return unready(&format!("the store cannot be used: {trouble}; {why}"));
        }
        let refused = self.current.refused();
        if refused.is_empty() {
            return text(StatusCode::OK, "ready");
        }
        // What is in force is good all the same.
        let what = "ready, by an older config; the files have these problems";
        text(StatusCode::OK, &format!("{what}:\n{}", refused.join("\n")))
    }

    fn metrics(&self, call: &Call) -> Reply {
        let accept = call.header(header::ACCEPT.as_str()).unwrap_or_default();
        let (format, content_type) = if accept.contains("application/openmetrics-text") {
            (TextFormat::OpenMetrics, "application/openmetrics-text; version=1.0.0; charset=utf-8")
        } else {
            (TextFormat::Prometheus, "text/plain; version=0.0.4; charset=utf-8")
        };
        let Current { lasting, door, .. } = &*self.current;
        let readings = Readings {
            connections: door.connections(),
            refused: door.refused().collect(),
            store_up: lasting.store.trouble().is_none(),
            journal_open: self.current.snapshot().engine.left_open(),
        };
        Reply::new(StatusCode::OK, content_type, lasting.telemetry.metrics.text(&readings, format))
    }

    fn requests(&self) -> Reply {
        let requests = Requests { requests: self.current.lasting.telemetry.history.last() };
        match serde_json::to_string(&requests) {
            Ok(json) => page::guarded(Reply::new(StatusCode::OK, "application/json", json)),
            Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
        }
    }
}

fn text(status: StatusCode, text: &str) -> Reply {
    Reply::new(status, "text/plain; charset=utf-8", format!("{text}\n"))
}

impl Service for Admin {
    fn answer(&self, arrived: Arrived) -> Answer<'_> {
        let Arrived { call, overrun, peer: _ } = arrived;
        Box::pin(async move { self.answered(&call, overrun.is_some()).await })
    }
}
