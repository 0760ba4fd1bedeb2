//! What a call asks for, in the caller's ids.

use crate::model::{Field, Loss, Operation};

/// What a call asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The operation, in the caller's ids.
    pub operation: Operation,
    /// For each backend that comes or is changed, in order, the fields that the caller wrote, where that is told. The others
    /// took the defaults of the caller's cloud.
    pub given: Vec<Vec<Field>>,
    /// Fields that were given and have no effect by the caller's cloud's own rules.
    pub ineffective: Vec<Loss>,
    /// Parameters that were given and mean something that no other cloud has.
    pub untranslated: Vec<String>,
}

impl Asked {
    /// An operation that carries everything that its call says.
    #[must_use]
    pub const fn all(operation: Operation) -> Self {
        Self { operation, given: Vec::new(), ineffective: Vec::new(), untranslated: Vec::new() }
    }
}
