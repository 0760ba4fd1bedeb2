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

impl Arrival {
    /// The parameters as they are signed.
    #[must_use]
    pub fn signed(&self) -> &Params {
        self.signed.as_ref().unwrap_or(&self.params)
    }
}
