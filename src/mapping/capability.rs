//! What a cloud can do in one call, as data, so that the engine asks the capability and not the cloud's name.

use std::time::Duration;

/// What one cloud can and cannot do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a question of its own, and a row of `provider.toml`"
)]
pub struct Capability {
    /// How many backends one add may carry, 1 or more.
    pub backends_per_call: usize,
    /// How many backends one change of attributes may carry, 1 or more.
    pub updates_per_call: usize,
    /// Whether a change of attributes leaves those alone that it does not name; else every one has to be written.
    pub updates_in_part: bool,
    /// Whether a backend may be given another port; else another backend takes its place.
    pub changes_ports: bool,
    /// Whether the list of groups tells what each holds, with the health of each backend; else each group has to be
    /// described, and health to be asked for.
    pub lists_members: bool,
    /// For how long after a change reads may still show what was before; zero where they show it at once.
    pub settles_after: Duration,
    /// How a backend of a group is named.
    pub names_backends: NamesBackends,
    /// Whether a group takes one change at a time and refuses the next while it works.
    pub one_writer_per_group: bool,
    /// What a caller of this cloud expects of an add of what is there already.
    pub duplicate_add: DuplicateAdd,
}

/// How a backend of a group is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamesBackends {
    /// By what it is: server, address, port.
    Address,
    /// By an id that the cloud gives it.
    Id,
}

/// What a caller expects when a backend is in the group already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DuplicateAdd {
    /// Success, if the group holds what was asked for.
    Accept,
    /// The cloud's own error.
    Refuse,
}
