//! The four digests that the signature schemes of both clouds are made of.

use data_encoding::HEXLOWER;
use hmac::{EagerHash, Hmac, KeyInit, Mac, digest::Output};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use zeroize::ZeroizeOnDrop;

/// Lower-case hexadecimal text of `bytes`.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

/// SHA-1 of `parts`, one after the other.
#[must_use]
pub fn sha1(parts: &[&[u8]]) -> [u8; 20] {
    let mut digest = Sha1::new();
    for part in parts {
        digest.update(part);
    }
    digest.finalize().into()
}

/// SHA-256 of `bytes`.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// A digest that has taken a key in, and that any number of messages can be authenticated by. It is wiped on drop.
pub(super) struct Keyed<D: EagerHash>(Hmac<D>);

/// That is a feature of the crates, for the digests: HMAC holds nothing but two states of one and what it hashes.
const _: () = {
    const fn is_wiped<T: ZeroizeOnDrop>() {}
    is_wiped::<Sha1>();
    is_wiped::<Sha256>();
};

impl<D: EagerHash> Keyed<D> {
    /// HMAC by a key of any length.
    pub(super) fn by(key: &[u8]) -> Self {
        match Hmac::new_from_slice(key) {
            Ok(mac) => Self(mac),
            // RFC 2104 hashes a key that is too long and pads one that is too short.
            Err(_) => unreachable!("HMAC takes a key of any length"),
        }
    }

    /// The code of one message.
    pub(super) fn code<const LENGTH: usize>(&self, message: &[u8]) -> [u8; LENGTH]
    where
        Output<Hmac<D>>: Into<[u8; LENGTH]>,
    {
        self.0.clone().chain_update(message).finalize().into_bytes().into()
    }
}
