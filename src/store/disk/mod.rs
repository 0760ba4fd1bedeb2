//! A store in files of one process's own.
//!
//! The journal and what is kept are in SQLite: they have to outlive a loss of power, and what belongs together is written
//! together. A nonce comes with every request, an answer with every add of one cloud: they have to outlive the process alone,
//! and go past SQLite into files beside it, at a few system calls in place of a transaction on another thread. Nothing of
//! them is held in memory.
//!
//! Those calls wait for the page cache and not for the disk, which takes microseconds: they are made on the threads of the
//! runtime.

mod answers;
mod index;
mod record;
mod series;
#[cfg(test)]
mod tests;

use std::{
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::sync::OnceCell;

use self::{answers::Answers, index::Index, series::Series};
use super::{
    GroupKey, Intention, Keepsake, RequestDigest, Sql, Store, Unavailable, Write,
    nonces::{digest, until},
};

/// A store in a SQLite file and in files beside it.
#[derive(Debug)]
pub struct Disk {
    path: PathBuf,
    nonces: Part<Index<0>>,
    answers: Part<Answers>,
    /// Why the files cannot be used.
    trouble: Mutex<Option<Unavailable>>,
    /// When the last nonce that an earlier version has left in SQLite is out of date, once that is known.
    nonces_before: OnceCell<i64>,
    /// When the last answer that SQLite may have is out of date: those that were written together with something else.
    answers_in_sql: AtomicI64,
    /// Behind the files: it has the lock that makes them this process's.
    sql: Sql,
}

/// Files that are open, or were in trouble when they were used last.
#[derive(Debug)]
struct Part<T>(Mutex<Option<T>>);

impl Disk {
    /// A store in this file and beside it. It is opened, and made if there is none, by [`Store::tend`].
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            nonces: Part(Mutex::new(None)),
            answers: Part(Mutex::new(None)),
            trouble: Mutex::new(Some(Unavailable("it has not been opened yet".to_owned()))),
            nonces_before: OnceCell::new(),
            answers_in_sql: AtomicI64::new(i64::MIN),
            sql: Sql::in_file(path),
        }
    }

    fn state(&self) -> MutexGuard<'_, Option<Unavailable>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does `work` with open files. After a failure they are closed, and opened anew by the next look: whatever was half
    /// done is read as it is on the disk.
    fn with<T, R>(
        &self,
        part: &Part<T>,
        work: impl FnOnce(&mut T) -> Result<R, Unavailable>,
    ) -> Result<R, Unavailable> {
        let mut part = part.lock();
        let Some(open) = part.as_mut() else {
            let why = self.state().clone();
            return Err(why.unwrap_or_else(|| Unavailable("it is not open".to_owned())));
        };
        work(open).inspect_err(|why| {
            *part = None;
            *self.state() = Some(why.clone());
        })
    }

    async fn look(&self, now: Timestamp) -> Result<(), Unavailable> {
        if !self.sql.is_open() {
            // Nor are the files this process's.
            return self.sql.trouble().map_or(Ok(()), |trouble| Err(Unavailable(trouble)));
        }
        let before = || async {
            let (nonces, answers) = self.sql.last_of_all().await?;
            self.answers_in_sql.fetch_max(answers, Ordering::Relaxed);
            Ok(nonces)
        };
        self.nonces_before.get_or_try_init(before).await?;
        self.nonces.open(|| Index::open(Series::beside(&self.path, "nonces")))?;
        self.answers.open(|| Answers::open(&self.path))?;
        self.with(&self.nonces, |nonces| nonces.forget(now))?;
        self.with(&self.answers, |answers| answers.tidy(now))
    }

    async fn keep_nonce(
        &self,
        digest: &[u8; 32],
        now: Timestamp,
        keep: Duration,
    ) -> Result<bool, Unavailable> {
        let before = self.nonces_before.get().is_some_and(|last| *last >= now.as_millisecond());
        if before && self.sql.has_nonce(digest, now).await? {
            return Ok(false);
        }
        self.with(&self.nonces, |nonces| nonces.put_first(digest, until(now, keep), [], now))
    }

    async fn told(&self, request: &RequestDigest, now: Timestamp) -> Result<Option<String>, Unavailable> {
        let told = self.with(&self.answers, |answers| answers.answer(request, now))?;
        if told.is_some() || self.answers_in_sql.load(Ordering::Relaxed) <= now.as_millisecond() {
            return Ok(told);
        }
        self.sql.answer(request, now).await
    }

    /// One answer goes into the log. What is written together goes into SQLite together, answers too; only what is void is
    /// told to both, since that too much is void does no harm: a repeat is carried out.
    async fn put(&self, mut writes: Vec<Write>) -> Result<(), Unavailable> {
        if let [Write::Answered { .. }] = writes.as_slice()
            && let Some(Write::Answered { request, group, until, answer }) = writes.pop()
        {
            return self.with(&self.answers, |answers| answers.record(request, group, until, answer));
        }
        let mut is_for_sql = false;
        for write in &writes {
            match write {
                Write::ForgetAnswers(group) => self.with(&self.answers, |answers| answers.forget(group))?,
                Write::ForgetAnswersOf(cloud) => {
                    self.with(&self.answers, |answers| answers.forget_target(cloud))?;
                }
                Write::Answered { until, .. } => {
                    self.answers_in_sql.fetch_max(until.as_millisecond(), Ordering::Relaxed);
                    is_for_sql = true;
                }
                Write::Keep(_) | Write::ForgetGroup(_) | Write::Begun(_) | Write::Ended(_) => {
                    is_for_sql = true;
                }
            }
        }
        if is_for_sql || self.answers_in_sql.load(Ordering::Relaxed) > i64::MIN {
            return self.sql.write(writes).await;
        }
        Ok(())
    }
}

impl<T> Part<T> {
    fn lock(&self) -> MutexGuard<'_, Option<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens it where it is not open.
    fn open(&self, open: impl FnOnce() -> Result<T, Unavailable>) -> Result<(), Unavailable> {
        let mut part = self.lock();
        if part.is_none() {
            *part = Some(open()?);
        }
        Ok(())
    }
}

impl Store for Disk {
    fn is_shared(&self) -> bool {
        false
    }

    fn trouble(&self) -> Option<String> {
        self.sql.trouble().or_else(|| self.state().as_ref().map(|why| why.0.clone()))
    }

    fn tend(&self, now: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let answered = self.answers_in_sql.load(Ordering::Relaxed);
            self.sql.tend(now).await;
            if answered <= now.as_millisecond() && self.sql.trouble().is_none() {
                // It has dropped them all, unless one was written meanwhile.
                let none = (i64::MIN, Ordering::Relaxed);
                let _other = self.answers_in_sql.compare_exchange(answered, none.0, none.1, none.1);
            }
            let trouble = self.look(now).await.err();
            *self.state() = trouble;
        })
    }

    fn first_use<'a>(
        &'a self,
        key_id: &'a str,
        nonce: &'a str,
        now: Timestamp,
        keep: Duration,
    ) -> BoxFuture<'a, Result<bool, Unavailable>> {
        Box::pin(async move { self.keep_nonce(&digest(key_id, nonce), now, keep).await })
    }

    fn kept<'a>(&'a self, group: Option<&'a GroupKey>) -> BoxFuture<'a, Result<Vec<Keepsake>, Unavailable>> {
        self.sql.kept(group)
    }

    fn unfinished<'a>(
        &'a self,
        group: Option<&'a GroupKey>,
    ) -> BoxFuture<'a, Result<Vec<Intention>, Unavailable>> {
        self.sql.unfinished(group)
    }

    fn answer<'a>(
        &'a self,
        request: &'a RequestDigest,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<String>, Unavailable>> {
        Box::pin(self.told(request, now))
    }

    fn write(&self, writes: Vec<Write>) -> BoxFuture<'_, Result<(), Unavailable>> {
        Box::pin(self.put(writes))
    }

    fn hold<'a>(&'a self, lane: &'a GroupKey, alone: bool) -> BoxFuture<'a, Result<bool, Unavailable>> {
        self.sql.hold(lane, alone)
    }

    fn release<'a>(&'a self, lane: &'a GroupKey, alone: bool) -> BoxFuture<'a, ()> {
        self.sql.release(lane, alone)
    }
}
