//! A URL as it stands on a page: on one line or several, encoded or not.
//!
//! No general URL parser: those resolve, normalise and drop fragments, where a gateway wants the text of the query.

use std::net::Ipv6Addr;

use http::{Method, uri::Authority};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::wire::Call;

use super::error::{RequestTextError, excerpt};

/// The parts of a URL that a call keeps.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Address {
    origin: String,
    path: String,
    /// The query, in which every character may stand.
    pub(super) query: String,
}

impl Address {
    /// Reads a URL. Line breaks are layout, and so are blanks around its parts.
    ///
    /// A `%` is left alone: whether `10%` is raw or a broken encoding is for `Params::decode` to say.
    pub(super) fn read(text: &str) -> Result<Self, RequestTextError> {
        refuse_second(text)?;
        let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
        let end = rest.find(|c: char| "/?#".contains(c) || c.is_whitespace()).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Ok(Self {
            origin: read_origin(read_scheme(scheme.trim())?, authority)?,
            path: read_path(path)?,
            query: read_query(query),
        })
    }

    /// The call to this address, without headers or body.
    pub(super) fn into_call(self, method: Method) -> Call {
        let Self { origin, path, query } = self;
        Call::new(method, &origin, &path, query)
    }
}

/// Whether a text starts with a word and `://`. The pages write `http(s)`.
pub(super) fn has_scheme(text: &str) -> bool {
    let scheme = text.split_once("://").map_or("", |(scheme, _)| scheme.trim());
    !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "()+-".contains(c))
}

/// Host and port of an origin.
pub(super) fn authority(origin: &str) -> Option<&str> {
    origin.split_once("://").map(|(_, authority)| authority)
}

/// Whether a text is a host, with or without its port, and nothing else.
pub(super) fn is_authority(text: &str) -> bool {
    // `user:password@host` is one to the library; both clouds would never see it.
    !text.contains('@') && !is_placeholder(text) && text.parse::<Authority>().is_ok()
}

/// Encodes what may not stand in a path or query, and nothing else: what is encoded already stays.
pub(super) fn encode_stray(text: &str) -> String {
    utf8_percent_encode(text, STRAY).to_string()
}

fn refuse_second(text: &str) -> Result<(), RequestTextError> {
    let starts_one = |line: &&str| line.starts_with("http://") || line.starts_with("https://");
    match text.lines().skip(1).map(str::trim_start).find(starts_one) {
        Some(line) => Err(RequestTextError::SecondRequest(excerpt(line))),
        None => Ok(()),
    }
}

fn read_scheme(scheme: &str) -> Result<&'static str, RequestTextError> {
    match scheme.to_ascii_lowercase().as_str() {
        "https" | "http(s)" => Ok("https"),
        "http" => Ok("http"),
        _ => Err(RequestTextError::Scheme(format!("{}://", excerpt(scheme)))),
    }
}

/// Empty for a placeholder: a page's example goes to no host in particular.
fn read_origin(scheme: &str, authority: &str) -> Result<String, RequestTextError> {
    if is_placeholder(authority) {
        Ok(String::new())
    } else if is_authority(authority) {
        Ok(format!("{scheme}://{authority}"))
    } else {
        // What stands before an `@` may be a password.
        let host = authority.rsplit_once('@').map(|(_, host)| format!("…@{host}"));
        Err(RequestTextError::Authority(excerpt(host.as_deref().unwrap_or(authority))))
    }
}

fn read_path(text: &str) -> Result<String, RequestTextError> {
    match unwrapped(text) {
        path if path.is_empty() => Ok("/".to_owned()),
        path if path.starts_with('/') => Ok(encode_stray(&path)),
        path => Err(RequestTextError::Path(excerpt(&path))),
    }
}

fn read_query(text: &str) -> String {
    if !text.contains(|c: char| c.is_whitespace() || c == '<') {
        return encode_stray(text);
    }
    let parts = text.split('&').map(without_layout);
    let parts: Vec<String> = parts.filter(|part| !part.is_empty() && !is_placeholder(part)).collect();
    encode_stray(&parts.join("&"))
}

fn without_layout(part: &str) -> String {
    match part.split_once('=') {
        Some((name, value)) => format!("{}={}", unwrapped(name), unwrapped(value)),
        None => unwrapped(part),
    }
}

/// The lines of a text without their indentation, as one.
fn unwrapped(text: &str) -> String {
    text.lines().map(str::trim).collect()
}

/// `[Endpoint]`, `<CommonParameters>`, `{endpoint}`: what a page prints for the reader to fill in.
fn is_placeholder(text: &str) -> bool {
    let inside = |open, close| text.strip_prefix(open).and_then(|text: &str| text.strip_suffix(close));
    let no_address = |text: &str| text.parse::<Ipv6Addr>().is_err();
    inside('<', '>').is_some() || inside('{', '}').is_some() || inside('[', ']').is_some_and(no_address)
}

/// RFC 3986 section 3.4: what is neither `pchar` nor `/` nor `?`, but for `%`. It lets `'` stand.
const STRAY: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Address {
        Address::read(text).unwrap()
    }

    #[test]
    fn raw_characters_are_encoded_and_encoded_ones_kept() {
        let address = read("https://h/?A=[{'D':\"it's #1\"}]&B=%7B%27&C=a+b&D=后端");
        assert_eq!(address.query, "A=%5B%7B'D':%22it's%20%231%22%7D%5D&B=%7B%27&C=a+b&D=%E5%90%8E%E7%AB%AF");
    }

    #[test]
    fn a_value_spread_over_lines_is_joined() {
        let address = read("https://h\n/\n?Action = X&\n  Servers=[\n    {'Port': 80},\n    {}\n  ]\n");
        assert_eq!(address.path, "/");
        assert_eq!(address.query, "Action=X&Servers=%5B%7B'Port':%2080%7D,%7B%7D%5D");
    }

    #[test]
    fn the_path_may_be_missing() {
        assert_eq!(read("HTTP://h:8080?A=b"), read("http://h:8080/?A=b"));
        assert_eq!(read("https://h").path, "/");
    }

    #[test]
    fn an_ip_address_in_brackets_is_no_placeholder() {
        assert_eq!(read("http://[::1]:8080/").origin, "http://[::1]:8080");
        assert_eq!(read("http://[::1]/").origin, "http://[::1]");
        assert_eq!(read("https://<endpoint>/?A=b").origin, "");
    }

    #[test]
    fn what_is_no_address_is_refused_by_its_part() {
        for (text, message) in [
            ("ftp://h/", "`ftp://` is not spoken here: write `https://` or `http://`"),
            ("https:///?A=b", "`` names no host"),
            ("https://me:pw@h/?A=b", "`…@h` names no host"),
            ("https://h then more", "`then more` is no path"),
            ("https://h/?A=b\nhttps://h/?A=c", "`https://h/?A=c` follows a request"),
        ] {
            let error = Address::read(text).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }
}
