//! What the operator may ask of a running gateway: whether it lives, and whether it can do its work.

use std::sync::Arc;

use http::{Method, StatusCode};

use crate::{
    http::{Answer, Arrived, Service},
    store::Store,
    wire::Reply,
};

/// Answers on the admin listener.
#[derive(Debug)]
pub(super) struct Admin {
    store: Arc<dyn Store>,
}

impl Admin {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    fn reply(&self, method: &Method, path: &str) -> Reply {
        let text = |status, text: String| Reply::new(status, "text/plain; charset=utf-8", text + "\n");
        if !matches!(*method, Method::GET | Method::HEAD) {
            return text(StatusCode::METHOD_NOT_ALLOWED, "only GET is answered here".to_owned());
        }
        match (path, self.store.trouble()) {
            ("/healthz", _) => text(StatusCode::OK, "alive".to_owned()),
            ("/readyz", None) => text(StatusCode::OK, "ready".to_owned()),
            ("/readyz", Some(trouble)) => {
                let why = "changes are refused, reads go on";
                text(StatusCode::SERVICE_UNAVAILABLE, format!("the store cannot be used: {trouble}; {why}"))
            }
            _ => text(StatusCode::NOT_FOUND, "here are /healthz and /readyz".to_owned()),
        }
    }
}

impl Service for Admin {
    fn answer(&self, arrived: Arrived) -> Answer<'_> {
        let Arrived { call, overrun: _, peer: _ } = arrived;
        Box::pin(async move { self.reply(&call.method, &call.path) })
    }
}
