//! What a JSON text holds, with nothing lost on the way: order and duplicate keys stay.
//!
//! `serde_json::Value` keeps the last of two equal keys without a word; a gateway must see both. Numbers are kept
//! as the text that UCloud's signature page prescribes: integers in decimal, a float without its zero fraction
//! and never with an exponent.

use std::{borrow::Cow, fmt};

use compact_str::{CompactString, ToCompactString};
use quick_xml::escape::escape;
use serde::{
    Serialize, Serializer,
    de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor},
    ser::{SerializeMap, SerializeSeq},
};

/// A member of a record. Texts of up to 24 bytes, as names and ids are, take no memory beside.
pub type NamedValue = (CompactString, Document);

/// A JSON value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Document {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number in plain decimal: `42`, `0.5`.
    Number(CompactString),
    /// A string.
    Text(CompactString),
    /// An array.
    List(Vec<Document>),
    /// An object, in order, duplicates included.
    Record(Vec<NamedValue>),
}

/// Text that holds no document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DocumentError(String);

impl Document {
    /// Reads strict JSON.
    ///
    /// # Errors
    /// [`DocumentError`] with line and column.
    pub fn from_json(text: &[u8]) -> Result<Self, DocumentError> {
        serde_json::from_slice(text).map_err(|error| DocumentError(error.to_string()))
    }

    /// Reads what people and scripts write for JSON: strict JSON, JSON5 (single quotes), and a Python list or
    /// dictionary as `str()` prints it (`None`, `True`, `False`, quotes mixed).
    ///
    /// # Errors
    /// [`DocumentError`] of the most lenient reading.
    pub fn from_loose_json(text: &str) -> Result<Self, DocumentError> {
        serde_json::from_str(text).or_else(|_| from_json5(text))
    }

    /// The text of a string, number or truth value.
    #[must_use]
    pub fn scalar(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Bool(true) => Some(Cow::Borrowed("true")),
            Self::Bool(false) => Some(Cow::Borrowed("false")),
            Self::Number(text) | Self::Text(text) => Some(Cow::Borrowed(text)),
            Self::Null | Self::List(_) | Self::Record(_) => None,
        }
    }

    /// The first member of a record whose name is `name`.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Document> {
        match self {
            Self::Record(members) => members.iter().find(|(key, _)| key == name).map(|(_, value)| value),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::List(_) => None,
        }
    }

    /// A record of these members, in this order.
    #[must_use]
    pub fn record<const N: usize>(members: [(&str, Document); N]) -> Self {
        Self::Record(members.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }

    /// Text.
    #[must_use]
    pub fn text(text: impl Into<CompactString>) -> Self {
        Self::Text(text.into())
    }

    /// A whole number.
    #[must_use]
    pub fn number(number: impl Into<i64>) -> Self {
        Self::Number(number.into().to_compact_string())
    }

    /// The items of a list; none for anything else.
    #[must_use]
    pub fn items(&self) -> &[Document] {
        match self {
            Self::List(items) => items,
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::Record(_) => &[],
        }
    }

    /// This document as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Serialization of plain values into a string cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// This document as XML under one root. A list becomes its element repeated: the one way in which Alibaba Cloud's
    /// XML differs from its JSON.
    #[must_use]
    pub fn to_xml(&self, root: &str) -> String {
        let mut xml = String::from("<?xml version='1.0' encoding='UTF-8'?>");
        self.element(root, &mut xml);
        xml
    }

    fn element(&self, name: &str, xml: &mut String) {
        if let Self::List(items) = self {
            for item in items {
                item.element(name, xml);
            }
            return;
        }
        for part in ["<", name, ">"] {
            xml.push_str(part);
        }
        match self {
            Self::Record(members) => members.iter().for_each(|(name, value)| value.element(name, xml)),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::List(_) => {
                let text = self.scalar().unwrap_or_default().replace(no_xml_character, "\u{FFFD}");
                xml.push_str(&escape(text.as_str()));
            }
        }
        for part in ["</", name, ">"] {
            xml.push_str(part);
        }
    }

    /// What kind of value this is, for an error message.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a truth value",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Record(_) => "an object",
        }
    }
}

/// Whether XML 1.0 has no way to write a character, escaped or not (section 2.2, Char).
fn no_xml_character(character: char) -> bool {
    let written = matches!(character, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..);
    !written
}

/// How deep a document may nest; strict JSON stops at the same depth.
const DEEPEST: usize = 128;

/// Reads JSON5 and Python's printed lists. The JSON5 reader recurses without a bound of its own.
fn from_json5(text: &str) -> Result<Document, DocumentError> {
    if nesting(text) > DEEPEST {
        return Err(DocumentError(format!("it nests deeper than {DEEPEST} levels")));
    }
    json5::from_str(&python_words_as_json(text)).map_err(|error| DocumentError(error.to_string()))
}

/// The greatest number of brackets that are open at once. Those in strings and comments count too: whoever opens so many
/// there is refused, and nobody can hide a bracket from the count.
fn nesting(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for bracket in text.chars() {
        match bracket {
            '[' | '{' => depth += 1,
            ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// Turns the bare words `None`, `True` and `False` into JSON's, outside of strings.
fn python_words_as_json(text: &str) -> Cow<'_, str> {
    const WORDS: [(&str, &str); 3] = [("None", "null"), ("True", "true"), ("False", "false")];
    let word_at = |at: usize| {
        let rest = text.get(at..)?;
        WORDS.iter().find(|(python, _)| rest.starts_with(python))
    };
    let mut found = bare(text).filter_map(|(at, _)| Some((at, word_at(at)?))).peekable();
    if found.peek().is_none() {
        return Cow::Borrowed(text);
    }
    let (mut json, mut done) = (String::with_capacity(text.len()), 0);
    for (at, (python, word)) in found {
        json.push_str(text.get(done..at).unwrap_or_default());
        json.push_str(word);
        done = at + python.len();
    }
    json.push_str(text.get(done..).unwrap_or_default());
    Cow::Owned(json)
}

/// The characters outside of quotes of either kind, with their offsets.
fn bare(text: &str) -> impl Iterator<Item = (usize, char)> {
    let (mut quote, mut escaped) = (None, false);
    text.char_indices().filter(move |(_, next)| {
        let was_quoted = quote.is_some();
        match quote {
            None if matches!(next, '\'' | '"') => quote = Some(*next),
            Some(_) if escaped => escaped = false,
            Some(_) if *next == '\\' => escaped = true,
            Some(open) if *next == open => quote = None,
            None | Some(_) => {}
        }
        !was_quoted && quote.is_none()
    })
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DocumentVisitor)
    }
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(text) => {
                if let Ok(whole) = text.parse() {
                    return serializer.serialize_u64(whole);
                }
                match (text.parse::<i64>(), text.parse::<f64>()) {
                    (Ok(below @ ..0), _) => serializer.serialize_i64(below),
                    // `-0` as well, which only a float has.
                    (_, Ok(float)) => serializer.serialize_f64(float),
                    (_, Err(_)) => serializer.serialize_str(text),
                }
            }
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                items.iter().try_for_each(|item| list.serialize_element(item))?;
                list.end()
            }
            Self::Record(members) => {
                let mut record = serializer.serialize_map(Some(members.len()))?;
                members.iter().try_for_each(|(name, value)| record.serialize_entry(name, value))?;
                record.end()
            }
        }
    }
}

struct DocumentVisitor;

impl<'de> Visitor<'de> for DocumentVisitor {
    type Value = Document;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Document, E> {
        Ok(Document::Null)
    }

    fn visit_none<E>(self) -> Result<Document, E> {
        Ok(Document::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Document, E> {
        Ok(Document::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Document, E> {
        Ok(Document::Number(value.to_compact_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Document, E> {
        Ok(Document::Number(value.to_compact_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Document, E> {
        // Rust's `Display` of a float is plain decimal with no zero fraction: just what the signature needs, and not what
        // `to_compact_string` writes.
        Ok(Document::Number(value.to_string().into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Document, E> {
        Ok(Document::Text(value.into()))
    }

    fn visit_string<E>(self, value: String) -> Result<Document, E> {
        Ok(Document::Text(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Document, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Document::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Document, A::Error> {
        let mut record = Vec::new();
        while let Some(member) = members.next_entry()? {
            record.push(member);
        }
        Ok(Document::Record(record))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn member(text: &str, name: &str) -> Document {
        let Document::List(items) = Document::from_loose_json(text).unwrap() else {
            panic!("{text} is a list")
        };
        items[0].member(name).cloned().unwrap()
    }

    #[test]
    fn the_spec_pages_single_quotes_are_read() {
        assert_eq!(member("[{'ServerId':'vm-233','Port':'80'}]", "Port"), Document::text("80"));
    }

    #[test]
    fn a_python_list_is_read_with_its_apostrophe_and_none() {
        let text = r#"[{'ServerId': 'i-1', 'Port': 80, 'Type': None, 'Description': "it's None's \" True"}]"#;
        assert_eq!(member(text, "Description"), Document::text("it's None's \" True"));
        assert_eq!(member(text, "Type"), Document::Null);
        assert_eq!(member(text, "Port"), Document::Number("80".into()));
    }

    #[test]
    fn a_doubled_key_stays_visible() {
        let Document::Record(members) = Document::from_json(br#"{"Port":80,"Port":81}"#).unwrap() else {
            panic!("an object is a record");
        };
        assert_eq!(members.len(), 2);
    }

    #[test]
    fn numbers_take_the_text_that_is_signed() {
        for (json, text) in [("42.0", "42"), ("0.5", "0.5"), ("1.0E10", "10000000000"), ("-3", "-3")] {
            assert_eq!(Document::from_json(json.as_bytes()).unwrap().scalar().unwrap(), text);
        }
    }

    #[test]
    fn numbers_are_written_as_they_were_read() {
        for json in ["18446744073709551615", "-9223372036854775808", "-0.0", "0", "0.1", "1e+300"] {
            assert_eq!(Document::from_json(json.as_bytes()).unwrap().to_json(), json);
        }
    }

    #[test]
    fn a_list_in_xml_is_its_element_repeated() {
        let names = Document::List(vec![Document::text("a<b"), Document::number(2)]);
        let document = Document::record([("Names", Document::record([("Name", names)]))]);
        let root = "<R><Names><Name>a&lt;b</Name><Name>2</Name></Names></R>";
        assert_eq!(document.to_xml("R"), format!("<?xml version='1.0' encoding='UTF-8'?>{root}"));
        assert_eq!(document.to_json(), r#"{"Names":{"Name":["a<b",2]}}"#);
    }

    #[test]
    fn deep_nesting_is_refused_and_does_not_exhaust_the_stack() {
        assert!(Document::from_loose_json(&"[".repeat(200_000)).is_err());
        assert!(Document::from_loose_json(&"{'a':".repeat(50_000)).is_err());
        assert!(Document::from_loose_json(&format!("/*'*/{}", "[".repeat(20_000))).is_err());
        assert!(Document::from_loose_json(&format!("//'\n{}", "[".repeat(20_000))).is_err());
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in ".*") {
            let _outcome = Document::from_loose_json(&text);
        }
    }
}
