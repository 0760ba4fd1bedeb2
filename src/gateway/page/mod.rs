//! One page for a person who looks: the last requests, what each became, what was lost, and what would become of another.
//!
//! Nobody is asked who they are, so the page, what it shows and what it runs are for who may open the admin listener. A
//! browser may open it for somebody else, unknowing: see [`refusal`].

use std::{net::IpAddr, sync::Arc};

use http::{HeaderName, Method, StatusCode, header};
use tokio::time::timeout;

use super::explain::explain;
use crate::{
    auth::Stamp,
    config::Config,
    wire::{Call, Reply, read_request},
};

const HTML: &str = include_str!("page.html");
const CSS: &str = include_str!("page.css");
const JS: &str = include_str!("page.js");

/// Nothing but the page's own two files, and no address but its own. Should a text of a caller's ever get to stand as HTML
/// all the same, it loads nothing, runs nothing and sends nothing.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

/// The page or one of its files; none at other paths.
pub(super) fn reply(path: &str) -> Option<Reply> {
    let (content_type, text) = match path {
        "/" => ("text/html; charset=utf-8", HTML),
        "/page.css" => ("text/css; charset=utf-8", CSS),
        "/page.js" => ("text/javascript; charset=utf-8", JS),
        _ => return None,
    };
    Some(guarded(Reply::new(StatusCode::OK, content_type, text)))
}

/// What `explain --json` prints for the request that is the body of `call`.
pub(super) async fn explain_reply(config: &Arc<Config>, call: &Call, stamp: &Stamp) -> Reply {
    if call.method != Method::POST {
        let mut reply = told(StatusCode::METHOD_NOT_ALLOWED, "POST the request that is to be explained");
        reply.append(header::ALLOW, "POST");
        return reply;
    }
    if call.media_type().as_deref() != Some("text/plain") {
        let why = "send the request that is to be explained as `Content-Type: text/plain`";
        return told(StatusCode::UNSUPPORTED_MEDIA_TYPE, why);
    }
    let Ok(text) = std::str::from_utf8(&call.body) else {
        return told(StatusCode::BAD_REQUEST, "the request that is to be explained has to be UTF-8 text");
    };
    let request = match read_request(text) {
        Ok(request) => request,
        Err(error) => return told(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    // The engine may wait, as before a group that is to be gone; a browser does not wait for ever.
    let Ok(explained) = timeout(config.limits.request_timeout, explain(config, request, stamp)).await else {
        return told(
            StatusCode::GATEWAY_TIMEOUT,
            "it could not be explained within `limits.request_timeout`",
        );
    };
    let document = match explained {
        Ok(explanation) => explanation.to_json(),
        Err(refusal) => refusal.to_json(),
    };
    guarded(Reply::new(StatusCode::OK, "application/json", document.to_json() + "\n"))
}

/// Why a call is not answered that a foreign page may have made a browser send; none of one that is answered.
///
/// Two ways lead from a foreign page to here. It may send to this address: then its own origin stands in `Origin`, or a
/// browser says `Sec-Fetch-Site`, and either is refused. (It could not read the answer: no CORS header is ever sent.) Or it
/// may have its own name lead to this address, which is DNS rebinding: then its scripts are of the same origin and may
/// read, but its name stands in `Host`. So a host is taken only if nobody else can own it: an IP address, `localhost` and
/// names below it, or one word, which no public name is. Whoever wants it by a full name asks by IP address or through a
/// tunnel. A call without a `Host` comes from no browser.
pub(super) fn refusal(call: &Call) -> Option<Reply> {
    let host = call.header(header::HOST.as_str());
    if let Some(host) = host.filter(|host| !is_nobody_elses(host)) {
        let shown = crate::wire::excerpt(host);
        let why = format!(
            "this is not answered under the name `{shown}`, which a foreign page may have led here; open it by IP address or as localhost"
        );
        return Some(told(StatusCode::FORBIDDEN, &why));
    }
    let origin = call.header(header::ORIGIN.as_str());
    let own = |origin: &str| {
        let (_, authority) = origin.split_once("://").unwrap_or_default();
        host.is_some_and(|host| host.eq_ignore_ascii_case(authority))
    };
    let foreign = origin.is_some_and(|origin| !own(origin));
    let cross = matches!(call.header("sec-fetch-site"), Some("cross-site" | "same-site"));
    // Who follows a link to the page, or types its address, comes from elsewhere and reads nothing that is not meant to be.
    let visits = call.header("sec-fetch-mode") == Some("navigate") && call.method == Method::GET;
    (foreign || cross && !visits).then(|| told(StatusCode::FORBIDDEN, "this is not answered to other pages"))
}

/// Whether a `Host` is one that only the operator can have led here.
fn is_nobody_elses(host: &str) -> bool {
    // An IPv6 address stands in brackets, and a port may follow.
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or(rest, |(name, _)| name),
        None => host.split_once(':').map_or(host, |(name, _)| name),
    };
    let name = name.to_ascii_lowercase();
    let one_word = !name.is_empty() && !name.contains('.');
    name.parse::<IpAddr>().is_ok() || one_word || name.ends_with(".localhost")
}

/// The reply with what tells a browser to show it and to do nothing else with it.
pub(super) fn guarded(mut reply: Reply) -> Reply {
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        reply.append(name, value);
    }
    reply
}

fn told(status: StatusCode, text: &str) -> Reply {
    guarded(Reply::new(status, "text/plain; charset=utf-8", format!("{text}\n")))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn call(headers: &[(&'static str, &'static str)]) -> Call {
        let mut call = Call::new(Method::POST, "", "/explain", String::new());
        for (name, value) in headers {
            call.headers.insert(*name, HeaderValue::from_static(value));
        }
        call
    }

    #[test]
    fn only_a_host_that_nobody_else_can_own_is_answered() {
        for host in [
            "127.0.0.1:8081",
            "[::1]:8081",
            "[::1]",
            "localhost",
            "LOCALHOST:1",
            "a.localhost:1",
            "admin:8081",
        ] {
            assert!(refusal(&call(&[("host", host)])).is_none(), "{host}");
        }
        for host in [
            "evil.example:8081",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "",
            ":8081",
            "1.2.3.4.5",
        ] {
            assert!(refusal(&call(&[("host", host)])).is_some(), "{host}");
        }
    }

    #[test]
    fn another_pages_call_is_refused() {
        let host = ("host", "127.0.0.1:8081");
        for good in ["http://127.0.0.1:8081", "https://127.0.0.1:8081"] {
            assert!(refusal(&call(&[host, ("origin", good)])).is_none(), "{good}");
        }
        for bad in ["null", "http://evil.example", "http://127.0.0.1", "http://127.0.0.1:8082", ""] {
            assert!(refusal(&call(&[host, ("origin", bad)])).is_some(), "{bad}");
        }
        assert!(refusal(&call(&[host, ("sec-fetch-site", "cross-site")])).is_some());
        assert!(refusal(&call(&[host, ("sec-fetch-site", "same-origin")])).is_none());
    }
}
