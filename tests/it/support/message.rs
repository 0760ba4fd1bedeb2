//! Reads the `.http` files of the fixtures. Written apart from the code under test on purpose.

use http::{HeaderName, HeaderValue, Method};
use weighbridge::wire::Call;

/// Reads a raw HTTP/1.1 request with LF line ends; the body is what follows the first empty line, byte for byte.
pub fn read_call(text: &str) -> Call {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let mut request_line = lines.next().expect("a request line").split(' ');
    let method: Method = request_line.next().expect("a method").parse().expect("a known method");
    let target = request_line.next().expect("a target");
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut call = Call::new(method, "", path, query.to_owned());
    for line in lines {
        let (name, value) = line.split_once(':').expect("a header");
        let name: HeaderName = name.parse().expect("a header name");
        call.headers.append(name, HeaderValue::from_bytes(value.trim().as_bytes()).expect("a header value"));
    }
    call.body = body.to_owned().into();
    call
}
