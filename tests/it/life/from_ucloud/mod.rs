//! Callers of UCloud before Alibaba Cloud: whatever they do, in any order, they see what their own cloud would show.

mod run;
mod steps;

use std::time::Duration;

use proptest::prelude::*;
use weighbridge::{
    model::{Backend, BackendId, FaultKind, GroupId, Traffic},
    simulator::Script,
};

use self::{run::run, steps::any_steps};
use super::stage::{Stage, VSERVER, VSERVER2, any_stumbles, backend, cases, uhost, weight};

/// What UCloud holds.
#[derive(Debug, Clone)]
struct Ulb {
    groups: Vec<Vserver>,
    /// Every id that was ever given.
    ids: Vec<BackendId>,
}

#[derive(Debug, Clone)]
struct Vserver {
    id: GroupId,
    name: String,
    is_there: bool,
    /// The port that the caller made it with.
    front: Option<u32>,
    entries: Vec<Entry>,
}

/// One backend of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    id: BackendId,
    server: usize,
    port: u32,
    weight: u32,
    enabled: bool,
}

/// A backend of an add.
#[derive(Debug, Clone, Copy)]
struct Item {
    server: usize,
    port: u32,
    weight: u32,
    enabled: bool,
}

/// What of a backend is to change.
#[derive(Debug, Clone, Copy)]
struct Edit {
    /// One of the ids that were ever given.
    id: Pick,
    port: Option<u32>,
    weight: Option<u32>,
    enabled: Option<bool>,
    standby: Option<bool>,
}

/// Names one of the backends that are there, or any that ever was.
#[derive(Debug, Clone, Copy)]
enum Pick {
    Listed(usize),
    Any(usize),
}

#[derive(Debug, Clone)]
enum Step {
    Add { group: usize, items: Vec<Item> },
    Release { id: Pick },
    Update { edits: Vec<Edit> },
    Rename { group: usize, name: String },
    Create { name: String },
    Delete { group: usize },
    List,
}

/// What a target says that was told to fail.
const UPSETS: [FaultKind; 4] =
    [FaultKind::TargetRefused, FaultKind::TargetFailed, FaultKind::TargetLost, FaultKind::TargetTimedOut];

const SERVERS: usize = 3;

impl Item {
    fn sent(&self) -> Backend {
        let backend = backend(uhost(self.server), self.port, self.weight);
        let traffic = if self.enabled { backend.traffic } else { Traffic::Off(weight(self.weight)) };
        Backend { traffic, ..backend }
    }

    fn is(&self, entry: &Entry) -> bool {
        (self.server, self.port) == (entry.server, entry.port)
    }
}

impl Entry {
    fn told(&self) -> String {
        let Self { id, server, port, weight, enabled } = self;
        format!("{id} {}:{port} weight {weight} enabled {enabled} standby false", uhost(*server))
    }

    fn held(&self) -> String {
        let weight = if self.enabled { self.weight } else { 0 };
        format!("i-bp1example{:08}:{} weight {weight}", self.server, self.port)
    }
}

impl Ulb {
    /// The groups of the resource map, which the other cloud has named.
    fn new() -> Self {
        let group = |id: &str| Vserver {
            id: GroupId::new(id).unwrap(),
            name: "VServerGroup".to_owned(),
            is_there: true,
            front: None,
            entries: Vec::new(),
        };
        Self { groups: vec![group(VSERVER), group(VSERVER2)], ids: Vec::new() }
    }

    fn meant(&self, pick: Pick) -> BackendId {
        let listed: Vec<&Entry> = self.groups.iter().flat_map(|group| &group.entries).collect();
        match pick {
            Pick::Listed(number) if !listed.is_empty() => listed[number % listed.len()].id.clone(),
            Pick::Listed(number) | Pick::Any(number) if !self.ids.is_empty() => {
                self.ids[number % self.ids.len()].clone()
            }
            Pick::Listed(_) | Pick::Any(_) => BackendId::new("backend-hjz2421u").unwrap(),
        }
    }

    /// Where the backend of this id is.
    fn place_of(&self, id: &BackendId) -> Option<(usize, usize)> {
        let within = |group: &Vserver| group.entries.iter().position(|entry| entry.id == *id);
        self.groups.iter().enumerate().find_map(|(at, group)| Some((at, within(group)?)))
    }

    /// What is absent is no fault.
    fn release(&mut self, id: &BackendId) {
        if let Some((group, place)) = self.place_of(id) {
            self.groups[group].entries.remove(place);
        }
    }

    fn update(&mut self, id: &BackendId, edit: &Edit) -> Result<(), FaultKind> {
        let (group, place) = self.place_of(id).ok_or(FaultKind::UnknownBackend)?;
        let entries = &mut self.groups[group].entries;
        let entry = entries[place].clone();
        let port = edit.port.unwrap_or(entry.port);
        let taken = |other: &Entry| (other.server, other.port) == (entry.server, port);
        if port != entry.port && entries.iter().any(taken) {
            return Err(FaultKind::AlreadyPresent);
        }
        let weight = edit.weight.unwrap_or(entry.weight);
        let enabled = edit.enabled.unwrap_or(entry.enabled);
        entries[place] = Entry { port, weight, enabled, ..entry };
        Ok(())
    }

    fn there(&mut self, group: usize) -> Result<&mut Vserver, FaultKind> {
        let group = &mut self.groups[group];
        if group.is_there { Ok(group) } else { Err(FaultKind::UnknownGroup) }
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn callers_see_what_they_did(steps in any_steps()) {
        run(Stage::towards_aliyun(Script::smooth()), true, &steps)?;
    }

    #[test]
    fn callers_see_what_they_did_where_it_shows_late(lag in 1000_u64..3000, steps in any_steps()) {
        let script = Script::smooth().lagging(Duration::from_millis(lag));
        run(Stage::towards_late_aliyun(script), false, &steps)?;
    }

    #[test]
    fn all_is_done_or_nothing_where_calls_fail(stumbles in any_stumbles(), steps in any_steps()) {
        run(Stage::towards_aliyun(Script::of(&stumbles)), true, &steps)?;
    }
}
