//! Lanes that are held across replicas: advisory locks of one session.
//!
//! A session may hold as many as it likes; it is asked and never waits, so that one connection serves all. When it breaks,
//! the server has given everything back. A new session takes again what this process still works in before it takes
//! anything else, and leaves the other replicas the time to do the same.

use std::{collections::HashMap, io, sync::Arc, time::Duration};

use sqlx::{AnyConnection, Connection, Error, Executor, Row, query};
use tokio::{
    runtime::Handle,
    sync::{Mutex, oneshot},
    time::{Instant, timeout},
};
use tracing::warn;

use super::WITHIN;
use crate::{
    crypto::{Secret, sha256},
    store::GroupKey,
};

/// How long nothing new is taken after a break: a replica looks after its session every second, and a look at a server
/// that is coming back takes up to two.
const TRUCE: Duration = Duration::from_secs(3);

/// How long a replica may take one lane again and again, and for how long it then leaves it to others: longer than the
/// longest pause between their questions.
const SPELL: (Duration, Duration) = (Duration::from_millis(500), Duration::from_millis(100));

/// A replica whose machine is gone holds its lanes for no longer than these seconds together.
const KEEP_ALIVE: &str =
    "SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 3; SET tcp_keepalives_count = 3";

/// The session that holds a process's lanes.
#[derive(Debug, Default)]
pub(super) struct Session {
    line: Arc<Mutex<Line>>,
}

#[derive(Debug, Default)]
struct Line {
    connection: Option<AnyConnection>,
    /// What this process holds, whether the server knows or not.
    held: HashMap<Lock, Grip>,
    /// What it holds alone, or did a moment ago.
    spells: HashMap<Lock, Spell>,
    /// Whether there was a session before.
    was_open: bool,
    /// Until when the other replicas may take again what is theirs.
    truce: Option<Instant>,
}

/// What PostgreSQL knows a lane by, and how it is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Lock {
    number: i64,
    alone: bool,
}

#[derive(Debug)]
struct Grip {
    count: usize,
    /// Whether it went with an earlier session and is not taken again yet.
    lost: bool,
}

/// A time in which one lane was this process's without a rest.
#[derive(Debug)]
struct Spell {
    began: Instant,
    ended: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
enum Wish {
    Look,
    Take(Lock),
    GiveBack(Lock),
}

/// A lock on its way to who asked for it: it goes back where nobody waits for it any more.
struct Granted {
    session: Session,
    lock: Option<Lock>,
}

impl Session {
    /// Looks whether there is a session, and takes again what an earlier one held.
    pub(super) async fn look(&self, url: &Secret) -> Result<(), Error> {
        self.ask(url, Wish::Look).await.map(drop)
    }

    pub(super) async fn hold(&self, url: &Secret, lane: &GroupKey, alone: bool) -> Result<bool, Error> {
        self.ask(url, Wish::Take(Lock::of(lane, alone))).await
    }

    pub(super) async fn release(&self, url: &Secret, lane: &GroupKey, alone: bool) -> Result<(), Error> {
        self.ask(url, Wish::GiveBack(Lock::of(lane, alone))).await.map(drop)
    }

    /// Asks in a task of its own: a question that is given up half way would take the session and all its lanes along.
    async fn ask(&self, url: &Secret, wish: Wish) -> Result<bool, Error> {
        let (session, url) = (Self { line: Arc::clone(&self.line) }, url.clone());
        let (tell, told) = oneshot::channel();
        tokio::spawn(async move {
            let granted = session.line.lock().await.grant(&url, wish).await;
            let lock = match wish {
                Wish::Take(lock) => Some(lock).filter(|_| matches!(granted, Ok(true))),
                Wish::Look | Wish::GiveBack(_) => None,
            };
            drop(tell.send((granted, Granted { session, lock })));
        });
        let (granted, mut lent) = told.await.map_err(|_| Error::WorkerCrashed)?;
        lent.lock = None;
        granted
    }
}

impl Drop for Granted {
    fn drop(&mut self) {
        if let (Some(lock), Ok(runtime)) = (self.lock, Handle::try_current()) {
            let line = Arc::clone(&self.session.line);
            runtime.spawn(async move { line.lock().await.give_back(lock).await });
        }
    }
}

impl Line {
    async fn grant(&mut self, url: &Secret, wish: Wish) -> Result<bool, Error> {
        let was_open = self.connection.is_some();
        match self.grant_now(url, wish).await {
            // It broke since it was used last: a new one can do as well.
            Err(_) if was_open => self.grant_now(url, wish).await,
            granted => granted,
        }
    }

    async fn grant_now(&mut self, url: &Secret, wish: Wish) -> Result<bool, Error> {
        let work = async {
            match wish {
                Wish::Look => self.look(url).await,
                Wish::Take(lock) => self.take(url, lock).await,
                Wish::GiveBack(lock) => self.give_back(lock).await,
            }
        };
        let granted = timeout(WITHIN / 2, work).await.unwrap_or_else(|_| Err(silent()));
        if granted.is_err() {
            self.connection = None;
        }
        granted
    }

    async fn look(&mut self, url: &Secret) -> Result<bool, Error> {
        self.open(url).await?;
        self.told("SELECT $1 = 0 AS held", 0).await
    }

    async fn take(&mut self, url: &Secret, lock: Lock) -> Result<bool, Error> {
        self.open(url).await?;
        let in_truce = self.truce.is_some_and(|until| Instant::now() < until);
        if in_truce || self.is_others_turn(lock) {
            return Ok(false);
        }
        if let Some(grip) = self.held.get_mut(&lock) {
            grip.count += usize::from(!grip.lost);
            return Ok(!grip.lost);
        }
        let granted = self.told(lock.asking(), lock.number).await?;
        if granted {
            self.held.insert(lock, Grip { count: 1, lost: false });
            self.begin_spell(lock);
        }
        Ok(granted)
    }

    /// Others only ask now and then: whoever has just let go would be first each time.
    fn is_others_turn(&mut self, lock: Lock) -> bool {
        let (longest, rest) = SPELL;
        self.spells.retain(|_, spell| spell.ended.is_none_or(|ended| ended.elapsed() < rest));
        self.spells.get(&lock).is_some_and(|spell| spell.began.elapsed() > longest)
    }

    fn begin_spell(&mut self, lock: Lock) {
        if lock.alone {
            let began = Instant::now();
            self.spells.entry(lock).or_insert(Spell { began, ended: None }).ended = None;
        }
    }

    /// What cannot be given back is lost with the session, and so given back.
    async fn give_back(&mut self, lock: Lock) -> Result<bool, Error> {
        let Some(grip) = self.held.get_mut(&lock) else { return Ok(false) };
        grip.count = grip.count.saturating_sub(1);
        if grip.count > 0 {
            return Ok(true);
        }
        self.held.remove(&lock);
        if let Some(spell) = self.spells.get_mut(&lock) {
            spell.ended = Some(Instant::now());
        }
        if self.connection.is_none() { Ok(true) } else { self.told(lock.giving(), lock.number).await }
    }

    async fn open(&mut self, url: &Secret) -> Result<(), Error> {
        if self.connection.is_none() {
            let mut connection = AnyConnection::connect(url.expose()).await?;
            connection.execute(KEEP_ALIVE).await?;
            self.connection = Some(connection);
            self.truce = self.was_open.then(|| Instant::now() + TRUCE);
            self.was_open = true;
            for grip in self.held.values_mut() {
                grip.lost = true;
            }
        }
        let lost: Vec<Lock> = self.held.iter().filter(|(_, grip)| grip.lost).map(|(lock, _)| *lock).collect();
        for lock in lost {
            let taken = self.told(lock.asking(), lock.number).await?;
            if let Some(grip) = self.held.get_mut(&lock) {
                grip.lost = !taken;
            }
            if !taken {
                warn!("a group that is being changed was let go by the store, and is not held again yet");
            }
        }
        Ok(())
    }

    async fn told(&mut self, question: &'static str, number: i64) -> Result<bool, Error> {
        let connection = self.connection.as_mut().ok_or(Error::PoolClosed)?;
        query(question).bind(number).fetch_one(connection).await?.try_get("held")
    }
}

/// As a connection that is over fails, so that its cause can be told.
fn silent() -> Error {
    Error::Io(io::Error::new(io::ErrorKind::TimedOut, "it does not answer"))
}

impl Lock {
    fn of(lane: &GroupKey, alone: bool) -> Self {
        let digest = sha256(format!("weighbridge lane\n{}\n{}", lane.cloud, lane.group).as_bytes());
        Self { number: digest.first_chunk().copied().map_or(0, i64::from_be_bytes), alone }
    }

    const fn asking(self) -> &'static str {
        if self.alone {
            "SELECT pg_try_advisory_lock($1) AS held"
        } else {
            "SELECT pg_try_advisory_lock_shared($1) AS held"
        }
    }

    const fn giving(self) -> &'static str {
        if self.alone {
            "SELECT pg_advisory_unlock($1) AS held"
        } else {
            "SELECT pg_advisory_unlock_shared($1) AS held"
        }
    }
}
