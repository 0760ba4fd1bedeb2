//! What a JSON text holds, with nothing lost on the way: order and duplicate keys stay.
//!
//! `serde_json::Value` keeps the last of two equal keys without a word; a gateway must see both. Numbers are kept
//! as the text that UCloud's signature page prescribes: integers in decimal, a float without its zero fraction
//! and never with an exponent.

use std::{borrow::Cow, fmt};

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// A JSON value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Document {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number in plain decimal: `42`, `0.5`.
    Number(String),
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Document>),
    /// An object, in order, duplicates included.
    Record(Vec<(String, Document)>),
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
        serde_json::from_str(text)
            .or_else(|_| json5::from_str(&python_words_as_json(text)))
            .map_err(|error| DocumentError(error.to_string()))
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

/// Turns the bare words `None`, `True` and `False` into JSON's, outside of strings.
fn python_words_as_json(text: &str) -> Cow<'_, str> {
    const WORDS: [(&str, &str); 3] = [("None", "null"), ("True", "true"), ("False", "false")];
    if !WORDS.iter().any(|(python, _)| text.contains(python)) {
        return Cow::Borrowed(text);
    }
    let (mut json, mut rest) = (String::with_capacity(text.len()), text);
    let mut quote = None;
    while let Some(next) = rest.chars().next() {
        let word = WORDS.iter().find(|(python, _)| quote.is_none() && rest.starts_with(python));
        let taken = if let Some((python, word)) = word {
            json.push_str(word);
            python.len()
        } else {
            // A backslash and what it escapes go over together, so that `\'` does not end a string.
            let pair = next == '\\' && quote.is_some();
            let taken: String = rest.chars().take(if pair { 2 } else { 1 }).collect();
            json.push_str(&taken);
            quote = match quote {
                None if next == '\'' || next == '"' => Some(next),
                Some(open) if next == open => None,
                unchanged => unchanged,
            };
            taken.len()
        };
        rest = rest.get(taken..).unwrap_or_default();
    }
    Cow::Owned(json)
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DocumentVisitor)
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
        Ok(Document::Number(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Document, E> {
        Ok(Document::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Document, E> {
        // Rust's `Display` of a float is plain decimal with no zero fraction: just what the signature needs.
        Ok(Document::Number(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Document, E> {
        Ok(Document::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Document, E> {
        Ok(Document::Text(value))
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
        match Document::from_loose_json(text).unwrap() {
            Document::List(items) => items[0].member(name).cloned().unwrap(),
            other => panic!("{other:?} is no list"),
        }
    }

    #[test]
    fn the_spec_pages_single_quotes_are_read() {
        assert_eq!(member("[{'ServerId':'vm-233','Port':'80'}]", "Port"), Document::Text("80".to_owned()));
    }

    #[test]
    fn a_python_list_is_read_with_its_apostrophe_and_none() {
        let text = r#"[{'ServerId': 'i-1', 'Port': 80, 'Type': None, 'Description': "it's None's \" True"}]"#;
        assert_eq!(member(text, "Description"), Document::Text("it's None's \" True".to_owned()));
        assert_eq!(member(text, "Type"), Document::Null);
        assert_eq!(member(text, "Port"), Document::Number("80".to_owned()));
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

    proptest! {
        #[test]
        fn reading_never_panics(text in ".*") {
            let _outcome = Document::from_loose_json(&text);
        }
    }
}
