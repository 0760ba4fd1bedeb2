//! A signature scheme: how a request says who sent it, and how that is checked and done.

use std::fmt;

use super::arrival::Arrival;
use crate::{
    auth::{Credential, Freshness, Stamp},
    crypto::Secret,
    model::Fault,
    wire::{Call, Params},
};

/// One signature scheme of one cloud. Pure: time and nonce are arguments.
pub trait Scheme: Sync + fmt::Debug {
    /// Its name in the config and on the command line: `v1`, `acs3`, `sha1`.
    fn id(&self) -> &'static str;

    /// What the request says of its signer; `None` when it is not signed by this scheme.
    ///
    /// # Errors
    /// A fault of the kind that the cloud answers when a part of the signature is missing or malformed.
    fn claim<'a>(&self, arrival: &'a Arrival) -> Option<Result<Claim<'a>, Fault>>;

    /// The key id that a request names, signed or not.
    fn key_id<'a>(&self, arrival: &'a Arrival) -> Option<&'a str>;

    /// The text that the signature is of, without any part of the secret; of an arrival whose claim makes sense.
    fn string_to_sign(&self, arrival: &Arrival) -> String;

    /// The signature of a string to sign, as bytes.
    fn signature(&self, string_to_sign: &str, secret: &Secret) -> Vec<u8>;

    /// A call that carries out the invocation at `origin`, signed.
    fn sign(&self, invocation: &Invocation, origin: &str, credential: &Credential, stamp: &Stamp) -> Call;
}

/// What a request says of its signer. `Debug` leaves out all but the key id.
#[derive(Clone, PartialEq, Eq)]
pub struct Claim<'a> {
    /// The key id.
    pub key_id: &'a str,
    /// The signature, decoded.
    pub signature: Vec<u8>,
    /// Age and nonce, in schemes that have them.
    pub freshness: Option<Freshness<'a>>,
    /// The token that goes with temporary keys.
    pub token: Option<&'a str>,
}

/// A call that is yet to be laid out and signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// The action.
    pub action: String,
    /// The API version, where the cloud has versions.
    pub version: Option<String>,
    /// The action's own parameters.
    pub params: Params,
}

impl fmt::Debug for Claim<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}
