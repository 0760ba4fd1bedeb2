//! Faults on order: the nth add is refused, stalls, or is carried out and never answered.

use std::{
    sync::{Mutex, PoisonError, atomic::AtomicBool},
    time::Duration,
};

use crate::model::{FaultKind, Operation};

/// What goes wrong with one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stumble {
    /// It is refused with this fault.
    Refuse(FaultKind, &'static str),
    /// It is not answered for a long time, and then carried out.
    Stall,
    /// It is carried out, and not answered for a long time.
    StallAfter,
}

/// Which adds stumble, and what was asked so far.
#[derive(Debug, Default)]
pub struct Script {
    pub(super) lag: Duration,
    pub(super) blind: AtomicBool,
    adds: Vec<(usize, Stumble)>,
    seen: Mutex<Vec<Operation>>,
}

impl Stumble {
    /// Longer than any client waits.
    pub const LONG: Duration = Duration::from_secs(20);
}

impl Script {
    /// Everything works.
    #[must_use]
    pub fn smooth() -> Self {
        Self::default()
    }

    /// The adds of these numbers, from 1, stumble.
    #[must_use]
    pub fn of_adds(adds: &[(usize, Stumble)]) -> Self {
        Self { adds: adds.to_vec(), ..Self::default() }
    }

    /// The same script, and an add shows to those who look only after `lag`.
    #[must_use]
    pub fn lagging(self, lag: Duration) -> Self {
        Self { lag, ..self }
    }

    /// What happens to this call.
    pub(super) fn next(&self, operation: &Operation) -> Option<Stumble> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.push(operation.clone());
        let adds = seen.iter().filter(|seen| matches!(seen, Operation::AddBackends(_))).count();
        let is_add = matches!(operation, Operation::AddBackends(_));
        self.adds.iter().find(|(number, _)| is_add && *number == adds).map(|(_, stumble)| stumble.clone())
    }

    /// Every call so far.
    pub(super) fn calls(&self) -> Vec<Operation> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
