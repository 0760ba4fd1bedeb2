//! Runs steps before the engine and beside the model of UCloud, and compares what they show.

use std::{fmt::Write as _, time::Duration};

use proptest::{prelude::*, test_runner::TestCaseError};
use tokio::time::{Instant, sleep};
use weighbridge::model::{
    Backend, BackendId, BackendRef, Change, CreateGroup, Fault, FaultKind, Group, ListGroups, Listener,
    Member, Operation, Outcome, Page, Protocol, RemoveBackends, Traffic, UpdateBackends, UpdateGroup,
    Updated, Weight,
};

use super::{Edit, Entry, Item, Step, UPSETS, Ulb, Vserver};
use crate::life::stage::{
    RSP, RSP2, Stage, ULB, VSERVER, VSERVER2, add, balancer, in_virtual_time, port, ulb, vserver, weight,
};

/// The engine beside the cloud that it stands for.
struct Run {
    /// Why the last step failed, where the target did.
    upset: Option<String>,
    ulb: Ulb,
    stage: Stage,
    /// Whether the target shows changes at once, so that the order of what it tells is its own.
    at_once: bool,
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
            Step::Add { group, items } => self.add(*group, items).await,
            Step::Release { id } => {
                let id = self.ulb.meant(*id);
                let backends = vec![BackendRef::Id(id.clone())];
                let sent = Operation::RemoveBackends(RemoveBackends { scope: ulb(), backends });
                let told = self.ask(sent).await;
                if id.as_str() == "backend-hjz2421u" {
                    return self.refused(told, FaultKind::UnknownBackend);
                }
                // Where the group is gone the target says so, and nobody knows of the backend.
                let group_is_there = self.ulb.groups.iter().all(|group| group.is_there);
                let is_there = self.ulb.place_of(&id).is_some();
                self.ulb.release(&id);
                match told {
                    Err(fault) if fault.kind == FaultKind::UnknownGroup && !group_is_there => Ok(()),
                    // Of one that is gone nobody says so while another is on its server and port.
                    Err(fault) if fault.kind == FaultKind::UnknownBackend && !is_there => Ok(()),
                    told => self.fine(told).map(drop),
                }
            }
            Step::Update { edits } => self.update(edits).await,
            Step::Rename { group, name } => {
                let group = group % self.ulb.groups.len();
                let sent = Operation::UpdateGroup(UpdateGroup {
                    group: vserver(self.id(group)),
                    name: Some(name.clone()),
                    options: Vec::new(),
                    changes: Vec::new(),
                });
                let told = self.ask(sent).await;
                match self.ulb.there(group) {
                    Ok(group) => {
                        name.clone_into(&mut group.name);
                        let Outcome::GroupUpdated(told) = self.fine(told)? else {
                            return self.fail("a new name");
                        };
                        self.same(&told.name, &Some(name.clone()), "the name")
                    }
                    Err(kind) => self.refused(told, kind),
                }
            }
            Step::Create { name } => self.create(name).await,
            Step::Delete { group } => {
                let group = group % self.ulb.groups.len();
                let began = Instant::now();
                let told = self.ask(Operation::DeleteGroup(vserver(self.id(group)))).await;
                // When its answer was lost, nobody knows who has deleted what is gone.
                let lost = began.elapsed() > Duration::from_secs(5);
                match self.ulb.there(group) {
                    // The target does not delete what its listeners use.
                    Ok(Vserver { front: None, .. }) => self.refused(told, FaultKind::GroupInUse),
                    Ok(group) => {
                        group.is_there = false;
                        group.entries.clear();
                        let told = self.fine(told)?;
                        prop_assert!(matches!(told, Outcome::Deleted));
                        Ok(())
                    }
                    Err(_) if lost && matches!(told, Ok(Outcome::Deleted)) => Ok(()),
                    Err(kind) => self.refused(told, kind),
                }
            }
            Step::List => self.list().await,
        }
    }

    async fn add(&mut self, group: usize, items: &[Item]) -> Result<(), TestCaseError> {
        let group = group % self.ulb.groups.len();
        let held = self.ulb.groups[group].entries.clone();
        // What is there already the target does not tell of, and so it is not added here.
        let mut fresh: Vec<Item> = Vec::new();
        for item in items {
            let known = fresh.iter().any(|other| (other.server, other.port) == (item.server, item.port));
            if !known && !held.iter().any(|entry| item.is(entry)) {
                fresh.push(*item);
            }
        }
        if fresh.is_empty() {
            return Ok(());
        }
        let sent = add(vserver(self.id(group)), fresh.iter().map(Item::sent).collect());
        let told = self.ask(sent).await;
        match self.ulb.there(group) {
            Ok(_) => {
                let Outcome::Added(members) = self.fine(told)? else { return self.fail("an add") };
                self.same(&members.len(), &fresh.len(), "how many were added")?;
                for (item, member) in fresh.iter().zip(&members) {
                    let Some(id) = member.id.clone() else { return self.fail("an add without an id") };
                    prop_assert!(self.ulb.place_of(&id).is_none(), "{id} is another backend's\n{}", self.log);
                    let Item { server, port, weight, enabled } = *item;
                    let entry = Entry { id: id.clone(), server, port, weight, enabled };
                    self.same(&told_of(member), &entry.told(), "what was added")?;
                    self.ulb.groups[group].entries.push(entry);
                    if !self.ulb.ids.contains(&id) {
                        self.ulb.ids.push(id);
                    }
                }
                Ok(())
            }
            Err(kind) => self.refused(told, kind),
        }
    }

    async fn update(&mut self, edits: &[Edit]) -> Result<(), TestCaseError> {
        // A list that names a backend twice is refused before it gets this far.
        let mut meant: Vec<(BackendId, Edit)> = Vec::new();
        for edit in edits {
            let id = self.ulb.meant(edit.id);
            if meant.iter().all(|(known, _)| *known != id) {
                meant.push((id, *edit));
            }
        }
        let change = |(id, edit): &(BackendId, Edit)| Change {
            port: edit.port.map(port),
            weight: edit.weight.and_then(weight),
            enabled: edit.enabled,
            standby: edit.standby,
            ..Change::of(BackendRef::Id(id.clone()))
        };
        writeln!(self.log, "  {meant:?}").unwrap();
        let changes = meant.iter().map(change).collect();
        let told = self.ask(Operation::UpdateBackends(UpdateBackends { scope: ulb(), changes })).await;
        // Of a list over several groups, those of a group that the target fails are told of one by one and stay as they are.
        let failed = |place: usize| match &told {
            Ok(Outcome::Updated(told)) => told[place].refusal.as_ref().map(|refusal| refusal.kind),
            Ok(_) | Err(_) => None,
        };
        let failed: Vec<Option<FaultKind>> =
            (0..meant.len()).map(failed).map(|kind| kind.filter(|kind| UPSETS.contains(kind))).collect();
        let numbered = meant.iter().zip(failed);
        let wanted: Vec<_> = numbered
            .map(|((id, edit), failed)| failed.map_or_else(|| self.ulb.update(id, edit), Err))
            .collect();
        if let [Err(kind)] = wanted.as_slice() {
            return match told {
                Err(fault) if fault.kind == FaultKind::UnknownGroup => Ok(()),
                told => self.refused(told, *kind),
            };
        }
        let Outcome::Updated(told) = self.fine(told)? else { return self.fail("an update") };
        let refusal = |updated: &Updated| updated.refusal.as_ref().map_or(Ok(()), |why| Err(why.kind));
        self.same(&told.iter().map(refusal).collect(), &wanted, "what became of each")
    }

    async fn create(&mut self, name: &str) -> Result<(), TestCaseError> {
        let front = 8000 + u32::try_from(self.ulb.groups.len()).unwrap();
        let sent = Operation::CreateGroup(CreateGroup {
            load_balancer: balancer(ULB),
            name: Some(name.to_owned()),
            listener: Some(Listener { protocol: Protocol::Tcp, port: port(front) }),
            options: Vec::new(),
            backends: Vec::new(),
        });
        let told = self.ask(sent).await;
        let Outcome::Created(made) = self.fine(told)? else { return self.fail("a creation") };
        let id = made.id.group;
        prop_assert!(self.ulb.groups.iter().all(|known| known.id != id), "{id} is another group's");
        let name = name.to_owned();
        self.ulb.groups.push(Vserver { id, name, is_there: true, front: Some(front), entries: Vec::new() });
        Ok(())
    }

    async fn list(&mut self) -> Result<(), TestCaseError> {
        let list =
            ListGroups { load_balancer: balancer(ULB), page: Page::FIRST, listeners: true, members: true };
        let told = self.ask(Operation::ListGroups(list)).await;
        let Outcome::Groups(groups, total) = self.fine(told)? else { return self.fail("a list") };
        let told: Vec<_> = groups.iter().map(|group| &group.id.group).collect();
        let there: Vec<_> = self.ulb.groups.iter().filter(|group| group.is_there).collect();
        self.same(&told, &there.iter().map(|group| &group.id).collect(), "the list")?;
        self.same(&total, &there.len(), "how many there are")?;
        groups.iter().zip(there).try_for_each(|(told, known)| self.same_group(told, known))
    }

    async fn check(&self, group: usize) -> Result<(), TestCaseError> {
        let known = &self.ulb.groups[group];
        let told = self.stage.describe(vserver(known.id.as_str())).await;
        if !known.is_there {
            return self.refused(told.map(Outcome::Group), FaultKind::UnknownGroup);
        }
        self.same_group(&self.fine(told)?, known)?;
        self.same_target(known)
    }

    fn same_group(&self, told: &Group, known: &Vserver) -> Result<(), TestCaseError> {
        self.same(&told.id.group, &known.id, "the id")?;
        let mut lines: Vec<String> = told.members.iter().map(told_of).collect();
        let mut wanted: Vec<String> = known.entries.iter().map(Entry::told).collect();
        if !self.at_once {
            lines.sort();
            wanted.sort();
        }
        self.same(&lines, &wanted, "the group")?;
        self.same(&told.count, &wanted.len(), "how many it holds")?;
        self.same(&told.name.as_deref(), &Some(known.name.as_str()), "the name")?;
        if let Some(front) = known.front {
            let fronts: Vec<u32> = told.listeners.iter().map(|listener| listener.port.get().into()).collect();
            self.same(&fronts, &vec![front], "the port that it was made with")?;
        }
        Ok(())
    }

    fn same_target(&self, known: &Vserver) -> Result<(), TestCaseError> {
        let wanted: Vec<String> = known.entries.iter().map(Entry::held).collect();
        let groups = self.stage.wire.balancer.groups();
        let held = |group: &Group| -> Vec<String> {
            group.members.iter().map(|member| held_of(&member.backend)).collect()
        };
        let own = match known.id.as_str() {
            VSERVER => Some(RSP),
            VSERVER2 => Some(RSP2),
            _ => None,
        };
        if let Some(own) = own {
            let group = groups.iter().find(|group| group.id.group.as_str() == own).unwrap();
            return self.same(&held(group), &wanted, "the target");
        }
        let fits = groups.iter().any(|group| held(group) == wanted);
        prop_assert!(fits, "no group of the target holds {wanted:?}\n{}", self.log);
        Ok(())
    }

    fn id(&self, group: usize) -> &str {
        self.ulb.groups[group].id.as_str()
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

fn told_of(member: &Member) -> String {
    let Member { backend, id, health: _, also: _ } = member;
    let (enabled, weight) = match backend.traffic {
        Traffic::On(weight) => (true, Some(weight)),
        Traffic::Off(weight) => (false, weight),
    };
    let id = id.as_ref().map(ToString::to_string).unwrap_or_default();
    // What is not known is told as the lowest.
    let weight = weight.map_or(1, Weight::get);
    let Backend { target, port, standby, .. } = backend;
    format!("{id} {target}:{port} weight {weight} enabled {enabled} standby {standby}")
}

fn held_of(backend: &Backend) -> String {
    let weight = match backend.traffic {
        Traffic::On(weight) => weight.get(),
        Traffic::Off(_) => 0,
    };
    format!("{}:{} weight {weight}", backend.target, backend.port)
}

/// Steps, each after a while.
pub(super) fn run(stage: Stage, at_once: bool, steps: &[(u64, Step)]) -> Result<(), TestCaseError> {
    in_virtual_time(async {
        let mut run = Run { ulb: Ulb::new(), stage, at_once, upset: None, log: String::new() };
        for (pause, step) in steps {
            sleep(Duration::from_millis(*pause)).await;
            write!(run.log, "after {pause} ms ").unwrap();
            let before = run.ulb.clone();
            let taken = run.take(step).await;
            let unspeakable = run.stage.unspeakable();
            prop_assert!(unspeakable.is_empty(), "no such call: {unspeakable:?}\n{}", run.log);
            match run.upset.take() {
                Some(fault) => {
                    writeln!(run.log, "  failed: {fault}").unwrap();
                    if fault.contains("could NOT") || fault.contains("were left there") {
                        return Ok(());
                    }
                    run.ulb = before;
                }
                None => taken?,
            }
            for group in 0..run.ulb.groups.len() {
                run.check(group).await?;
            }
        }
        sleep(Duration::from_secs(30)).await;
        run.at_once = true;
        run.log += "at the end";
        for group in 0..run.ulb.groups.len() {
            run.check(group).await?;
        }
        run.list().await
    })
}
