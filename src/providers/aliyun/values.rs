//! How single values travel: in the parameters of a request as text, in replies as JSON.

use std::{fmt::Display, ops::RangeInclusive};

use jiff::Timestamp;

use super::envelope;
use crate::{
    mapping::Cloud,
    model::{Fault, FaultKind},
    wire::{Document, Params, excerpt},
};

/// The whole number that a parameter holds, if it is there.
pub(super) fn whole(
    params: &Params,
    name: &'static str,
    range: &RangeInclusive<u32>,
) -> Result<Option<u32>, Fault> {
    let read = |text: &str| {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|number| digits && range.contains(number))
    };
    let allowed = || format!("a whole number from {} to {}", range.start(), range.end());
    one_of(params, name, read, allowed)
}

/// The truth value that a parameter holds; one that is left out is `false`. Python's SDKs write `True`.
pub(super) fn flag(params: &Params, name: &'static str) -> Result<bool, Fault> {
    let words = [("true", true), ("false", false)];
    let read =
        |text: &str| words.iter().find(|(word, _)| text.eq_ignore_ascii_case(word)).map(|(_, yes)| *yes);
    Ok(one_of(params, name, read, || "one of true, false".to_owned())?.unwrap_or(false))
}

/// What a parameter means, if it is there. `allowed` says in words what `read` takes.
pub(super) fn one_of<T>(
    params: &Params,
    name: &'static str,
    read: impl Fn(&str) -> Option<T>,
    allowed: impl Fn() -> String,
) -> Result<Option<T>, Fault> {
    let Some(text) = params.filled(name) else { return Ok(None) };
    read(text).map(Some).ok_or_else(|| wrong(name, &allowed(), text))
}

/// A parameter that holds something else than what is allowed.
pub(super) fn wrong(name: &str, allowed: &str, found: &str) -> Fault {
    let detail = format!("`{name}` has to be {allowed}, not `{}`", excerpt(found));
    Fault::of_field(FaultKind::InvalidParameter, name.to_owned(), detail)
}

/// A whole number of a reply: a number in the live shape and text in the documented one.
pub(super) fn number(number: impl Display, documented: bool) -> Document {
    let text = number.to_string();
    if documented { Document::text(text) } else { Document::Number(text.into()) }
}

/// A moment of a reply.
pub(super) fn moment(moment: Timestamp) -> Document {
    Document::text(format!("{moment:.0}"))
}

/// The text that a record of a reply has under a name. Empty text counts as absent.
pub(super) fn told(record: &Document, name: &str) -> Option<String> {
    let text = record.member(name).and_then(Document::scalar)?;
    Some(text.into_owned()).filter(|text| !text.is_empty())
}

/// The whole number that a record of a reply has under a name, if it is there.
pub(super) fn told_number(record: &Document, name: &str, cloud: &Cloud) -> Result<Option<usize>, Fault> {
    let senseless = |_| envelope::lost(cloud, &format!("a `{name}` that is no whole number"));
    told(record, name).map(|text| text.parse().map_err(senseless)).transpose()
}

/// The moment that a record of a reply has under a name. The seconds may be left out, and one that cannot be read is as
/// good as none: nothing hangs on it.
pub(super) fn told_moment(record: &Document, name: &str) -> Option<Timestamp> {
    told(record, name)?.parse().ok()
}
