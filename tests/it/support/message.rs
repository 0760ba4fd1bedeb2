//! Reads the `.http` files of the fixtures. Written apart from the code under test on purpose.

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use weighbridge::wire::{Call, Reply};

/// Reads a raw HTTP/1.1 request with LF line ends; the body is what follows the first empty line, byte for byte.
pub fn read_call(text: &str) -> Call {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let (request_line, headers) = head.split_once('\n').unwrap_or((head, ""));
    let mut words = request_line.split(' ');
    let method: Method = words.next().expect("a method").parse().expect("a known method");
    let target = words.next().expect("a target");
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut call = Call::new(method, "", path, query.to_owned());
    call.headers = read_headers(headers);
    call.body = body.to_owned().into();
    call
}

/// Reads a raw HTTP/1.1 response, likewise.
pub fn read_reply(text: &str) -> Reply {
    let (head, body) = text.split_once("\n\n").expect("an empty line after the head");
    let (status_line, headers) = head.split_once('\n').unwrap_or((head, ""));
    let status = status_line.split(' ').nth(1).expect("a status").parse().expect("a known status");
    let status = StatusCode::from_u16(status).expect("a known status");
    Reply { status, headers: read_headers(headers), body: body.to_owned().into() }
}

/// The same message as it travels: every line of the head ends in CR LF.
pub fn on_the_wire(text: &str) -> Vec<u8> {
    let (head, body) = text.split_once("\n\n").expect("an empty line after the head");
    format!("{}\r\n\r\n{body}", head.replace('\n', "\r\n")).into_bytes()
}

fn read_headers(lines: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines.lines() {
        let (name, value) = line.split_once(':').expect("a header");
        let name: HeaderName = name.parse().expect("a header name");
        headers.append(name, HeaderValue::from_bytes(value.trim().as_bytes()).expect("a header value"));
    }
    headers
}
