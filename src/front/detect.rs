//! Which cloud's language a call is written in.

use std::sync::Arc;

use http::StatusCode;

use crate::{
    dialect::{Likeness, Provider},
    http::Overrun,
    mapping::{Cloud, Tables},
    wire::{Call, Document, Reply},
};

/// A cloud's language: the grammar and the vocabulary.
#[derive(Debug, Clone)]
pub struct Speaker {
    /// The grammar.
    pub provider: &'static Provider,
    /// The vocabulary.
    pub cloud: Arc<Cloud>,
}

/// The language of a call: the one whose credentials it carries, else the one that has its action.
#[must_use]
pub fn detect(call: &Call, providers: &'static [Provider], tables: &Tables) -> Option<Speaker> {
    let speakers = providers.iter().filter_map(|provider| {
        let cloud = tables.cloud(provider.id)?;
        let likeness = provider.ingress.likeness(call, cloud);
        Some((likeness, Speaker { provider, cloud: Arc::clone(cloud) }))
    });
    // `max_by_key` takes the last of equals; the first is meant.
    let mut best: Option<(Likeness, Speaker)> = None;
    for (likeness, speaker) in speakers.filter(|(likeness, _)| *likeness != Likeness::None) {
        if likeness == Likeness::Credentials {
            return Some(speaker);
        }
        if best.as_ref().is_none_or(|(known, _)| likeness > *known) {
            best = Some((likeness, speaker));
        }
    }
    best.map(|(_, speaker)| speaker)
}

/// The reply to a call in no known language. It has a JSON body all the same: clients that find none crash.
#[must_use]
pub fn unrecognised(overrun: Option<Overrun>) -> Reply {
    let (status, message) = why_unrecognised(overrun);
    let body = Document::record([
        ("Code", Document::text("UnrecognisedRequest")),
        ("Message", Document::text(message)),
    ]);
    Reply::new(status, "application/json", body.to_json())
}

/// The status of that reply, and what it says.
pub(super) fn why_unrecognised(overrun: Option<Overrun>) -> (StatusCode, &'static str) {
    match overrun {
        Some(Overrun::Body) => {
            (StatusCode::PAYLOAD_TOO_LARGE, "the request body is longer than the gateway takes")
        }
        Some(Overrun::RequestLine) => {
            (StatusCode::URI_TOO_LONG, "the request line is longer than the gateway takes")
        }
        None => (
            StatusCode::BAD_REQUEST,
            "the request is written in no language that is spoken here: it carries no credentials that any of the clouds knows, and no Action that is known",
        ),
    }
}
