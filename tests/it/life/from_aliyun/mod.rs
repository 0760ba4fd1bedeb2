//! Callers of Alibaba Cloud before UCloud: whatever they do, in any order, they see what their own cloud would show.

mod run;
mod steps;

use std::time::Duration;

use proptest::prelude::*;
use weighbridge::{
    model::{Backend, FaultKind, GroupId},
    simulator::Script,
};

use self::{run::run, steps::any_steps};
use super::stage::{RSP, RSP2, any_stumbles, backend, cases, ecs};

/// What Alibaba Cloud holds.
#[derive(Debug, Clone)]
struct Slb {
    groups: Vec<Rsp>,
    batches: usize,
}

#[derive(Debug, Clone)]
struct Rsp {
    id: GroupId,
    name: String,
    is_there: bool,
    entries: Vec<Entry>,
}

/// One backend of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    server: usize,
    port: u32,
    weight: u32,
    description: Option<String>,
    /// The last weight above 0, which UCloud keeps of a disabled backend.
    behind: u32,
    /// Which add it came by: the order within one is not promised.
    batch: usize,
    /// One of several of its server that changed places at once.
    unordered: bool,
}

/// A backend that a caller names in a list.
#[derive(Debug, Clone)]
struct Item {
    server: usize,
    port: u32,
    weight: u32,
    description: Option<String>,
}

/// Names one of the backends of a group, or one that may not be there.
#[derive(Debug, Clone)]
enum Pick {
    Listed(usize),
    Any(usize, u32),
}

#[derive(Debug, Clone)]
enum Step {
    Add { group: usize, items: Vec<Item> },
    Remove { group: usize, picks: Vec<Pick> },
    Set { group: usize, name: Option<String>, items: Vec<(Pick, u32, Option<String>)> },
    Swap { group: usize, picks: Vec<Pick>, new: Vec<Item> },
    Create { name: String, items: Vec<Item> },
    Delete { group: usize },
    List,
}

impl Item {
    fn sent(&self) -> Backend {
        Backend { description: self.description.clone(), ..backend(ecs(self.server), self.port, self.weight) }
    }

    fn is(&self, entry: &Entry) -> bool {
        (self.server, self.port) == (entry.server, entry.port)
    }
}

impl Entry {
    fn of(item: &Item, batch: usize) -> Self {
        let Item { server, port, weight, description } = item.clone();
        let behind = weight.max(1);
        Self { server, port, weight, description, behind, batch, unordered: false }
    }

    fn weighs(&mut self, weight: u32) {
        self.weight = weight;
        if weight > 0 {
            self.behind = weight;
        }
    }

    fn told(&self) -> String {
        let Self { port, weight, description, .. } = self;
        format!("{}:{port} weight {weight} {description:?}", ecs(self.server))
    }

    fn held(&self) -> String {
        let on = if self.weight > 0 { "on" } else { "off" };
        format!("uhost-demo{:02}:{} {on} weight {}", self.server, self.port, self.behind)
    }
}

impl Rsp {
    fn place_of(&self, server: usize, port: u32) -> Option<usize> {
        self.entries.iter().position(|entry| (entry.server, entry.port) == (server, port))
    }

    fn meant(&self, pick: &Pick) -> (usize, u32) {
        match pick {
            Pick::Listed(number) if !self.entries.is_empty() => {
                let entry = &self.entries[number % self.entries.len()];
                (entry.server, entry.port)
            }
            Pick::Listed(number) => (number % SERVERS + 1, 80),
            Pick::Any(server, port) => (*server, *port),
        }
    }

    fn all_meant(&self, picks: &[Pick]) -> Vec<(usize, u32)> {
        let mut meant: Vec<(usize, u32)> = Vec::new();
        for pick in picks {
            let one = self.meant(pick);
            if !meant.contains(&one) {
                meant.push(one);
            }
        }
        meant
    }
}

/// What a target says that was told to fail.
const UPSETS: [FaultKind; 4] =
    [FaultKind::TargetRefused, FaultKind::TargetFailed, FaultKind::TargetLost, FaultKind::TargetTimedOut];

const SERVERS: usize = 4;

impl Slb {
    /// The groups of the resource map, which the other cloud has named.
    fn new() -> Self {
        let group = |id: &str| Rsp {
            id: GroupId::new(id).unwrap(),
            name: "VServer".to_owned(),
            is_there: true,
            entries: Vec::new(),
        };
        Self { groups: vec![group(RSP), group(RSP2)], batches: 0 }
    }

    /// All of them are added, or none. One that is there as asked is no fault.
    fn add(&mut self, group: usize, items: &[Item]) -> Result<(), FaultKind> {
        self.batches += 1;
        let batch = self.batches;
        let group = self.there(group)?;
        let mut entries = group.entries.clone();
        for item in items {
            match group.entries.iter().find(|entry| item.is(entry)) {
                Some(entry) if entry.weight == item.weight => {}
                Some(_) => return Err(FaultKind::AlreadyPresent),
                None => entries.push(Entry::of(item, batch)),
            }
        }
        group.entries = entries;
        Ok(())
    }

    /// What is absent is no fault. Those come back that were there.
    fn remove(&mut self, group: usize, named: &[(usize, u32)]) -> Result<Vec<Entry>, FaultKind> {
        let group = self.there(group)?;
        let mut removed = Vec::new();
        for (server, port) in named {
            if let Some(place) = group.place_of(*server, *port) {
                removed.push(group.entries.remove(place));
            }
        }
        Ok(removed)
    }

    /// All is changed, or nothing. Those come back that were named, or all.
    fn set(
        &mut self,
        group: usize,
        name: Option<&str>,
        items: &[Item],
    ) -> Result<(String, Vec<Entry>), FaultKind> {
        let group = self.there(group)?;
        let mut entries = group.entries.clone();
        let mut named = Vec::new();
        for item in items {
            let entry = entries.iter_mut().find(|entry| item.is(entry)).ok_or(FaultKind::UnknownBackend)?;
            entry.weighs(item.weight);
            entry.description = item.description.clone().or(entry.description.take());
            named.push(entry.clone());
        }
        group.entries = entries;
        if let Some(name) = name {
            name.clone_into(&mut group.name);
        }
        Ok((group.name.clone(), if items.is_empty() { group.entries.clone() } else { named }))
    }

    /// A server that goes on with another port keeps its place; others go, and come at the end.
    fn swap(&mut self, group: usize, old: &[(usize, u32)], new: &[Item]) -> Result<(), FaultKind> {
        self.batches += 1;
        let batch = self.batches;
        let group = self.there(group)?;
        let leaves = |entry: &Entry| old.contains(&(entry.server, entry.port));
        let mut leaving: Vec<Entry> = group.entries.iter().filter(|entry| leaves(entry)).cloned().collect();
        let several = |server: usize| {
            leaving.iter().filter(|entry| entry.server == server).count() > 1
                || new.iter().filter(|item| item.server == server).count() > 1
        };
        let unordered: Vec<usize> = (1..=SERVERS).filter(|server| several(*server)).collect();
        let mut coming: Vec<&Item> = new.iter().collect();
        // Who stays as it is, then who moves.
        for same_port in [true, false] {
            coming.retain(|item| {
                let fits =
                    |left: &Entry| left.server == item.server && (!same_port || left.port == item.port);
                let Some(place) = leaving.iter().position(fits) else { return true };
                let left = leaving.remove(place);
                let entry = group.entries.iter_mut().find(|entry| **entry == left).unwrap();
                entry.port = item.port;
                entry.description.clone_from(&item.description);
                entry.weighs(item.weight);
                false
            });
        }
        group.entries.retain(|entry| !leaving.contains(entry));
        group.entries.extend(coming.into_iter().map(|item| Entry::of(item, batch)));
        for entry in &mut group.entries {
            entry.unordered |= unordered.contains(&entry.server);
        }
        Ok(())
    }

    fn there(&mut self, group: usize) -> Result<&mut Rsp, FaultKind> {
        let group = &mut self.groups[group];
        if group.is_there { Ok(group) } else { Err(FaultKind::UnknownGroup) }
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn callers_see_what_they_did(steps in any_steps()) {
        run(Script::smooth(), &steps)?;
    }

    #[test]
    fn callers_see_what_they_did_where_it_shows_late(lag in 1000_u64..3000, steps in any_steps()) {
        run(Script::smooth().lagging(Duration::from_millis(lag)), &steps)?;
    }

    #[test]
    fn all_is_done_or_nothing_where_calls_fail(
        lag in prop_oneof![Just(0_u64), 1000_u64..3000],
        stumbles in any_stumbles(),
        steps in any_steps(),
    ) {
        run(Script::of(&stumbles).lagging(Duration::from_millis(lag)), &steps)?;
    }
}
