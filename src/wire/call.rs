//! One HTTP request, whole and in memory.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, Method, header};

/// A request as it was received, or as it will be sent. `Debug` leaves out query, header values and body: a signature
/// among them would be a usable one.
#[derive(Clone, PartialEq, Eq)]
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

    /// Names and values of the query and of a form body as they stand there, without decoding: enough to tell one dialect from
    /// another.
    pub fn raw_pairs(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let pairs =
            [self.query.as_bytes(), &self.body].into_iter().flat_map(|raw| raw.split(|byte| *byte == b'&'));
        pairs.filter_map(|pair| {
            let (name, value) = pair.split_at(pair.iter().position(|byte| *byte == b'=')?);
            Some((name, value.get(1..)?))
        })
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

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}{}", self.method, self.origin, self.path)?;
        write!(
            f,
            " (query of {} bytes, {} headers, body of {} bytes)",
            self.query.len(),
            self.headers.len(),
            self.body.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_does_not_print_its_signature() {
        let call = Call::new(Method::GET, "", "/", "Signature=c364bd80".to_owned());
        assert!(!format!("{call:?}").contains("c364"), "{call:?}");
    }
}
