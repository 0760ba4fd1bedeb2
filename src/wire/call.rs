//! One HTTP request, whole and in memory.

use bytes::Bytes;
use http::{HeaderMap, Method, header};

/// A request as it was received, or as it will be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The request method.
    pub method: Method,
    /// Scheme and authority for a call to be sent (`https://slb.aliyuncs.com`); empty for one that was received.
    pub origin: String,
    /// The path, `/` for both clouds.
    pub path: String,
    /// The query as it stands in the request line, without the `?`; empty when there is none.
    pub query: String,
    /// The headers, values as received.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl Call {
    /// A call with no headers and no body.
    #[must_use]
    pub fn new(method: Method, origin: &str, path: &str, query: String) -> Self {
        Self {
            method,
            origin: origin.to_owned(),
            path: path.to_owned(),
            query,
            headers: HeaderMap::new(),
            body: Bytes::new(),
        }
    }

    /// The text of a header, if it is there once or more and its first value is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        // Tea sends UTF-8 in some of them, which `to_str` refuses.
        self.headers.get(name).and_then(|value| std::str::from_utf8(value.as_bytes()).ok())
    }

    /// The media type of the body, lower case, without parameters such as `charset`.
    #[must_use]
    pub fn media_type(&self) -> Option<String> {
        let value = self.header(header::CONTENT_TYPE.as_str())?;
        let media = value.split(';').next().unwrap_or(value);
        Some(media.trim().to_ascii_lowercase()).filter(|media| !media.is_empty())
    }

    /// Path and query as they stand in a request line.
    #[must_use]
    pub fn target(&self) -> String {
        if self.query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, self.query) }
    }

    /// The whole address; meaningful for a call that has an origin.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}{}", self.origin, self.target())
    }
}
