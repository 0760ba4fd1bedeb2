//! A key pair.

use crate::crypto::Secret;

/// What a request is signed with.
#[derive(Debug, Clone)]
pub struct Credential {
    /// The public half, sent with every request.
    pub key_id: String,
    /// The private half, never sent.
    pub secret: Secret,
    /// The token that goes with temporary keys.
    pub token: Option<Secret>,
}
