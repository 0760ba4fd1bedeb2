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
    /// What it asks for.
    pub operation: OperationName,
    /// The parameters that have to be there, in the order in which they are checked.
    pub required: Vec<String>,
    /// The parameters that may be there.
    pub optional: Vec<String>,
    /// Those of them that are lists, flattened on the wire: `Backends.0`.
    pub lists: Vec<String>,
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

/// The parameters that name a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupNames {
    /// The load balancer, where the cloud wants it beside the group.
    pub load_balancer: Option<String>,
    /// The group.
    pub group: String,
    /// The region.
    pub region: String,
    /// The project, where the cloud has projects.
    pub project: Option<String>,
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
        self.rows.iter().find(|action| action.operation == operation).ok_or_else(none)
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

    fn known(&self, action: &Action, parameter: &str) -> bool {
        let names = || self.common.iter().chain(&action.required).chain(&action.optional);
        match parameter.split_once('.') {
            Some((list, _)) => action.lists.iter().any(|known| known == list),
            None => names().any(|known| known == parameter),
        }
    }
}

impl Action {
    /// Whether a parameter that is required is there: by its name with a value, or, for a list, by any of its items.
    #[must_use]
    pub fn has(&self, params: &Params, name: &str) -> bool {
        let item = |param: &Param| param.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
        let listed = self.lists.iter().any(|list| list == name) && params.iter().any(item);
        listed || params.filled(name).is_some()
    }
}
