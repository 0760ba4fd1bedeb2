//! Where each field of a backend went: the answer to "what became of my request".

use super::record::{BackendTable, Written};
use crate::model::{Backend, Fault, Field, LossPolicy};

/// The way of one field from one cloud's record to another's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// The field.
    pub field: Field,
    /// The name and text in the source's record.
    pub from: Option<(String, String)>,
    /// The name and text in the target's record.
    pub to: Option<(String, String)>,
    /// What became of it where the target has no place for it.
    pub loss: Option<LossPolicy>,
}

/// Follows every field of `here`, as the cloud of `source` writes it, to `there`, as the cloud of `target` does.
///
/// # Errors
/// A backend that one of the two cannot write.
pub fn trace(
    source: &BackendTable,
    here: &Backend,
    target: &BackendTable,
    there: &Backend,
) -> Result<Vec<Trace>, Fault> {
    let (from, to) = (source.write(here)?, target.write(there)?);
    let cell = |written: &Written<'_>, field: Field| {
        let cell = written.cells.iter().find(|(of, _, _)| *of == field)?;
        Some((cell.1.to_owned(), cell.2.clone().into_owned()))
    };
    let steps = Field::ALL.into_iter().map(|field| Trace {
        field,
        from: cell(&from, field),
        to: cell(&to, field),
        loss: to.losses.iter().find(|(lost, _)| *lost == field).map(|(_, policy)| *policy),
    });
    Ok(steps.filter(|step| step.from.is_some() || step.to.is_some() || step.loss.is_some()).collect())
}
