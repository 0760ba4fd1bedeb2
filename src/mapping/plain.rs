//! What the TOML reader finds, in the words of somebody who edits a file. Nothing here repeats the line: it may hold a
//! secret. A message that is not known here is passed on as it came, so a newer reader is understood, if less well.

use toml::de::Error;

use super::words::instead;

/// What is wrong with a text that is no TOML, and what to write.
pub(in crate::mapping) fn of_syntax(error: &Error) -> String {
    let message = error.message().trim();
    let (found, expected) = message.split_once(", expected ").unwrap_or((message, ""));
    let known = SYNTAX.iter().find(|(theirs, _)| *theirs == found);
    match (known, expected) {
        (Some((_, ours)), _) => (*ours).to_owned(),
        (None, "" | "nothing") => format!("{found}; mend the line, or leave it out"),
        (None, expected) => format!("{found}; write {expected}"),
    }
}

/// What is wrong with a text that does not have the shape that is wanted, and what to write.
pub(in crate::mapping) fn of_shape(error: &Error) -> String {
    let message = error.message().trim();
    unknown_key(message)
        .or_else(|| missing_key(message))
        .or_else(|| wrong_type(message))
        .unwrap_or_else(|| of_syntax(error))
}

fn unknown_key(message: &str) -> Option<String> {
    let (key, known) = message.strip_prefix("unknown field `")?.split_once("`, expected ")?;
    let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
    Some(format!("there is no key `{key}` here; {}", instead(key, &known)))
}

fn missing_key(message: &str) -> Option<String> {
    let key = message.strip_prefix("missing field `")?.strip_suffix('`')?;
    Some(format!("`{key}` is missing here; write {key} = …"))
}

fn wrong_type(message: &str) -> Option<String> {
    let is_ours = ["invalid type: ", "invalid value: ", "invalid length "];
    let found = is_ours.iter().find_map(|start| message.strip_prefix(start))?;
    let (found, wanted) = found.split_once(", expected ")?;
    Some(format!("this has to be {}, not {}", wanted_form(wanted), found_form(found)))
}

fn wanted_form(wanted: &str) -> &str {
    match wanted {
        "u16" | "u32" | "u64" | "usize" => "a whole number that is not negative",
        "a string" | "a borrowed string" => "text in quotes",
        "a boolean" => "true or false, without quotes",
        "a sequence" => "a list, [ … ]",
        "an array of length 2" | "a tuple of size 2" => "a list of two whole numbers, [first, last]",
        _ if wanted == "a map" || wanted.starts_with("struct ") => "a table",
        other => other,
    }
}

fn found_form(found: &str) -> String {
    match found.split_once(' ').map_or(found, |(first, _)| first) {
        "string" => "text".to_owned(),
        "boolean" => "true or false".to_owned(),
        "sequence" => "a list".to_owned(),
        "map" => "a table".to_owned(),
        "integer" => found.replacen("integer ", "", 1),
        "floating" => "a number with a fraction".to_owned(),
        _ => match found {
            "0" => "an empty one".to_owned(),
            count if count.parse::<usize>().is_ok() => format!("one of {count}"),
            other => other.to_owned(),
        },
    }
}

/// The reader's words, and ours.
const SYNTAX: &[(&str, &str)] = &[
    ("invalid basic string", "the text is not closed; write a `\"` at its end"),
    ("invalid literal string", "the text is not closed; write a `'` at its end"),
    ("invalid multi-line basic string", "the text is not closed; write `\"\"\"` at its end"),
    ("invalid multi-line literal string", "the text is not closed; write `'''` at its end"),
    ("missing opening quote", "the text has no opening quote; write a `\"` before it"),
    ("string values must be quoted", "this is no value; write text in quotes, \"…\""),
    ("invalid boolean", "this is no value; write true or false in small letters, or text in quotes"),
    ("duplicate key", "this name stands here for the second time; leave one out, or give it another name"),
    ("unclosed table", "the header of the table is not closed; write `]` at its end"),
    ("unclosed array table", "the header of the table is not closed; write `]]` at its end"),
    ("unclosed array", "the list is not closed; write `]` at its end"),
    ("unclosed inline table", "the table is not closed; write `}` at its end, or a comma and go on"),
    (
        "missing comma between array elements",
        "a comma is missing here, or the `]` that closes the list; write it",
    ),
    (
        "missing comma between key-value pairs",
        "a comma is missing here, or the `}` that closes the table; write it",
    ),
    ("extra assignment between key-value pairs", "a comma is missing before this key; write it"),
    ("key with no value", "a key without a value; write KEY = VALUE"),
    ("missing value for key", "a key without a value; write KEY = VALUE"),
    ("missing value", "a key without a value; write KEY = VALUE"),
    ("unexpected key or value", "the line goes on after its value; write one KEY = VALUE a line"),
    (
        "invalid unquoted key",
        "this cannot stand in a key; write KEY = VALUE, the key in letters, digits, `-` and `_`",
    ),
    ("unquoted keys cannot be empty", "there is no key before the `=`; write KEY = VALUE"),
    ("unexpected leading zero", "a number does not begin with 0; leave the zero out"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use toml::Spanned;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only what cannot be read is looked at")]
    struct Row {
        wire: Spanned<String>,
        range: Option<Spanned<[u32; 2]>>,
        count: Option<usize>,
        number: Option<bool>,
        words: Option<Vec<String>>,
        values: Option<BTreeMap<String, String>>,
    }

    #[test]
    fn a_wrong_shape_is_told_without_the_readers_jargon() {
        for (text, wanted) in [
            ("wire = 1", "this has to be text in quotes, not `1`"),
            ("wir = \"w\"", "there is no key `wir` here; did you mean `wire`? known here: "),
            ("count = 1", "`wire` is missing here; write wire = …"),
            ("wire = \"w\"\ncount = \"1\"", "this has to be a whole number that is not negative, not text"),
            ("wire = \"w\"\ncount = -1", "this has to be a whole number that is not negative, not `-1`"),
            (
                "wire = \"w\"\ncount = 1.5",
                "this has to be a whole number that is not negative, not a number with",
            ),
            (
                "wire = \"w\"\nrange = [1]",
                "this has to be a list of two whole numbers, [first, last], not one of 1",
            ),
            (
                "wire = \"w\"\nrange = []",
                "this has to be a list of two whole numbers, [first, last], not an empty one",
            ),
            ("wire = \"w\"\nrange = 5", "this has to be a list of two whole numbers, [first, last], not `5`"),
            ("wire = \"w\"\nnumber = \"yes\"", "this has to be true or false, without quotes, not text"),
            ("wire = \"w\"\nwords = true", "this has to be a list, [ … ], not true or false"),
            ("wire = \"w\"\nvalues = [1]", "this has to be a table, not a list"),
        ] {
            let told = of_shape(&toml::from_str::<Row>(text).unwrap_err());
            assert!(told.starts_with(wanted), "{text}\n{told}");
        }
    }

    #[test]
    fn broken_toml_is_told_without_what_the_line_holds() {
        for (text, wanted) in [
            ("secret = \"Zx9Q", "the text is not closed"),
            ("secret = 'Zx9Q", "the text is not closed"),
            ("secret = \"\"\"Zx9Q", "the text is not closed"),
            ("secret = Zx9Q", "this is no value; write text in quotes"),
            ("secret = Zx9Q\"", "the text has no opening quote"),
            ("secret = \"a\"Zx9Q\"", "the line goes on after its value"),
            ("secret = \"a\" Zx9Q = 1", "the line goes on after its value"),
            ("secret \"Zx9Q\"", "a key without a value"),
            ("secret: \"Zx9Q\"", "a key without a value"),
            ("sec?ret = \"Zx9Q\"", "this cannot stand in a key"),
            ("= \"Zx9Q\"", "there is no key before the `=`"),
            ("secret = \"Zx9Q\\q\"", "missing escaped value; write "),
            ("secret = 09", "a number does not begin with 0"),
            ("a = True", "this is no value; write true or false"),
            ("a = 1\na = 2", "this name stands here for the second time"),
            ("[a\n", "the header of the table is not closed"),
            ("[[a]\n", "the header of the table is not closed"),
            ("a = [\"Zx9Q\" 2]", "a comma is missing here"),
            ("a = [1, 2", "the list is not closed"),
            ("a = { b = \"Zx9Q\" c = 2 }", "a comma is missing here"),
            ("a = { b = 1 c = 2 }", "a comma is missing before this key"),
            ("a = { b = 1", "the table is not closed"),
        ] {
            let told = of_syntax(&toml::from_str::<toml::Table>(text).unwrap_err());
            assert!(told.starts_with(wanted) && !told.contains("Zx9Q"), "{text}\n{told}");
        }
    }
}
