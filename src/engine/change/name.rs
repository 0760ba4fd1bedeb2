//! Gives a group another name.

use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use super::State;
use crate::{
    engine::{add::settle::LOOKS, execute::Execution, pair::GroupPair},
    model::{Operation, UpdateGroup},
};

/// Another name of a group, as the target takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::engine) struct Renaming {
    /// The name before, where it is known.
    pub(in crate::engine) from: Option<String>,
    /// The name after.
    pub(in crate::engine) to: String,
}

impl Execution<'_> {
    /// Gives a group another name. What a look does not show may be sent once more.
    pub(super) async fn rename(&self, pair: &GroupPair, name: &Renaming) -> Result<(), State> {
        let step = renaming(pair, &name.to);
        let mut reply = self.call(&step).await.map(drop);
        let mut looked = true;
        for again in [true, false] {
            if !reply.as_ref().is_err_and(|fault| fault.kind.leaves_doubt()) {
                break;
            }
            let shows = self.has_name(pair, &name.to).await;
            looked = shows.is_some();
            match shows {
                Some(true) => reply = Ok(()),
                Some(false) if again => reply = self.call(&step).await.map(drop),
                Some(false) | None => {}
            }
        }
        reply.map_err(|fault| State::Failed { fault, looked })
    }

    /// Whether the group shows this name, now or in a moment; none if it could not be looked at.
    async fn has_name(&self, pair: &GroupPair, name: &str) -> Option<bool> {
        let mut shows = None;
        for pause in LOOKS {
            sleep(pause).await;
            shows = self.group(pair).await.ok().map(|group| group.name.as_deref() == Some(name));
            if shows == Some(true) {
                break;
            }
        }
        shows
    }
}

/// The call that gives a group this name.
pub(super) fn renaming(pair: &GroupPair, name: &str) -> Operation {
    Operation::UpdateGroup(UpdateGroup {
        group: pair.there.clone(),
        name: Some(name.to_owned()),
        options: Vec::new(),
        changes: Vec::new(),
    })
}
