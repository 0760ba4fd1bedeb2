//! A raw HTTP/1.x request, as a packet capture or a log shows it.
//!
//! More lenient than a server: lines may end in LF, and the blank line may be missing where there is no body. The
//! query stays as it stands, but for blanks, which no request line can hold. (A target that is a whole URL is read as
//! one.)

use http::{Method, header::TRANSFER_ENCODING};

use crate::wire::Call;

use super::{
    add_host,
    address::{self, Address},
    error::{RequestTextError, excerpt},
    header,
};

/// Whether the first line is a request line: three parts, the last of them `HTTP/…`.
pub(super) fn is_request(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    let mut words = first.split_whitespace();
    words.next_back().is_some_and(|word| word.starts_with("HTTP/")) && words.count() >= 2
}

/// Reads a request that [`is_request`].
pub(super) fn read(text: &str) -> Result<Call, RequestTextError> {
    let (head, body) = split_head(text);
    let mut lines = head.lines();
    let mut call = read_request_line(lines.next().unwrap_or_default().trim())?;
    for line in lines {
        let (name, value) = header::read(line.trim())?;
        header::append(&mut call.headers, name, value)?;
    }
    refuse_chunks(&call, body)?;
    add_host(&mut call);
    call.body = read_body(&call, body).to_owned().into();
    Ok(call)
}

/// Reads a method, which for both clouds is a word of capital letters.
pub(super) fn read_method(word: &str) -> Result<Method, RequestTextError> {
    // A capture that starts in the middle of a packet has bytes before the `POST`, and they may be a token.
    let capitals = word.bytes().all(|byte| byte.is_ascii_uppercase());
    let method = Method::from_bytes(word.as_bytes()).ok().filter(|_| capitals);
    method.ok_or_else(|| RequestTextError::Method(excerpt(word)))
}

/// What stands before and after the first blank line.
fn split_head(text: &str) -> (&str, &str) {
    let mut end = 0;
    for line in text.split_inclusive('\n') {
        if line.trim().is_empty() {
            let (head, rest) = text.split_at(end);
            return (head, rest.get(line.len()..).unwrap_or_default());
        }
        end += line.len();
    }
    (text, "")
}

fn read_request_line(line: &str) -> Result<Call, RequestTextError> {
    let (method, rest) = line.split_once(' ').unwrap_or((line, ""));
    let (target, _version) = rest.rsplit_once(' ').unwrap_or((rest, ""));
    let (method, target) = (read_method(method)?, target.trim());
    if address::has_scheme(target) {
        return Ok(Address::read(target)?.into_call(method));
    }
    if !target.starts_with('/') {
        return Err(RequestTextError::Target(excerpt(target)));
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    // A log that prints the decoded query has blanks in it; anything else that stands there is what was sent.
    Ok(Call::new(method, "", path, query.replace(' ', "%20")))
}

fn refuse_chunks(call: &Call, body: &str) -> Result<(), RequestTextError> {
    match call.header(TRANSFER_ENCODING.as_str()) {
        Some(coding) if !body.trim().is_empty() => Err(RequestTextError::Chunks(excerpt(coding))),
        _ => Ok(()),
    }
}

/// A form or a JSON text without the line break that pasting put behind it.
fn read_body<'t>(call: &Call, body: &'t str) -> &'t str {
    match call.media_type().as_deref() {
        None | Some("application/x-www-form-urlencoded") => body.trim(),
        Some(json) if json == "application/json" || json.ends_with("+json") => body.trim(),
        Some(_) => body,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use crate::wire::{RequestTextError, read_request};

    const HEAD: &str = "POST /?Action=AllocateBackend HTTP/1.1\nHost: 127.0.0.1:8080\nContent-Type: ";

    #[test]
    fn a_form_is_read_with_either_line_ending() {
        let text =
            format!("{HEAD}application/x-www-form-urlencoded;charset=UTF-8\n\nRegion=cn-bj2&Port=80\n");
        let call = read_request(&text).unwrap();
        assert_eq!((call.method.as_str(), call.origin.as_str(), call.path.as_str()), ("POST", "", "/"));
        assert_eq!(call.query, "Action=AllocateBackend");
        assert_eq!(call.header("host"), Some("127.0.0.1:8080"));
        assert_eq!(call.body, "Region=cn-bj2&Port=80");
        assert_eq!(read_request(&text.replace('\n', "\r\n")).unwrap(), call);
    }

    #[test]
    fn a_json_body_keeps_its_lines_and_loses_the_last_break() {
        let text = format!("{HEAD}application/json\n\n{{\n  \"Description\": \"it's\"\n}}\n\n");
        assert_eq!(read_request(&text).unwrap().body, "{\n  \"Description\": \"it's\"\n}");
    }

    #[test]
    fn a_body_of_another_type_is_kept_whole() {
        assert_eq!(read_request(&format!("{HEAD}text/plain\n\nline\n")).unwrap().body, "line\n");
    }

    #[test]
    fn without_a_blank_line_there_is_no_body() {
        let call = read_request("GET /?A=b HTTP/1.0\nHost: h").unwrap();
        assert_eq!((call.headers.len(), call.body.len()), (1, 0));
        assert!(read_request("GET / HTTP/1.1").unwrap().headers.is_empty());
    }

    #[test]
    fn the_query_stays_as_it_was_sent() {
        let call = read_request("GET /?A=[{'a':\"b\"}]&B=%7B&C=a+b HTTP/1.1\n\n").unwrap();
        assert_eq!(call.query, "A=[{'a':\"b\"}]&B=%7B&C=a+b");
        let logged = read_request("POST /?A=[{'ServerId': 'i-1', 'Port': 80}]&B=c HTTP/1.1").unwrap();
        assert_eq!(logged.query, "A=[{'ServerId':%20'i-1',%20'Port':%2080}]&B=c");
    }

    #[test]
    fn an_absolute_target_gives_origin_and_host() {
        let call = read_request("GET http://h:81/?A=b HTTP/1.1\n").unwrap();
        assert_eq!((call.origin.as_str(), call.header("host")), ("http://h:81", Some("h:81")));
    }

    #[test]
    fn headers_of_one_name_are_all_kept_and_their_values_may_be_utf8() {
        let call = read_request("GET / HTTP/1.1\nx-a: 1\nX-A: 后端\n").unwrap();
        let values: Vec<&[u8]> = call.headers.get_all("x-a").iter().map(HeaderValue::as_bytes).collect();
        assert_eq!(values, ["1".as_bytes(), "后端".as_bytes()]);
    }

    #[test]
    fn more_headers_than_a_map_can_hold_are_refused() {
        let lines: Vec<String> = (0..40_000).map(|n| format!("x-{n}: a")).collect();
        let error = read_request(&format!("GET / HTTP/1.1\n{}", lines.join("\n"))).unwrap_err();
        assert_eq!(error, RequestTextError::HeaderCount(1000));
    }

    #[test]
    fn what_is_no_request_is_refused_by_its_part() {
        for (text, message) in [
            ("E..P.POST / HTTP/1.1\n", "`E..P.POST` is no method"),
            ("POST api HTTP/1.1\n", "`api` is no request target"),
            ("POST / HTTP/1.1\nAction=X&Region=y\n", "`Action=X&Region=y` is no header"),
            ("POST / HTTP/1.1\nbad name: secret\n", "`bad name` is no header name"),
            ("POST / HTTP/1.1\nx-a: sec\u{1}ret\n", "the value of header `x-a` holds"),
            ("POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n2\nab\n0\n", "the body is in chunks"),
        ] {
            let error = read_request(text).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
