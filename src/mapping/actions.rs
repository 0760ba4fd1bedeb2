//! Action names, the operations that they stand for, and the parameters of each.

use crate::model::OperationName;

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
    #[must_use]
    pub fn calling(&self, operation: OperationName) -> Option<&Action> {
        self.rows.iter().find(|action| action.operation == operation)
    }

    /// Every action.
    pub fn iter(&self) -> impl Iterator<Item = &Action> {
        self.rows.iter()
    }

    /// Whether `parameter` may not stand in a call of `action`. Of a flattened list (`Backends.0`) the name before
    /// the first dot counts.
    #[must_use]
    pub fn refuses(&self, action: &Action, parameter: &str) -> bool {
        let list = parameter.split('.').next().unwrap_or(parameter);
        let known = |name: &String| name == list;
        match self.unknown {
            UnknownParameters::Ignore => false,
            UnknownParameters::Refuse => {
                !(self.common.iter().any(known)
                    || action.required.iter().any(known)
                    || action.optional.iter().any(known))
            }
        }
    }
}
