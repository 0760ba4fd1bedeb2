//! A store that forgets with the process.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::{BoxFuture, ready};
use jiff::Timestamp;

use super::{
    Entry, GroupKey, Intention, Keepsake, Remembered, RememberedGroup, RequestDigest, Store, Unavailable,
    Write, forgotten::Forgotten, nonces::Nonces,
};

/// A store in the memory of this process.
#[derive(Debug, Default)]
pub struct Memory {
    tables: Mutex<Tables>,
}

#[derive(Debug, Default)]
struct Tables {
    nonces: Nonces,
    backends: BTreeMap<Entry, Remembered>,
    groups: BTreeMap<GroupKey, RememberedGroup>,
    journal: Vec<Intention>,
    answers: Answers,
}

/// Answers, which are told apart from those before them by their number.
#[derive(Debug, Default)]
struct Answers {
    told: HashMap<RequestDigest, Answered>,
    /// In the order in which they were told, and so may be dropped.
    order: VecDeque<(u64, RequestDigest)>,
    count: u64,
    /// When none of them counts any more.
    latest: Option<Timestamp>,
    forgotten: Forgotten,
}

#[derive(Debug)]
struct Answered {
    number: u64,
    group: Option<GroupKey>,
    until: Timestamp,
    answer: String,
}

impl Memory {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// As [`Store::first_use`].
    #[must_use]
    pub fn is_first_use(&self, key_id: &str, nonce: &str, now: Timestamp, keep: Duration) -> bool {
        self.tables().nonces.first_use(key_id, nonce, now, keep)
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for Memory {
    fn is_shared(&self) -> bool {
        false
    }

    fn trouble(&self) -> Option<String> {
        None
    }

    fn tend(&self, now: Timestamp) -> BoxFuture<'_, ()> {
        self.tables().answers.tidy(now);
        Box::pin(ready(()))
    }

    fn first_use<'a>(
        &'a self,
        key_id: &'a str,
        nonce: &'a str,
        now: Timestamp,
        keep: Duration,
    ) -> BoxFuture<'a, Result<bool, Unavailable>> {
        Box::pin(ready(Ok(self.is_first_use(key_id, nonce, now, keep))))
    }

    fn kept<'a>(&'a self, group: Option<&'a GroupKey>) -> BoxFuture<'a, Result<Vec<Keepsake>, Unavailable>> {
        let wanted = |key: &GroupKey| group.is_none_or(|group| group == key);
        let tables = self.tables();
        let backends = tables.backends.iter().filter(|(entry, _)| wanted(&entry.group));
        let backends =
            backends.map(|(entry, remembered)| Keepsake::Backend(entry.clone(), remembered.clone()));
        let groups = tables.groups.iter().filter(|(group, _)| wanted(group));
        let groups = groups.map(|(group, remembered)| Keepsake::Group(group.clone(), remembered.clone()));
        Box::pin(ready(Ok(groups.chain(backends).collect())))
    }

    fn unfinished<'a>(
        &'a self,
        group: Option<&'a GroupKey>,
    ) -> BoxFuture<'a, Result<Vec<Intention>, Unavailable>> {
        let tables = self.tables();
        let wanted = |known: &&Intention| group.is_none_or(|group| known.lane == *group);
        Box::pin(ready(Ok(tables.journal.iter().filter(wanted).cloned().collect())))
    }

    fn answer<'a>(
        &'a self,
        request: &'a RequestDigest,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<String>, Unavailable>> {
        let tables = self.tables();
        Box::pin(ready(Ok(tables.answers.answer(request, now).cloned())))
    }

    fn write(&self, writes: Vec<Write>) -> BoxFuture<'_, Result<(), Unavailable>> {
        let mut tables = self.tables();
        for write in writes {
            tables.write(write);
        }
        Box::pin(ready(Ok(())))
    }

    fn hold<'a>(&'a self, _lane: &'a GroupKey, _alone: bool) -> BoxFuture<'a, Result<bool, Unavailable>> {
        Box::pin(ready(Ok(true)))
    }

    fn release<'a>(&'a self, _lane: &'a GroupKey, _alone: bool) -> BoxFuture<'a, ()> {
        Box::pin(ready(()))
    }
}

impl Tables {
    fn write(&mut self, write: Write) {
        match write {
            Write::Keep(keepsake) => self.keep(keepsake),
            Write::ForgetGroup(group) => {
                self.groups.remove(&group);
                self.backends.retain(|entry, _| entry.group != group);
            }
            Write::Begun(intention) => {
                self.journal.retain(|known| known.id != intention.id);
                self.journal.push(intention);
            }
            Write::Ended(id) => self.journal.retain(|known| known.id != id),
            Write::Answered { request, group, until, answer } => {
                self.answers.record(request, group, until, answer);
            }
            Write::ForgetAnswers(group) => self.answers.forget(group),
            Write::ForgetAnswersOf(cloud) => self.answers.forget_target(cloud),
        }
    }

    fn keep(&mut self, keepsake: Keepsake) {
        let empty = keepsake.is_empty();
        match keepsake {
            Keepsake::Backend(entry, _) if empty => drop(self.backends.remove(&entry)),
            Keepsake::Backend(entry, remembered) => drop(self.backends.insert(entry, remembered)),
            Keepsake::Group(group, _) if empty => drop(self.groups.remove(&group)),
            Keepsake::Group(group, remembered) => drop(self.groups.insert(group, remembered)),
        }
    }
}

impl Answers {
    fn record(&mut self, request: RequestDigest, group: Option<GroupKey>, until: Timestamp, answer: String) {
        let number = self.count;
        self.count += 1;
        self.latest = self.latest.max(Some(until));
        self.told.insert(request, Answered { number, group, until, answer });
        self.order.push_back((number, request));
    }

    fn answer(&self, request: &RequestDigest, now: Timestamp) -> Option<&String> {
        let told = self.told.get(request).filter(|told| told.until > now);
        let told = told.filter(|told| !self.forgotten.is_void(told.group.as_ref(), told.number));
        told.map(|told| &told.answer)
    }

    fn forget(&mut self, group: GroupKey) {
        if let Some(until) = self.latest {
            self.forgotten.forget(group, self.count, until);
        }
    }

    fn forget_target(&mut self, cloud: String) {
        if let Some(until) = self.latest {
            self.forgotten.forget_target(cloud, self.count, until);
        }
    }

    /// Drops what is out of date, up to the first that is not.
    fn tidy(&mut self, now: Timestamp) {
        while let Some((number, request)) = self.order.pop_front_if(|(number, request)| {
            self.told.get(request).is_none_or(|told| told.number != *number || told.until <= now)
        }) {
            if self.told.get(&request).is_some_and(|told| told.number == number) {
                self.told.remove(&request);
            }
        }
        self.latest.take_if(|latest| *latest <= now);
        self.forgotten.tidy(now);
    }
}
