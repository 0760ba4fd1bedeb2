//! Reads HTTP messages as the `.http` files of the golden cases have them: LF line ends, and everything after the first
//! empty line is the body. What makes no sense is left out, so that few inputs are wasted.

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use weighbridge::wire::{Call, Reply};

/// The call that the input is; none without a method and a target of text.
pub fn read_call(input: &[u8]) -> Option<Call> {
    let (head, headers, body) = parts(input);
    let mut words = head.split(' ');
    let method = Method::from_bytes(words.next()?.as_bytes()).ok()?;
    let target = words.next()?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut call = Call::new(method, "", path, query.to_owned());
    call.headers = headers;
    call.body = body.to_owned().into();
    Some(call)
}

/// The reply that the input is; none without a status.
pub fn read_reply(input: &[u8]) -> Option<Reply> {
    let (head, headers, body) = parts(input);
    let status = StatusCode::from_bytes(head.split(' ').nth(1)?.as_bytes()).ok()?;
    Some(Reply { status, headers, body: body.to_owned().into() })
}

/// The first line, the headers and the body.
fn parts(input: &[u8]) -> (String, HeaderMap, &[u8]) {
    let end = input.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = end.map_or((input, &input[..0]), |end| (&input[..end], &input[end + 2..]));
    let mut lines = head.split(|byte| *byte == b'\n');
    let first = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
    let mut headers = HeaderMap::new();
    for line in lines {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let name = HeaderName::from_bytes(&line[..colon]);
        let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    (first, headers, body)
}
