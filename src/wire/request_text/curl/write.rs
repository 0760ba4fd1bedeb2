//! A call as the curl command that sends it.

use http::{
    HeaderName, Method,
    header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING},
};

use crate::wire::Call;

use super::{super::address, words::quoted};

/// The command that sends `call`: for a POSIX shell, one option a line where there are headers or a body.
///
/// What `read_request` makes of it is the same call, with these exceptions. `host` is written only where it differs
/// from the URL's, and a missing one is added, as every client does; `content-length` and `transfer-encoding` are
/// left to curl. Characters that may not stand in a URL are encoded, so that the parameters stay the same and the
/// text does not. A call without origin gets the one of its `host` header with `https`, or the placeholder
/// `https://[Endpoint]`. Bytes that are not UTF-8 are replaced, since no command line holds them.
#[must_use]
pub fn to_curl(call: &Call) -> String {
    let origin = origin(call);
    let mut options = header_options(call, address::authority(&origin));
    if !call.body.is_empty() {
        options.push(format!("--data-raw {}", quoted(&String::from_utf8_lossy(&call.body))));
    }
    let url = address::encode_stray(&format!("{}{}", call.path, query_part(call)));
    let mut command = format!("curl -sS{} {}", method_option(call), quoted(&format!("{origin}{url}")));
    for option in options {
        command.push_str(" \\\n  ");
        command.push_str(&option);
    }
    command
}

fn origin(call: &Call) -> String {
    let host = call.header(HOST.as_str()).filter(|host| address::is_authority(host));
    match (call.origin.as_str(), host) {
        ("", Some(host)) => format!("https://{host}"),
        ("", None) => "https://[Endpoint]".to_owned(),
        (origin, _) => origin.to_owned(),
    }
}

fn query_part(call: &Call) -> String {
    if call.query.is_empty() { String::new() } else { format!("?{}", call.query) }
}

fn method_option(call: &Call) -> String {
    if call.method == Method::GET && call.body.is_empty() {
        return String::new();
    }
    format!(" -X {}", call.method)
}

fn header_options(call: &Call, authority: Option<&str>) -> Vec<String> {
    let is_written = |name: &HeaderName, value: &[u8]| {
        let is_url_host = name == HOST && authority.is_some_and(|authority| authority.as_bytes() == value);
        !is_url_host && name != CONTENT_LENGTH && name != TRANSFER_ENCODING
    };
    let written = call.headers.iter().filter(|(name, value)| is_written(name, value.as_bytes()));
    let mut options: Vec<String> =
        written.map(|(name, value)| header_option(name, value.as_bytes())).collect();
    if !call.body.is_empty() && !call.headers.contains_key(CONTENT_TYPE) {
        // Else curl calls the body a form.
        options.push(format!("-H '{CONTENT_TYPE}:'"));
    }
    options
}

fn header_option(name: &HeaderName, value: &[u8]) -> String {
    match String::from_utf8_lossy(value).as_ref() {
        // `name:` would take the header away.
        "" => format!("-H '{name};'"),
        value => format!("-H {}", quoted(&format!("{name}: {value}"))),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::{collection::vec, prelude::*};

    use crate::wire::{Params, read_request};

    use super::*;

    fn call(method: Method, query: &str, headers: &[(&'static str, &str)], body: &str) -> Call {
        let mut call = Call::new(method, "https://api.ucloud.cn", "/", query.to_owned());
        for (name, value) in headers {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            call.headers.append(HeaderName::from_static(name), value);
        }
        call.body = body.to_owned().into();
        call
    }

    #[test]
    fn a_get_is_one_line() {
        let call = call(Method::GET, "Action=GetRegion", &[("host", "api.ucloud.cn")], "");
        assert_eq!(to_curl(&call), "curl -sS 'https://api.ucloud.cn/?Action=GetRegion'");
    }

    #[test]
    fn headers_and_body_take_a_line_each() {
        let headers = [("host", "other"), ("content-type", "application/json"), ("x-empty", "")];
        let call = call(Method::POST, "", &headers, r#"{"Description":"it's"}"#);
        let lines = r#"curl -sS -X POST 'https://api.ucloud.cn/' \
  -H 'host: other' \
  -H 'content-type: application/json' \
  -H 'x-empty;' \
  --data-raw '{"Description":"it'\''s"}'"#;
        assert_eq!(to_curl(&call), lines);
        assert_eq!(read_request(lines).unwrap(), call);
    }

    #[test]
    fn a_body_without_type_stays_without_type() {
        let call = call(Method::POST, "", &[("host", "api.ucloud.cn"), ("content-length", "3")], "a=b");
        assert!(to_curl(&call).ends_with("-H 'content-type:' \\\n  --data-raw 'a=b'"));
    }

    #[test]
    fn a_received_call_goes_to_its_host_and_a_page_example_to_its_placeholder() {
        let received = read_request("POST /?A=b HTTP/1.1\nHost: 127.0.0.1:8080\n").unwrap();
        assert_eq!(to_curl(&received), "curl -sS -X POST 'https://127.0.0.1:8080/?A=b'");
        let printed = read_request("http(s)://[Endpoint]/? A=b").unwrap();
        assert_eq!(read_request(&to_curl(&printed)).unwrap(), printed);
        // Tea's host header when it is given an endpoint with a scheme.
        let odd = read_request("POST / HTTP/1.1\nhost: http://127.0.0.1:8080/\n").unwrap();
        assert_eq!(read_request(&to_curl(&odd)).unwrap(), odd);
    }

    fn any_call() -> impl Strategy<Value = Call> {
        let encoded = vec(("[A-Z]\\PC{0,6}", "\\PC{0,12}"), 1..4)
            .prop_map(|pairs| pairs.into_iter().collect::<Params>().to_query());
        let query = prop_oneof![encoded, "[A-Za-z0-9._~!$'()*+,;=:@/?&%-]{0,30}"];
        let name = "[a-z][a-z0-9-]{0,12}".prop_filter("curl's own", |name| {
            !["host", "content-length", "transfer-encoding"].contains(&name.as_str())
        });
        let name = prop_oneof![4 => name, 1 => Just("content-type".to_owned())];
        let value = "([!-~后]([ -~\t后]{0,20}[!-~])?)?";
        let origin = "https?://[a-z]([a-z0-9.-]{0,10}[a-z0-9])?(:[1-9][0-9]{1,3})?";
        let start = ("(GET|POST|PUT|DELETE)", origin, "/[A-Za-z0-9._~'%-]{0,8}", query);
        let host = proptest::option::of("[a-z]{1,9}");
        (start, host, vec((name, value), 0..5), "(?s)[^\\x00]{0,60}").prop_map(
            |((method, origin, path, query), host, headers, body)| {
                let mut call = Call::new(method.parse().unwrap(), &origin, &path, query);
                let host = host.unwrap_or_else(|| address::authority(&origin).unwrap().to_owned());
                call.headers.insert(HOST, host.parse().unwrap());
                for (name, value) in headers {
                    let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
                    call.headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value);
                }
                call.body = body.into();
                call
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_written_reads_as_the_same_call(call in any_call()) {
            let command = to_curl(&call);
            prop_assert_eq!(read_request(&command).unwrap(), call, "{}", command);
        }

        #[test]
        fn a_raw_query_is_written_with_the_same_parameters(query in "[^%#\\p{C}]{0,12}") {
            let raw = call(Method::GET, &query, &[], "");
            let read = read_request(&to_curl(&raw)).unwrap();
            prop_assert_eq!(Params::decode(&read.query).unwrap(), Params::decode(&raw.query).unwrap());
        }
    }
}
