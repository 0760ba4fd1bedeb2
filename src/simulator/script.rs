//! Faults on order: the nth call of an operation is refused, stalls, or is carried out and never answered.

use std::{
    sync::{Arc, Mutex, PoisonError, atomic::AtomicBool},
    time::Duration,
};

use super::{Gate, Side};
use crate::model::{FaultKind, Operation, OperationName};

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

/// Which calls stumble, and what was asked so far.
#[derive(Debug, Default)]
pub struct Script {
    pub(super) lag: Duration,
    pub(super) blind: AtomicBool,
    pub(super) steadfast: bool,
    gate: Mutex<Option<Arc<Gate>>>,
    stumbles: Vec<(OperationName, usize, Stumble)>,
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

    /// The calls of these numbers, from 1 and counted for each operation by itself, stumble.
    #[must_use]
    pub fn of(stumbles: &[(OperationName, usize, Stumble)]) -> Self {
        Self { stumbles: stumbles.to_vec(), ..Self::default() }
    }

    /// The adds of these numbers, from 1, stumble.
    #[must_use]
    pub fn of_adds(adds: &[(usize, Stumble)]) -> Self {
        let adds =
            adds.iter().cloned().map(|(number, stumble)| (OperationName::AddBackends, number, stumble));
        Self { stumbles: adds.collect(), ..Self::default() }
    }

    /// The same script, and a change of any kind shows to those who look only after `lag`.
    #[must_use]
    pub fn lagging(self, lag: Duration) -> Self {
        Self { lag, ..self }
    }

    /// The same script, and what has arrived is carried out even if its caller is gone by then, as in life.
    #[must_use]
    pub fn steadfast(self) -> Self {
        Self { steadfast: true, ..self }
    }

    /// Puts up a gate in the way of changes.
    pub(super) fn put_up(&self, gate: Arc<Gate>) {
        *self.gate.lock().unwrap_or_else(PoisonError::into_inner) = Some(gate);
    }

    /// The gate that stops this call, and where.
    pub(super) fn gate_of(&self, operation: &Operation) -> Option<(Arc<Gate>, Side)> {
        let gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let gate = gate.filter(|_| !operation.is_read())?;
        let side = gate.stops(operation)?;
        Some((gate, side))
    }

    /// What happens to this call.
    pub(super) fn next(&self, operation: &Operation) -> Option<Stumble> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.push(operation.clone());
        let name = operation.name();
        let number = seen.iter().filter(|seen| seen.name() == name).count();
        let meant = |(of, at, _): &&(OperationName, usize, Stumble)| *of == name && *at == number;
        self.stumbles.iter().find(meant).map(|(_, _, stumble)| stumble.clone())
    }

    /// Every call so far.
    pub(super) fn calls(&self) -> Vec<Operation> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
