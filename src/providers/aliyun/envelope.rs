//! What every message of this cloud shares: common parameters, reply formats, the form of an error.
//!
//! Common parameters and common errors: the RPC API pages "Common parameters" and "Return values".

use http::{HeaderName, HeaderValue, StatusCode, header};

use crate::{
    dialect::{Arrival, Envelope},
    mapping::{Cloud, Format, Shape},
    model::{Fault, FaultKind},
    wire::{Call, Document, EncodingError, NamedValue, Params, Reply},
};

pub(super) const FORM: &str = "application/x-www-form-urlencoded";
pub(super) const ACTION_HEADER: &str = "x-acs-action";
pub(super) const VERSION_HEADER: &str = "x-acs-version";

/// Parameters that authenticate a request or that its layout repeats; what is left is the action's own.
const ENVELOPE: [&str; 10] = [
    "Action",
    "Version",
    "AccessKeyId",
    "Signature",
    "SignatureMethod",
    "SignatureVersion",
    "SignatureNonce",
    "SignatureType",
    "Timestamp",
    "SecurityToken",
];

/// Whether a parameter belongs to the envelope.
pub(super) fn is_envelope(name: &str) -> bool {
    ENVELOPE.contains(&name) || name == "TimeStamp"
}

/// The action, from the parameters or, for ACS3, from the header.
pub(super) fn action(arrival: &Arrival) -> Option<&str> {
    arrival
        .params
        .filled("Action")
        .or_else(|| arrival.call.header(ACTION_HEADER))
        .filter(|name| !name.is_empty())
}

/// The version, likewise.
pub(super) fn version(arrival: &Arrival) -> Option<&str> {
    arrival.params.filled("Version").or_else(|| arrival.call.header(VERSION_HEADER))
}

/// The format that a request asks for, by the parameter or else by a header. `None` and other words are what SDKs send for no
/// wish.
pub(super) fn format(call: &Call, asked: Option<&str>, cloud: &Cloud) -> Format {
    match asked {
        Some(word) if word.eq_ignore_ascii_case("xml") => Format::Xml,
        Some(word) if word.eq_ignore_ascii_case("json") => Format::Json,
        Some(_) | None if call.header("accept").is_some_and(|accept| accept == "application/json") => {
            Format::Json
        }
        Some(_) | None => cloud.default_format,
    }
}

/// Up to how many bytes of query the action's parameters stand there, as in the vendor's own SDKs; longer ones go into
/// a form body, which both signatures cover as well.
const LONGEST_QUERY: usize = 8 * 1024;

/// Lays parameters out in a call: `common` always in the query, the action's own there or in the body.
pub(super) fn lay_out(mut call: Call, common: &Params, own: &Params) -> Call {
    let (common, in_query) = (common.to_query(), own.to_query());
    if in_query.len() > LONGEST_QUERY {
        call.query = common;
        call.body = own.to_form().into();
        call.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(FORM));
    } else {
        let parts = [common, in_query];
        call.query =
            parts.iter().filter(|part| !part.is_empty()).map(String::as_str).collect::<Vec<_>>().join("&");
    }
    call
}

/// The format of a call that could not be unpacked.
pub(super) fn raw_format(call: &Call) -> Option<&str> {
    let (_, value) = call.raw_pairs().find(|(name, _)| *name == b"Format")?;
    str::from_utf8(value).ok()
}

/// A document as a reply. The XML media type is spelled as the ACS3 SDKs compare it.
pub(super) fn reply(status: StatusCode, format: Format, root: &str, document: &Document) -> Reply {
    match format {
        Format::Json => Reply::new(status, "application/json; charset=UTF-8", document.to_json()),
        Format::Xml => Reply::new(status, "text/xml;charset=utf-8", document.to_xml(root)),
    }
}

/// A success: the request id, then what the action has of its own.
pub(super) fn success(envelope: &Envelope, own: Vec<NamedValue>) -> Reply {
    let mut members = vec![("RequestId".into(), Document::text(&envelope.request_id))];
    members.extend(own);
    let body = Document::Record(members);
    let Envelope { action, format, .. } = envelope;
    match (envelope.shape, format) {
        (Shape::Live, _) => reply(StatusCode::OK, *format, &format!("{action}Response"), &body),
        // The pages wrap the JSON in the action's name and give the XML root no `Response`.
        (Shape::Documented, Format::Json) => {
            reply(StatusCode::OK, *format, action, &Document::record([(action.as_str(), body)]))
        }
        (Shape::Documented, Format::Xml) => reply(StatusCode::OK, *format, action, &body),
    }
}

/// A list as replies have it: an object that holds the items under the name of one.
pub(super) fn list(item: &str, items: Vec<Document>) -> Document {
    Document::record([(item, Document::List(items))])
}

/// The items of such a list of a reply; none if there is no such list.
pub(super) fn items<'d>(body: &'d Document, list: &str, item: &str) -> Option<&'d [Document]> {
    match body.member(list)?.member(item)? {
        Document::List(items) => Some(items),
        Document::Null
        | Document::Bool(_)
        | Document::Number(_)
        | Document::Text(_)
        | Document::Record(_) => None,
    }
}

/// A reply that makes no sense.
pub(super) fn lost(cloud: &Cloud, what: &str) -> Fault {
    Fault::new(FaultKind::TargetLost, format!("{} answered {what}", cloud.title))
}

/// An error as this cloud tells it: `RequestId`, `HostId`, `Code`, `Message`, `Recommend`, all of them text.
pub(super) fn error(envelope: &Envelope, fault: &Fault, cloud: &Cloud) -> Reply {
    let row = cloud.faults.row(fault.kind, &envelope.action);
    let (code, message) = (row.code(fault, &envelope.action), row.message(fault, &envelope.action));
    let recommend =
        format!("https://api.aliyun.com/troubleshoot?q={code}&product=Slb&requestId={}", envelope.request_id);
    let document = Document::record([
        ("RequestId", Document::text(&envelope.request_id)),
        ("HostId", Document::text(&envelope.host)),
        ("Code", Document::text(code)),
        ("Message", Document::text(message)),
        ("Recommend", Document::text(recommend)),
    ]);
    let mut reply = reply(row.status, envelope.format, "Error", &document);
    if let Some(seconds) = row.retry_after {
        reply.append(HeaderName::from_static("retry-after"), &seconds.to_string());
    }
    reply
}

pub(super) fn bad_encoding(error: EncodingError) -> Fault {
    let EncodingError { name, fault } = error;
    Fault::of_field(FaultKind::MalformedEncoding, name, fault)
}
