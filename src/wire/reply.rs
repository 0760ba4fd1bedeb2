//! One HTTP response, whole and in memory.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

/// An answer as it was received, or as it will be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status of the response line.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl Reply {
    /// A reply with a body of the media type that `content_type` names.
    #[must_use]
    pub fn new(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self { status, headers, body: body.into() }
    }

    /// Adds a header. A value that cannot stand in a header has its offending characters replaced by `?`, since a
    /// report that is garbled is worth more than one that is missing.
    pub fn append(&mut self, name: HeaderName, value: &str) {
        let is_printable = |c: char| c.is_ascii_graphic() || c == ' ';
        let value = if value.chars().all(is_printable) {
            HeaderValue::from_str(value)
        } else {
            let printable: String = value.chars().map(|c| if is_printable(c) { c } else { '?' }).collect();
            HeaderValue::try_from(printable)
        };
        if let Ok(value) = value {
            self.headers.append(name, value);
        }
    }

    /// The text of a header, if it is there and is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}
