//! The credentials of the callers that a listener serves.

use std::collections::HashMap;

use super::credential::Credential;

/// Credentials by dialect and key id, each with what the listener wants to know its owner by.
#[derive(Debug, Clone)]
pub struct Keyring<T> {
    keys: HashMap<(String, String), (Credential, T)>,
}

impl<T> Keyring<T> {
    /// A keyring without keys.
    #[must_use]
    pub fn new() -> Self {
        Self { keys: HashMap::new() }
    }

    /// Adds the key of a caller who speaks `dialect`.
    pub fn insert(&mut self, dialect: &str, credential: Credential, owner: T) {
        self.keys.insert((dialect.to_owned(), credential.key_id.clone()), (credential, owner));
    }

    /// The credential of `key_id` and its owner.
    #[must_use]
    pub fn find(&self, dialect: &str, key_id: &str) -> Option<(&Credential, &T)> {
        let (credential, owner) = self.keys.get(&(dialect.to_owned(), key_id.to_owned()))?;
        Some((credential, owner))
    }
}

impl<T> Default for Keyring<T> {
    fn default() -> Self {
        Self::new()
    }
}
