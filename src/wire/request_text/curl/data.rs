//! What `-d` and its kin add up to.

use http::{
    HeaderName, HeaderValue,
    header::{ACCEPT, CONTENT_TYPE},
};

use crate::wire::encode_strict;

use super::super::error::{RequestTextError, excerpt};

/// The data of a command; `text` is `None` where no option gave any, not even an empty one.
#[derive(Debug, Default)]
pub(super) struct Data {
    pub(super) text: Option<String>,
    is_json: bool,
}

impl Data {
    /// `-d value`.
    pub(super) fn add(&mut self, option: &str, value: &str) -> Result<(), RequestTextError> {
        refuse_file(option, value)?;
        self.add_raw(value);
        Ok(())
    }

    /// `--data-raw value`.
    pub(super) fn add_raw(&mut self, value: &str) {
        append(self.text.get_or_insert_default(), "&", value);
    }

    /// `--data-urlencode value`, in which `content`, `=content` and `name=content` are encoded behind the first `=`,
    /// and `@file` and `name@file` are files.
    pub(super) fn add_encoded(&mut self, option: &str, value: &str) -> Result<(), RequestTextError> {
        let (name, content) = match (value.split_once('='), value.find('@')) {
            (Some((name, content)), _) => (name, content),
            (None, Some(at)) => return refuse_file(option, value.get(at..).unwrap_or(value)),
            (None, None) => ("", value),
        };
        let mut encoded = if name.is_empty() { String::new() } else { format!("{name}=") };
        encode_strict(content, &mut encoded);
        self.add_raw(&encoded);
        Ok(())
    }

    /// `--json value`. "If this option is used more than once on the same command line, the additional data pieces
    /// are concatenated to the previous before sending."
    pub(super) fn add_json(&mut self, option: &str, value: &str) -> Result<(), RequestTextError> {
        refuse_file(option, value)?;
        self.is_json = true;
        append(self.text.get_or_insert_default(), "", value);
        Ok(())
    }

    /// The headers that curl sends with the data, unless told otherwise.
    pub(super) fn default_headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        let json = HeaderValue::from_static("application/json");
        if self.is_json {
            vec![(CONTENT_TYPE, json.clone()), (ACCEPT, json)]
        } else if self.text.is_some() {
            vec![(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"))]
        } else {
            Vec::new()
        }
    }
}

/// Refuses a value that starts with `@`: curl would open a file for it.
pub(super) fn refuse_file(option: &str, value: &str) -> Result<(), RequestTextError> {
    if value.starts_with('@') {
        return Err(RequestTextError::FileData { option: option.to_owned(), file: excerpt(value) });
    }
    Ok(())
}

/// Adds `more` to `text`, behind `between` if there is something to part it from.
pub(super) fn append(text: &mut String, between: &str, more: &str) {
    if !text.is_empty() {
        text.push_str(between);
    }
    text.push_str(more);
}
