//! An endpoint: where a cloud is called. Scheme, host and port; everything behind them is the cloud's own grammar.

use std::net::IpAddr;

use http::uri::Authority;
use rustls_pki_types::ServerName;

/// Where the call's region stands in a host.
const REGION: &str = "{region}";

/// An endpoint that calls can be sent to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// `scheme://host` or `scheme://host:port`.
    pub(super) text: String,
    /// Whether others on the way can read what is sent.
    pub(super) exposed: bool,
}

impl Endpoint {
    /// Reads an endpoint. A slash at its end says nothing and is let go.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence.
    pub(super) fn read(text: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = text.split_once("://").ok_or("has no scheme")?;
        if !matches!(scheme, "http" | "https") {
            return Err("has an unknown scheme");
        }
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains(['/', '?', '#']) {
            return Err("goes on after the host");
        }
        let host = host(&authority.replace(REGION, "region"))?;
        let exposed = scheme == "http" && !is_loopback(&host);
        Ok(Self { text: format!("{scheme}://{authority}"), exposed })
    }
}

/// The host of an authority, without the brackets of an IPv6 address.
fn host(authority: &str) -> Result<String, &'static str> {
    let parsed: Authority = authority.parse().map_err(|_| "has no proper host")?;
    let host = parsed.host();
    let port = authority.strip_prefix(host).ok_or("has a user name in it")?;
    let number = port.strip_prefix(':').map(str::parse::<u16>);
    if !port.is_empty() && !matches!(number, Some(Ok(1..))) {
        return Err("has no proper port");
    }
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let bare = bare.unwrap_or(host);
    ServerName::try_from(bare).map_err(|_| "has no proper host")?;
    Ok(bare.to_owned())
}

fn is_loopback(host: &str) -> bool {
    host.parse::<IpAddr>().map_or(host == "localhost", |address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scheme_host_and_port_are_an_endpoint() {
        let cases = [
            ("https://api.example.com", "https://api.example.com", false),
            ("https://slb.{region}.example.com:8443", "https://slb.{region}.example.com:8443", false),
            ("http://127.0.0.1:1/", "http://127.0.0.1:1", false),
            ("http://[::1]:80", "http://[::1]:80", false),
            ("http://localhost", "http://localhost", false),
            ("http://10.0.0.5", "http://10.0.0.5", true),
        ];
        for (given, text, exposed) in cases {
            assert_eq!(Endpoint::read(given), Ok(Endpoint { text: text.to_owned(), exposed }), "{given}");
        }
    }

    #[test]
    fn anything_else_is_none() {
        let cases = [
            ("api.example.com", "scheme"),
            ("ftp://api.example.com", "scheme"),
            ("https://api.example.com/v1", "after"),
            ("https://api.example.com?x", "after"),
            ("https://", "host"),
            ("https://:80", "host"),
            ("https://a b", "host"),
            ("https://{zone}.example.com", "host"),
            ("https://user:word@example.com", "user"),
            ("https://example.com:{region}", "port"),
            ("https://example.com:0", "port"),
            ("https://example.com:", "port"),
            ("https://example.com:65536", "port"),
        ];
        for (given, wanted) in cases {
            let flaw = Endpoint::read(given).unwrap_err();
            assert!(flaw.contains(wanted), "{given}: {flaw}");
        }
    }
}
