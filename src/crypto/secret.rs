//! A secret that cannot be printed by accident, and the only way to compare authenticators.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use sha1::Sha1;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::digest::Keyed;

/// A key half that must stay secret. `Debug` prints a placeholder; the memory is wiped on drop; there is no
/// `Display`, no `Serialize` and no `==`.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret {
    text: String,
    /// Digests that have taken the secret in as their key, each made at its first use: that is two of the blocks that are hashed
    /// for a signature, and a copy of the secret. The first with the suffix that it was made for.
    #[zeroize(skip)]
    sha1: OnceLock<Arc<(Keyed<Sha1>, &'static str)>>,
    #[zeroize(skip)]
    sha256: OnceLock<Arc<Keyed<Sha256>>>,
}

impl Secret {
    /// Takes the text of a secret.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), sha1: OnceLock::new(), sha256: OnceLock::new() }
    }

    /// The text, for a signature scheme to put into what it digests. Never for a log line.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// HMAC-SHA1 of a message; the key is the secret with `suffix` behind it.
    #[must_use]
    pub fn hmac_sha1(&self, suffix: &'static str, message: &[u8]) -> [u8; 20] {
        let keyed = || {
            let key = Zeroizing::new([self.text.as_str(), suffix].concat());
            Arc::new((Keyed::by(key.as_bytes()), suffix))
        };
        let kept = self.sha1.get_or_init(keyed);
        if kept.1 == suffix { kept.0.code(message) } else { keyed().0.code(message) }
    }

    /// HMAC-SHA256 of a message; the key is the secret.
    #[must_use]
    pub fn hmac_sha256(&self, message: &[u8]) -> [u8; 32] {
        self.sha256.get_or_init(|| Arc::new(Keyed::by(self.text.as_bytes()))).code(message)
    }

    /// Whether `other` is this secret, in constant time for equal lengths.
    #[must_use]
    pub fn is(&self, other: &str) -> bool {
        same_bytes(self.text.as_bytes(), other.as_bytes())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Compares two authenticators in a time that depends on their length alone.
#[must_use]
pub fn same_bytes(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::hex;

    #[test]
    fn a_secret_does_not_print_itself() {
        let printed = format!("{:?}", Secret::new("46f09bb9fab4"));
        assert!(!printed.contains("46f0"), "{printed}");
    }

    /// RFC 2202 and RFC 4231, test case 2 of each.
    #[test]
    fn a_message_has_the_same_code_however_often_it_is_asked_for() {
        let (secret, beginning, message) =
            (Secret::new("Jefe"), Secret::new("Je"), b"what do ya want for nothing?");
        for _ in 0..2 {
            let codes =
                [secret.hmac_sha1("", message), beginning.hmac_sha1("fe", message)].map(|code| hex(&code));
            assert_eq!(codes, ["effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"; 2]);
            let sha256 = hex(&secret.clone().hmac_sha256(message));
            assert_eq!(sha256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
            // Another key in between, that is not kept.
            assert_ne!(hex(&beginning.hmac_sha1("", message)), codes[1]);
        }
    }
}
