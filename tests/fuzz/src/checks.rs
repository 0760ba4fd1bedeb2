//! What has to hold of every reply that is written, told apart by parsers that the library does not write with.

use quick_xml::{Reader, escape::resolve_predefined_entity, events::Event};
use weighbridge::{
    dialect::{Envelope, Provider},
    mapping::{Cloud, Format},
    model::Fault,
    wire::Reply,
};

/// A fault can be told to a caller: with the request's id, and the same way twice.
pub fn refusal(provider: &Provider, cloud: &Cloud, envelope: &Envelope, fault: &Fault) -> Reply {
    let reply = provider.ingress.write_error(envelope, fault, cloud);
    assert_eq!(reply, provider.ingress.write_error(envelope, fault, cloud), "it is told the same way twice");
    well_formed(&reply);
    let mut headers = reply.headers.values();
    let in_header = headers.any(|value| *value == *envelope.request_id);
    let body = String::from_utf8_lossy(&reply.body);
    assert!(in_header || body.contains(&envelope.request_id), "it does not name the request: {reply:?}");
    reply
}

/// A reply has one document for its body, of the format that its content type names.
pub fn well_formed(reply: &Reply) -> Format {
    let body = std::str::from_utf8(&reply.body).expect("a body of text");
    if reply.header("content-type").expect("a content type").contains("xml") {
        xml(body);
        return Format::Xml;
    }
    let json: serde_json::Value =
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"));
    assert!(json.is_object(), "{body}");
    Format::Json
}

/// One element of nothing but characters that XML has, elements that end where they should, and entities of its own.
fn xml(text: &str) {
    let forbidden = |c: char| !matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..);
    assert!(!text.contains(forbidden), "a character that XML does not have: {text:?}");
    let mut reader = Reader::from_str(text);
    let (mut depth, mut roots) = (0_usize, 0);
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("{error}: {text}")) {
            Event::Start(_) => {
                roots += usize::from(depth == 0);
                depth += 1;
            }
            Event::End(_) => depth -= 1,
            Event::Text(_) => assert!(depth > 0, "text outside of the root: {text}"),
            Event::GeneralRef(entity) => {
                let of_a_number = matches!(entity.resolve_char_ref(), Ok(Some(_)));
                assert!(of_a_number || resolve_predefined_entity(&entity).is_some(), "{entity:?}: {text}");
            }
            Event::Decl(_) => {}
            Event::Eof => break,
            other @ (Event::Empty(_)
            | Event::CData(_)
            | Event::Comment(_)
            | Event::PI(_)
            | Event::DocType(_)) => {
                panic!("{other:?}: {text}")
            }
        }
    }
    assert_eq!((depth, roots), (0, 1), "one root that ends: {text}");
}
