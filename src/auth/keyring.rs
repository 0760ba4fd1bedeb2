//! The credentials of the callers that a listener serves.

use std::collections::HashMap;

use super::credential::Credential;

/// Credentials by dialect and key id, each with what the listener wants to know its owner by.
#[derive(Debug, Clone)]
pub struct Keyring<T> {
    /// By dialect, of which there are few; then by key id.
    keys: Vec<(String, OfDialect<T>)>,
}

/// The credentials of one dialect by key id.
type OfDialect<T> = HashMap<String, (Credential, T)>;

impl<T> Keyring<T> {
    /// A keyring without keys.
    #[must_use]
    pub fn new() -> Self {
        Self { keys: Vec::new() }
    }

    /// Adds the key of a caller who speaks `dialect`.
    pub fn insert(&mut self, dialect: &str, credential: Credential, owner: T) {
        let known = self.keys.iter().position(|(known, _)| known == dialect);
        let place = known.unwrap_or_else(|| {
            self.keys.push((dialect.to_owned(), HashMap::new()));
            self.keys.len() - 1
        });
        if let Some((_, keys)) = self.keys.get_mut(place) {
            keys.insert(credential.key_id.clone(), (credential, owner));
        }
    }

    /// The credential of `key_id` and its owner.
    #[must_use]
    pub fn find(&self, dialect: &str, key_id: &str) -> Option<(&Credential, &T)> {
        let (_, keys) = self.keys.iter().find(|(known, _)| known == dialect)?;
        let (credential, owner) = keys.get(key_id)?;
        Some((credential, owner))
    }
}

impl<T> Default for Keyring<T> {
    fn default() -> Self {
        Self::new()
    }
}
