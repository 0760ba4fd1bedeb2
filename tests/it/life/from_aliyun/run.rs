//! Runs steps before the engine and beside the model of Alibaba Cloud, and compares what they show.

use std::{fmt::Write as _, time::Duration};

use proptest::{prelude::*, test_runner::TestCaseError};
use tokio::time::{Instant, sleep};
use weighbridge::{
    model::{
        Backend, Change, CreateGroup, Fault, FaultKind, Group, ListGroups, Operation, Outcome, Page,
        RemoveBackends, ReplaceBackends, Traffic, UpdateGroup, Weight,
    },
    simulator::Script,
};

use super::{Entry, Item, Pick, Rsp, Slb, Step, UPSETS};
use crate::life::stage::{LB, RSP, RSP2, Stage, add, at, balancer, ecs, in_virtual_time, rsp, weight};

/// The engine beside the cloud that it stands for.
struct Run {
    /// Why the last step failed, where the target did.
    upset: Option<String>,
    slb: Slb,
    stage: Stage,
    log: String,
}

impl Run {
    /// A fault that the target was told to have is no wonder; what was asked has to be undone then.
    async fn ask(&mut self, operation: Operation) -> Result<Outcome, Fault> {
        let told = self.stage.ask(operation).await;
        if let Err(fault) = &told
            && (UPSETS.contains(&fault.kind) || fault.detail.contains("were left there"))
        {
            self.upset = Some(fault.to_string());
        }
        told
    }

    async fn take(&mut self, step: &Step) -> Result<(), TestCaseError> {
        writeln!(self.log, "{step:?}").unwrap();
        match step {
            Step::Add { group, items } => {
                let group = group % self.slb.groups.len();
                let items = distinct(items);
                let sent = add(rsp(self.id(group)), items.iter().map(Item::sent).collect());
                let told = self.ask(sent).await;
                match self.slb.add(group, &items) {
                    Ok(()) => {
                        let Outcome::Added(members) = self.fine(told)? else { return self.fail("an add") };
                        let entries = self.entries_of(group, &items);
                        let told: Vec<_> = members.iter().map(|member| told_of(&member.backend)).collect();
                        self.same(
                            &told,
                            &entries.iter().map(Entry::told).collect::<Vec<_>>(),
                            "what was added",
                        )?;
                    }
                    Err(kind) => self.refused(told, kind)?,
                }
            }
            Step::Remove { group, picks } => {
                let group = group % self.slb.groups.len();
                let named = self.slb.groups[group].all_meant(picks);
                let backends = named.iter().map(|(server, port)| at(ecs(*server), *port)).collect();
                let scope = rsp(self.id(group)).into();
                let sent = Operation::RemoveBackends(RemoveBackends { scope, backends });
                let told = self.ask(sent).await;
                match self.slb.remove(group, &named) {
                    Ok(entries) => {
                        let Outcome::Removed(members) = self.fine(told)? else {
                            return self.fail("a removal");
                        };
                        let told: Vec<_> = members.iter().map(|member| told_of(&member.backend)).collect();
                        self.same(
                            &told,
                            &entries.iter().map(Entry::told).collect::<Vec<_>>(),
                            "what was removed",
                        )?;
                    }
                    Err(kind) => self.refused(told, kind)?,
                }
            }
            Step::Set { group, name, items } => self.set(*group, name.as_deref(), items).await?,
            Step::Swap { group, picks, new } => self.swap(*group, picks, new).await?,
            Step::Create { name, items } => self.create(name, items).await?,
            Step::Delete { group } => {
                let group = group % self.slb.groups.len();
                let began = Instant::now();
                let told = self.ask(Operation::DeleteGroup(rsp(self.id(group)))).await;
                // When its answer was lost, nobody knows who has deleted what is gone.
                let lost = began.elapsed() > Duration::from_secs(5);
                match self.slb.there(group) {
                    Ok(group) => {
                        group.is_there = false;
                        group.entries.clear();
                        let told = self.fine(told)?;
                        prop_assert!(matches!(told, Outcome::Deleted));
                    }
                    Err(_) if lost && matches!(told, Ok(Outcome::Deleted)) => {}
                    Err(kind) => self.refused(told, kind)?,
                }
            }
            Step::List => self.list().await?,
        }
        Ok(())
    }

    async fn set(
        &mut self,
        group: usize,
        name: Option<&str>,
        items: &[(Pick, u32, Option<String>)],
    ) -> Result<(), TestCaseError> {
        let group = group % self.slb.groups.len();
        let items: Vec<Item> = items
            .iter()
            .map(|(pick, weight, description)| {
                let (server, port) = self.slb.groups[group].meant(pick);
                Item { server, port, weight: *weight, description: description.clone() }
            })
            .collect();
        let items = distinct(&items);
        let change = |item: &Item| Change {
            weight: weight(item.weight),
            enabled: Some(item.weight > 0),
            description: item.description.clone(),
            ..Change::of(at(ecs(item.server), item.port))
        };
        let sent = Operation::UpdateGroup(UpdateGroup {
            group: rsp(self.id(group)),
            name: name.map(str::to_owned),
            options: Vec::new(),
            changes: items.iter().map(change).collect(),
        });
        let told = self.ask(sent).await;
        match self.slb.set(group, name, &items) {
            Ok((name, entries)) => {
                let Outcome::GroupUpdated(told) = self.fine(told)? else { return self.fail("a set") };
                self.same(&told.name, &Some(name), "the name")?;
                let told: Vec<_> = told.members.iter().map(|member| told_of(&member.backend)).collect();
                let mut wanted: Vec<_> = entries.iter().map(Entry::told).collect();
                let mut told = told;
                if items.is_empty() {
                    told.sort();
                    wanted.sort();
                }
                self.same(&told, &wanted, "what was set")
            }
            Err(kind) => self.refused(told, kind),
        }
    }

    async fn swap(&mut self, group: usize, picks: &[Pick], new: &[Item]) -> Result<(), TestCaseError> {
        let group = group % self.slb.groups.len();
        let known = &self.slb.groups[group];
        let old = known.all_meant(picks);
        // No page says what becomes of a new one that is there already and not among the old.
        let fresh = |item: &&Item| {
            let name = (item.server, item.port);
            old.contains(&name) || known.place_of(item.server, item.port).is_none()
        };
        let new = distinct(&new.iter().filter(fresh).cloned().collect::<Vec<_>>());
        let sent = Operation::ReplaceBackends(ReplaceBackends {
            group: rsp(self.id(group)),
            old: old.iter().map(|(server, port)| at(ecs(*server), *port)).collect(),
            new: new.iter().map(Item::sent).collect(),
        });
        let told = self.ask(sent).await;
        match self.slb.swap(group, &old, &new) {
            Ok(()) => {
                let Outcome::Replaced(members) = self.fine(told)? else { return self.fail("a swap") };
                let told: Vec<_> = members.iter().map(|member| told_of(&member.backend)).collect();
                self.same(
                    &told,
                    &self.entries_of(group, &new).iter().map(Entry::told).collect::<Vec<_>>(),
                    "what came",
                )
            }
            Err(kind) => self.refused(told, kind),
        }
    }

    async fn create(&mut self, name: &str, items: &[Item]) -> Result<(), TestCaseError> {
        let items = distinct(items);
        let sent = Operation::CreateGroup(CreateGroup {
            load_balancer: balancer(LB),
            name: Some(name.to_owned()),
            listener: None,
            options: Vec::new(),
            backends: items.iter().map(Item::sent).collect(),
        });
        let told = self.ask(sent).await;
        let Outcome::Created(made) = self.fine(told)? else { return self.fail("a creation") };
        let id = made.id.group.clone();
        prop_assert!(self.slb.groups.iter().all(|known| known.id != id), "{id} is another group's");
        self.slb.groups.push(Rsp { id, name: name.to_owned(), is_there: true, entries: Vec::new() });
        let group = self.slb.groups.len() - 1;
        self.slb.add(group, &items).unwrap();
        let told: Vec<_> = made.members.iter().map(|member| told_of(&member.backend)).collect();
        self.same(
            &told,
            &self.entries_of(group, &items).iter().map(Entry::told).collect::<Vec<_>>(),
            "what it holds",
        )
    }

    async fn list(&mut self) -> Result<(), TestCaseError> {
        let page = Page { offset: 0, limit: usize::MAX };
        let list = ListGroups { load_balancer: balancer(LB), page, listeners: true, members: false };
        let told = self.ask(Operation::ListGroups(list)).await;
        let Outcome::Groups(groups, total) = self.fine(told)? else { return self.fail("a list") };
        let told: Vec<_> = groups.iter().map(|group| (group.id.group.clone(), group.name.clone())).collect();
        let there = self.slb.groups.iter().filter(|group| group.is_there);
        let wanted: Vec<_> = there.map(|group| (group.id.clone(), Some(group.name.clone()))).collect();
        self.same(&told, &wanted, "the list")?;
        self.same(&total, &wanted.len(), "how many there are")
    }

    /// Every group, as the caller sees it and as the target holds it.
    async fn check(&self, group: usize) -> Result<(), TestCaseError> {
        let known = &self.slb.groups[group];
        let told = self.stage.describe(rsp(known.id.as_str())).await;
        if !known.is_there {
            return self.refused(told.map(Outcome::Group), FaultKind::UnknownGroup);
        }
        let told = self.fine(told)?;
        self.same(&told.name, &Some(known.name.clone()), "the name")?;
        self.same(&told.id.group, &known.id, "the id")?;
        self.same_entries(&told, known)?;
        self.same_target(known)
    }

    fn same_entries(&self, told: &Group, known: &Rsp) -> Result<(), TestCaseError> {
        let lines: Vec<String> = told.members.iter().map(|member| told_of(&member.backend)).collect();
        let wanted: Vec<String> = known.entries.iter().map(Entry::told).collect();
        self.same(&sorted(&lines), &sorted(&wanted), "the group")?;
        self.same(&told.count, &wanted.len(), "how many it holds")?;
        let ordered = |entry: &&Entry| !entry.unordered;
        let batch = |line: &String| known.entries.iter().filter(ordered).find(|entry| entry.told() == *line);
        let came: Vec<usize> = lines.iter().filter_map(batch).map(|entry| entry.batch).collect();
        let order: Vec<usize> = known.entries.iter().filter(ordered).map(|entry| entry.batch).collect();
        self.same(&came, &order, "the order")
    }

    /// The target keeps the weight of a backend that gets no traffic.
    fn same_target(&self, known: &Rsp) -> Result<(), TestCaseError> {
        let groups = self.stage.wire.balancer.groups();
        let balancer = |group: &Group| {
            let mut held: Vec<String> = group.members.iter().map(|member| held_of(&member.backend)).collect();
            held.sort();
            held
        };
        let wanted = sorted(&known.entries.iter().map(Entry::held).collect::<Vec<_>>());
        let own = match known.id.as_str() {
            RSP => Some(crate::life::stage::VSERVER),
            RSP2 => Some(crate::life::stage::VSERVER2),
            _ => None,
        };
        if let Some(own) = own {
            let group = groups.iter().find(|group| group.id.group.as_str() == own).unwrap();
            return self.same(&balancer(group), &wanted, "the target");
        }
        let fits = groups.iter().any(|group| balancer(group) == wanted);
        prop_assert!(fits, "no group of the target holds {wanted:?}\n{}", self.log);
        Ok(())
    }

    fn entries_of(&self, group: usize, items: &[Item]) -> Vec<Entry> {
        let group = &self.slb.groups[group];
        let entry = |item: &Item| group.entries.iter().find(|entry| item.is(entry)).unwrap().clone();
        items.iter().map(|item| Entry { description: item.description.clone(), ..entry(item) }).collect()
    }

    fn id(&self, group: usize) -> &str {
        self.slb.groups[group].id.as_str()
    }

    fn fine<T>(&self, told: Result<T, Fault>) -> Result<T, TestCaseError> {
        told.map_err(|fault| TestCaseError::fail(format!("{fault}\n{}", self.log)))
    }

    fn refused(&self, told: Result<Outcome, Fault>, kind: FaultKind) -> Result<(), TestCaseError> {
        match told {
            Err(fault) if fault.kind == kind => Ok(()),
            other => Err(TestCaseError::fail(format!("{other:?} instead of {kind:?}\n{}", self.log))),
        }
    }

    fn fail(&self, what: &str) -> Result<(), TestCaseError> {
        Err(TestCaseError::fail(format!("{what} is answered as something else\n{}", self.log)))
    }

    fn same<T: PartialEq + std::fmt::Debug>(
        &self,
        told: &T,
        wanted: &T,
        what: &str,
    ) -> Result<(), TestCaseError> {
        if told == wanted {
            return Ok(());
        }
        let log = &self.log;
        Err(TestCaseError::fail(format!("{what}\n told: {told:?}\nwants: {wanted:?}\n{log}")))
    }
}

fn told_of(backend: &Backend) -> String {
    let weight = match backend.traffic {
        Traffic::On(weight) => weight.get(),
        Traffic::Off(_) => 0,
    };
    format!("{}:{} weight {weight} {:?}", backend.target, backend.port, backend.description)
}

fn held_of(backend: &Backend) -> String {
    let (on, weight) = match backend.traffic {
        Traffic::On(weight) => ("on", Some(weight)),
        Traffic::Off(weight) => ("off", weight),
    };
    format!("{}:{} {on} weight {}", backend.target, backend.port, weight.map_or(1, Weight::get))
}

fn sorted(lines: &[String]) -> Vec<String> {
    let mut lines = lines.to_vec();
    lines.sort();
    lines
}

/// A list that names a backend twice is refused before it gets this far.
fn distinct(items: &[Item]) -> Vec<Item> {
    let mut own: Vec<Item> = Vec::new();
    for item in items {
        if !own.iter().any(|known| (known.server, known.port) == (item.server, item.port)) {
            own.push(item.clone());
        }
    }
    own
}

/// Steps, each after a while, and how late the target shows them.
pub(super) fn run(script: Script, steps: &[(u64, Step)]) -> Result<(), TestCaseError> {
    in_virtual_time(async {
        let mut run =
            Run { slb: Slb::new(), stage: Stage::towards_ucloud(script), upset: None, log: String::new() };
        for (pause, step) in steps {
            sleep(Duration::from_millis(*pause)).await;
            write!(run.log, "after {pause} ms ").unwrap();
            let before = run.slb.clone();
            let taken = run.take(step).await;
            let unspeakable = run.stage.unspeakable();
            prop_assert!(unspeakable.is_empty(), "no such call: {unspeakable:?}\n{}", run.log);
            match run.upset.take() {
                Some(fault) => {
                    writeln!(run.log, "  failed: {fault}").unwrap();
                    if fault.contains("could NOT") || fault.contains("were left there") {
                        return Ok(());
                    }
                    run.slb = before;
                    // What was put back is the last of its group now.
                    for entry in run.slb.groups.iter_mut().flat_map(|group| &mut group.entries) {
                        entry.unordered = true;
                    }
                }
                None => taken?,
            }
            for group in 0..run.slb.groups.len() {
                run.check(group).await?;
            }
        }
        sleep(Duration::from_secs(30)).await;
        run.log += "at the end";
        for group in 0..run.slb.groups.len() {
            run.check(group).await?;
        }
        run.list().await
    })
}
