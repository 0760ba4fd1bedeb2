//! Key ids, secrets and tokens: given as they are, or by reference to a variable or a file.

use super::{
    raw::{RawCredential, Word},
    resolve::Resolver,
};
use crate::{auth::Credential, crypto::Secret};

impl Resolver<'_> {
    /// What a target or a client signs with.
    pub(super) fn credential(&mut self, raw: &RawCredential) -> Option<Credential> {
        let RawCredential { key_id, secret, token } = raw;
        let key_id = key_id.as_ref().and_then(|word| self.told("key_id", word));
        let secret = secret.as_ref().and_then(|word| self.secret("secret", word));
        let token = token.as_ref().and_then(|word| self.secret("token", word));
        Some(Credential { key_id: key_id?, secret: secret?, token })
    }

    fn secret(&mut self, key: &str, word: &Word) -> Option<Secret> {
        let text = word.get_ref();
        if is_literal(word) && !text.is_empty() && misspelt(text).is_none() {
            self.warn_of_literal(word, &format!("the `{key}`"));
        }
        self.told(key, word).map(Secret::new)
    }

    /// A secret that stands in the config itself.
    pub(super) fn warn_of_literal(&mut self, word: &Word, what: &str) {
        self.holds_secret = true;
        let advice = "stands here for every reader; write env:NAME or file:PATH";
        self.report.warn(word.span(), format!("{what} {advice}"));
    }

    /// The text that `word` is or refers to. No message may repeat it.
    pub(super) fn told(&mut self, key: &str, word: &Word) -> Option<String> {
        let text = word.get_ref();
        let told = if let Some(name) = text.strip_prefix(VARIABLE) {
            self.variable(key, word, name)?
        } else if let Some(path) = text.strip_prefix(FILE) {
            let text = self.text(word, path, key != "key_id")?;
            text.trim_end_matches(['\r', '\n']).to_owned()
        } else if let Some(reference) = misspelt(text) {
            let what = format!("the `{key}` looks like a reference and is none; write {reference}");
            self.report.error(word.span(), what);
            return None;
        } else {
            text.clone()
        };
        if let Some(flaw) = flaw_of_secret(&told) {
            let origin = text.strip_prefix(FILE).map(|path| format!(" in `{path}`")).unwrap_or_default();
            self.report.error(word.span(), format!("the `{key}`{origin} {flaw}"));
            return None;
        }
        Some(told)
    }

    fn variable(&mut self, key: &str, word: &Word, name: &str) -> Option<String> {
        if !is_name(name) {
            // It may be the secret itself, so it is not repeated.
            let what = format!(
                "the `{key}` names no environment variable; write env:NAME, in letters, digits and underscores"
            );
            self.report.error(word.span(), what);
            return None;
        }
        let value = (self.environment)(name);
        let flaw = match &value {
            None => "is not set",
            Some(value) if value.is_empty() => "is empty",
            Some(_) => return value,
        };
        let what = format!(
            "the environment variable `{name}` {flaw}; set it where weighbridge starts, or write file:PATH"
        );
        self.report.error(word.span(), what);
        None
    }
}

/// Whether a text stands for itself.
pub(super) fn is_literal(word: &Word) -> bool {
    ![VARIABLE, FILE].iter().any(|prefix| word.get_ref().starts_with(prefix))
}

fn is_name(text: &str) -> bool {
    let is_letter = |character: char| character.is_ascii_alphanumeric() || character == '_';
    !text.is_empty() && text.chars().all(is_letter) && !text.starts_with(|first: char| first.is_ascii_digit())
}

/// How a reference that another program would understand is written here.
fn misspelt(text: &str) -> Option<&'static str> {
    let begins =
        |prefix: &str| text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    let of_shell = text.strip_prefix('$').map(|name| name.trim_start_matches('{').trim_end_matches('}'));
    if of_shell.is_some_and(is_name) || begins("env:") || begins("env=") {
        Some("env:NAME")
    } else {
        (begins("file:") || begins("file=")).then_some("file:PATH")
    }
}

pub(super) const VARIABLE: &str = "env:";
pub(super) const FILE: &str = "file:";

/// Why a text cannot be sent in a header or a query as it is, as the end of a sentence that does not repeat it.
#[must_use]
pub fn flaw_of_secret(text: &str) -> Option<String> {
    let illegal = |character: char| !matches!(character, ' '..='~');
    if text.is_empty() {
        Some("is empty; write it there, or name another place".to_owned())
    } else if let Some(place) = text.chars().position(illegal) {
        Some(format!("has an illegal character at place {}; write it in printable ASCII", place + 1))
    } else {
        (text.trim() != text).then(|| "begins or ends with a space; leave that out".to_owned())
    }
}
