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
        if !word.get_ref().starts_with(VARIABLE) && !word.get_ref().starts_with(FILE) {
            let what = format!("the `{key}` stands here for every reader; write env:NAME or file:PATH");
            self.report.warn(word.span(), what);
        }
        self.told(key, word).map(Secret::new)
    }

    /// The text that `word` is or refers to. No message may repeat it.
    pub(super) fn told(&mut self, key: &str, word: &Word) -> Option<String> {
        let text = word.get_ref();
        let told = if let Some(name) = text.strip_prefix(VARIABLE) {
            self.variable(word, name)?
        } else if let Some(path) = text.strip_prefix(FILE) {
            self.text(word, path)?.trim_end_matches(['\r', '\n']).to_owned()
        } else {
            text.clone()
        };
        if let Some(flaw) = flaw(&told) {
            self.report.error(word.span(), format!("the `{key}` {flaw}; write it in printable ASCII"));
            return None;
        }
        Some(told)
    }

    fn variable(&mut self, word: &Word, name: &str) -> Option<String> {
        let value = (self.environment)(name);
        let flaw = match &value {
            None => "is not set",
            Some(value) if value.is_empty() => "is empty",
            Some(_) => return value,
        };
        let what = format!("the environment variable `{name}` {flaw}; set it, or write file:PATH");
        self.report.error(word.span(), what);
        None
    }
}

pub(super) const VARIABLE: &str = "env:";
pub(super) const FILE: &str = "file:";

/// Why a text cannot be sent in a header or a query as it is.
fn flaw(text: &str) -> Option<String> {
    let illegal = |character: char| !matches!(character, ' '..='~');
    if text.is_empty() {
        Some("is empty".to_owned())
    } else if let Some(place) = text.chars().position(illegal) {
        Some(format!("has an illegal character at place {}", place + 1))
    } else {
        (text.trim() != text).then(|| "begins or ends with a space".to_owned())
    }
}
