//! Action names, the operations that they stand for, and the parameters of each.

use crate::{
    model::{Fault, FaultKind, OperationName},
    wire::{Param, Params},
};

/// The actions of one cloud.
#[derive(Debug, Clone)]
pub struct Actions {
    pub(in crate::mapping) rows: Vec<Action>,
    pub(in crate::mapping) common: Vec<String>,
    pub(in crate::mapping) unknown: UnknownParameters,
}

/// One action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// Its name on the wire.
    pub name: String,
    /// What it asks for: the first, or, where parameters tell, one of the others. Where the gateway calls it, any.
    pub operations: Vec<OperationName>,
    /// The parameters that have to be there, in the order in which they are checked.
    pub required: Vec<String>,
    /// The parameters that may be there.
    pub optional: Vec<String>,
    /// Those of them that are lists, flattened on the wire: `Backends.0`.
    pub lists: Vec<String>,
    /// Those of them that mean something that no other cloud has. To ignore one would be a lie.
    pub untranslated: Vec<String>,
    /// How many backends one call may name.
    pub max_backends: usize,
}

/// What becomes of a parameter that an action does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownParameters {
    /// It is signed and otherwise ignored.
    Ignore,
    /// The request is refused.
    Refuse,
}

impl Actions {
    /// The action of this name; names are case-sensitive on both clouds.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Action> {
        self.rows.iter().find(|action| action.name == name)
    }

    /// The first action listed for an operation: the one that the gateway itself calls.
    ///
    /// # Errors
    /// [`FaultKind::Internal`] for an operation that no row names.
    pub fn calling(&self, operation: OperationName) -> Result<&Action, Fault> {
        let none = || {
            Fault::new(
                FaultKind::Internal,
                format!("no action of the target is called for {}", operation.name()),
            )
        };
        self.rows.iter().find(|action| action.operations.contains(&operation)).ok_or_else(none)
    }

    /// Every action.
    pub fn iter(&self) -> impl Iterator<Item = &Action> {
        self.rows.iter()
    }

    /// Whether `parameter` may not stand in a call of `action`. Only a list may be flattened: `Port.0` is no `Port`.
    #[must_use]
    pub fn refuses(&self, action: &Action, parameter: &str) -> bool {
        match self.unknown {
            UnknownParameters::Ignore => false,
            UnknownParameters::Refuse => !self.known(action, parameter),
        }
    }

    /// Whether every action has the parameter.
    #[must_use]
    pub fn is_common(&self, parameter: &str) -> bool {
        self.common.iter().any(|known| known == parameter)
    }

    fn known(&self, action: &Action, parameter: &str) -> bool {
        let names = || self.common.iter().chain(&action.required).chain(&action.optional);
        match parameter.split_once('.') {
            Some((list, _)) => action.lists.iter().any(|known| known == list),
            None => names().chain(&action.untranslated).any(|known| known == parameter),
        }
    }
}

impl Action {
    /// What it asks for, unless its parameters say otherwise.
    #[must_use]
    pub fn operation(&self) -> Option<OperationName> {
        self.operations.first().copied()
    }

    /// The parameters of a call that mean something that no other cloud has, in the order of the table.
    #[must_use]
    pub fn untranslated_in(&self, params: &Params) -> Vec<String> {
        let given = |name: &&String| {
            params.iter().any(|param| {
                let rest = param.name.strip_prefix(name.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.')) && !param.value.is_empty()
            })
        };
        self.untranslated.iter().filter(given).cloned().collect()
    }

    /// Whether a parameter that is required is there: by its name with a value, or, for a list, by any of its items.
    #[must_use]
    pub fn has(&self, params: &Params, name: &str) -> bool {
        let item = |param: &Param| param.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
        let listed = self.lists.iter().any(|list| list == name) && params.iter().any(item);
        listed || params.filled(name).is_some()
    }
}
