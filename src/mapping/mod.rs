//! Floor 2: the mapping files, compiled into typed tables over the model.
//!
//! `mappings/` holds the vocabulary of each cloud: names, ranges, defaults, kinds, regions, codes and loss policies.
//! It is read once, at start; every name in it is resolved then, and a name that does not resolve is an error with
//! file, line and column. What is left are tables that cannot be wrong, so nothing is looked up by an unchecked
//! string while serving. `mappings/README.md` is the language's own page.

mod actions;
mod capability;
mod compile;
mod diagnostic;
mod faults;
mod group;
mod places;
mod plain;
mod raw;
mod read;
mod record;
mod source;
mod trace;
mod words;
mod write;

pub use actions::{Action, Actions, UnknownParameters};
pub use capability::{Capability, DuplicateAdd, NamesBackends};
pub use compile::{Cloud, Format, Shape, Tables};
pub use diagnostic::{Diagnostic, Severity, SourceText};
pub use faults::{FaultRow, Faults};
pub use group::{GroupTable, GroupTemplate, ListenerNames, OptionRow};
pub use places::Places;
pub use record::{BackendTable, Cell, FieldRow, Reading, Record, Rule, Written};
pub use source::Sources;
pub use trace::{Trace, trace};
pub use words::instead;
