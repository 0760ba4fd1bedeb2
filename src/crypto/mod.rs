//! Floor 0: digests and secrets. Knows bytes and nothing else.

mod digest;
mod secret;

pub use digest::{hex, sha1, sha256};
pub use secret::{Secret, same_bytes};
