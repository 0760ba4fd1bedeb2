//! What every message of this cloud shares: common parameters, where they travel, the form of a reply.
//!
//! UCloud API, "Public parameters" and "Signature".

use std::borrow::Cow;

use http::{HeaderName, StatusCode};

use crate::{
    dialect::Envelope,
    mapping::Cloud,
    model::{Fault, FaultKind},
    wire::{Call, Document, EncodingError, NamedValue, Params, Reply, excerpt},
};

pub(super) const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
const DATA: &str = "DataSet";
const COUNT: &str = "TotalCount";

/// Parameters that authenticate a request; what is left is the action's own.
pub(super) fn is_envelope(name: &str) -> bool {
    ["Action", "PublicKey", "Signature", "SecurityToken"].contains(&name)
}

/// The parameters of a body, flattened; and as they are signed, where that differs.
pub(super) fn body_params(call: &Call) -> Result<(Params, Option<Params>), Fault> {
    if call.body.is_empty() {
        return Ok((Params::default(), None));
    }
    match call.media_type().as_deref() {
        Some(FORM) | None => {
            let text = std::str::from_utf8(&call.body);
            let text = text.map_err(|_| malformed("the form body is not UTF-8 text".to_owned()))?;
            Ok((Params::decode(text).map_err(bad_encoding)?, None))
        }
        Some(JSON) => {
            let body = Document::from_json(&call.body)
                .map_err(|error| malformed(format!("it has to be a JSON object of parameters: {error}")))?;
            json_params(&body)
        }
        Some(other) => Err(malformed(format!("its content type is `{other}`; send `{FORM}` or `{JSON}`"))),
    }
}

/// A JSON body as flat parameters (`Backends.0`), and as the pairs that are signed: a list is the texts of its
/// items one after the other, an object its names and texts by name.
fn json_params(body: &Document) -> Result<(Params, Option<Params>), Fault> {
    let Document::Record(members) = body else {
        return Err(malformed(format!("it has to be a JSON object of parameters, not {}", body.kind())));
    };
    let (mut params, mut signed) = (Params::default(), Params::default());
    for (name, value) in members {
        flatten(name, value, &mut params)?;
        let mut text = String::new();
        signed_text(value, &mut text);
        signed.push(name.as_str(), text);
    }
    Ok((params, Some(signed)))
}

fn malformed(detail: String) -> Fault {
    Fault::new(FaultKind::MalformedBody, detail)
}

/// Bounded, since every item of a list repeats the names above it, and nobody has been authenticated yet.
fn flatten(name: &str, value: &Document, params: &mut Params) -> Result<(), Fault> {
    if params.len() >= Params::MOST || name.len() > Params::LONGEST_NAME {
        let (most, longest) = (Params::MOST, Params::LONGEST_NAME);
        return Err(malformed(format!("it may have {most} parameters, with names of {longest} bytes")));
    }
    match value {
        Document::Null => {}
        Document::Bool(_) | Document::Number(_) | Document::Text(_) => {
            params.push(name, value.scalar().unwrap_or_default());
        }
        // An empty list is no absent value: it keeps a name, which no parameter but a list has.
        Document::List(items) if items.is_empty() => params.push(format!("{name}.0"), ""),
        Document::Record(members) if members.is_empty() => params.push(format!("{name}."), ""),
        Document::List(items) => {
            for (index, item) in items.iter().enumerate() {
                flatten(&format!("{name}.{index}"), item, params)?;
            }
        }
        Document::Record(members) => {
            for (member, item) in members {
                flatten(&format!("{name}.{member}"), item, params)?;
            }
        }
    }
    Ok(())
}

fn signed_text(value: &Document, text: &mut String) {
    match value {
        Document::Null | Document::Bool(_) | Document::Number(_) | Document::Text(_) => {
            text.push_str(&value.scalar().unwrap_or_default());
        }
        Document::List(items) => {
            for item in items {
                signed_text(item, text);
            }
        }
        Document::Record(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
            for (name, item) in sorted {
                text.push_str(name);
                signed_text(item, text);
            }
        }
    }
}

/// A reply: `RetCode` and `Action` first, and the request id in a header, which every SDK logs.
pub(super) fn reply(envelope: &Envelope, status: StatusCode, code: &str, members: Vec<NamedValue>) -> Reply {
    let mut body = vec![("RetCode".into(), Document::Number(code.into()))];
    if !envelope.action.is_empty() {
        body.push(("Action".into(), Document::text(format!("{}Response", envelope.action))));
    }
    body.extend(members);
    let body = Document::Record(body);
    let mut reply = Reply::new(status, JSON, body.to_json());
    reply.append(HeaderName::from_static("x-ucloud-request-uuid"), &envelope.request_id);
    reply
}

/// An error: the same with a `Message`.
pub(super) fn error(envelope: &Envelope, fault: &Fault, cloud: &Cloud) -> Reply {
    let row = cloud.faults.row(fault.kind, &envelope.action);
    let message = Document::text(row.message(fault, &envelope.action));
    let code = row.code(fault, &envelope.action);
    let mut reply = reply(envelope, row.status, &code, vec![("Message".into(), message)]);
    if let Some(seconds) = row.retry_after {
        reply.append(HeaderName::from_static("retry-after"), &seconds.to_string());
    }
    reply
}

pub(super) fn bad_encoding(error: EncodingError) -> Fault {
    let EncodingError { name, fault } = error;
    Fault::of_field(FaultKind::MalformedEncoding, name, fault)
}

/// The fault of a parameter that has a value which is not `allowed`.
pub(super) fn wrong(kind: FaultKind, name: &str, allowed: &str, found: &str) -> Fault {
    let detail = format!("`{name}` has to be {allowed}, not `{}`", excerpt(found));
    Fault::of_field(kind, name.to_owned(), detail)
}

/// The fault of a reply that makes no sense.
pub(super) fn lost(cloud: &Cloud, what: &str) -> Fault {
    Fault::new(FaultKind::TargetLost, format!("{} answered {what}", cloud.title))
}

/// The text of a member, be it a number or not; empty where there is none.
pub(super) fn text_of<'d>(record: &'d Document, name: &str) -> Cow<'d, str> {
    record.member(name).and_then(Document::scalar).unwrap_or_default()
}

/// The items of a member that is a list. One that is absent, or null, has none.
pub(super) fn list_of<'d>(record: &'d Document, name: &str, cloud: &Cloud) -> Result<&'d [Document], Fault> {
    match record.member(name) {
        None | Some(Document::Null) => Ok(&[]),
        Some(Document::List(items)) => Ok(items),
        Some(other @ (Document::Bool(_) | Document::Number(_) | Document::Text(_) | Document::Record(_))) => {
            Err(lost(cloud, &format!("with {} for its `{name}`", other.kind())))
        }
    }
}

/// The items of the `DataSet` of a reply. No page says that an empty one is sent, so the count stands in for it.
pub(super) fn data_of<'d>(body: &'d Document, cloud: &Cloud) -> Result<&'d [Document], Fault> {
    let items = list_of(body, DATA, cloud)?;
    let told = matches!(body.member(DATA), Some(Document::List(_))) || body.member(COUNT).is_some();
    if told { Ok(items) } else { Err(lost(cloud, "a success without a DataSet")) }
}

/// How many there are in all, of which a `DataSet` is a part.
pub(super) fn count_of(body: &Document, cloud: &Cloud) -> Result<usize, Fault> {
    text_of(body, COUNT).parse().map_err(|_| lost(cloud, "a list without a TotalCount"))
}

/// A `DataSet`, and how many there are in all.
pub(super) fn data(items: Vec<Document>, count: usize) -> Vec<NamedValue> {
    vec![(COUNT.into(), whole_number(count)), (DATA.into(), Document::List(items))]
}

/// A count as a number.
pub(super) fn whole_number(count: usize) -> Document {
    Document::Number(count.to_string().into())
}
