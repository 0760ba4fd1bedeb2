//! A call whose parameters have been unpacked.

use crate::wire::{Call, Params};

/// A received call with its parameters.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The call as received.
    pub call: Call,
    /// Its parameters, decoded, merged and flattened.
    pub params: Params,
    /// The parameters as they are signed, where that differs: UCloud's native JSON arrays collapse.
    pub signed: Option<Params>,
}

/// What of a call was longer than the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overrun {
    /// The body.
    Body,
    /// The request line.
    RequestLine,
}

impl Arrival {
    /// The parameters as they are signed.
    #[must_use]
    pub fn signed(&self) -> &Params {
        self.signed.as_ref().unwrap_or(&self.params)
    }
}
