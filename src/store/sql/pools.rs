//! Opens a database.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
    time::Duration,
};

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use sqlx::{AnyConnection, AnyPool, Connection, Error, Executor, any::AnyPoolOptions, migrate::Migrator};
use tokio::{select, sync::mpsc, time::timeout};

use super::{Place, WITHIN};
use crate::store::Unavailable;

/// Run when a store is opened; PostgreSQL's own lock keeps replicas that start together apart.
static MIGRATIONS: Migrator = sqlx::migrate!("src/store/sql/migrations");

/// How long a connection may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);

/// How long the only connection to a file may be in use by others. Longer than one of them waits for a lock; and with a wait for
/// a lock after it far from [`WITHIN`], so that what is told of a locked file is that it is locked, on a slow machine too.
const FREE_WITHIN: Duration = Duration::from_secs(2);

/// Connections to PostgreSQL in each pool. A replica has at most twice as many, and one more for its lanes.
const CONNECTIONS: u32 = 8;

/// What has a meaning in a URL and none in a path.
const UNSAFE: &AsciiSet = &CONTROLS.add(b' ').add(b'%').add(b'?').add(b'#');

/// What every connection to a file begins with. It waits for a lock of another program's for a second, by SQLite's count of its own
/// sleeps: where threads wake late they add up to more.
macro_rules! begin {
    () => {
        "PRAGMA busy_timeout = 1000; PRAGMA journal_mode = WAL; "
    };
}

/// Connections to one database.
#[derive(Debug)]
pub(super) struct Pools {
    /// What is written here outlives a loss of power.
    pub(super) sure: AnyPool,
    /// What is written here outlives the process, and costs no wait for the disk where the database has such a way.
    pub(super) quick: AnyPool,
    /// Of a file: held while it is open, so that no second process takes it for its own.
    _lock: Option<File>,
}

impl Pools {
    /// Opens the database and brings its schema up to date.
    pub(super) async fn open(place: &Place) -> Result<Self, Unavailable> {
        let pools = match place {
            Place::File(path) => Self::in_file(path).await,
            Place::Server(url) => Self::at_server(url.expose()).await,
        }?;
        let migrated = timeout(WITHIN, MIGRATIONS.run(&pools.sure)).await;
        let migrated = migrated.map_err(|_| Unavailable("its schema is not up to date yet".to_owned()))?;
        migrated.map_err(|error| Unavailable(error.to_string()))?;
        Ok(pools)
    }

    async fn in_file(path: &Path) -> Result<Self, Unavailable> {
        let lock = Some(locked(path)?);
        let url = format!("sqlite://{}?mode=rwc", utf8_percent_encode(&path.to_string_lossy(), UNSAFE));
        // One writer at a time is all that SQLite has. What needs no wait for the disk, and comes often, is in files beside it.
        let options = AnyPoolOptions::new().max_connections(1).test_before_acquire(false);
        let options = options.acquire_timeout(FREE_WITHIN);
        let sure = pool(options, &url, concat!(begin!(), "PRAGMA synchronous = FULL")).await?;
        Ok(Self { quick: sure.clone(), sure, _lock: lock })
    }

    async fn at_server(url: &str) -> Result<Self, Unavailable> {
        let options = || AnyPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(CONNECT_WITHIN);
        // A pool only tires of asking a server. One connection of its own tells why.
        let trial = timeout(WITHIN, AnyConnection::connect(url)).await;
        let trial = trial.map_err(|_| Unavailable("it does not answer".to_owned()))?;
        drop(trial.map_err(|error| Unavailable(why(&error)))?);
        let sure = pool(options(), url, "SET synchronous_commit = on").await?;
        let quick = pool(options(), url, "SET synchronous_commit = off").await?;
        Ok(Self { sure, quick, _lock: None })
    }
}

/// A pool whose connections begin with `begin`. What the first that cannot says is told: the pool itself would go on trying.
async fn pool(options: AnyPoolOptions, url: &str, begin: &'static str) -> Result<AnyPool, Unavailable> {
    let (say, mut said) = mpsc::unbounded_channel();
    let options = options.idle_timeout(None).max_lifetime(None).after_connect(move |connection, _| {
        let say = say.clone();
        Box::pin(async move {
            let outcome = connection.execute(begin).await.map(drop);
            // Nobody listens once the pool is there.
            outcome.inspect_err(|error| drop(say.send(why(error))))
        })
    });
    select! {
        pool = options.connect(url) => pool.map_err(|error| Unavailable(why(&error))),
        Some(why) = said.recv() => Err(Unavailable(why)),
    }
}

/// What is told of a failure. Of an address that cannot be read nothing is repeated: any part of it may be the password.
pub(super) fn why(error: &Error) -> String {
    if matches!(error, Error::Configuration(_)) {
        return "its address cannot be read; write postgres://USER:PASSWORD@HOST:PORT/NAME".to_owned();
    }
    error.to_string()
}

/// Whether another process has this file.
pub(in crate::store) fn is_in_use(path: &Path) -> bool {
    let lock = File::open(lock_of(path)).map(|lock| lock.try_lock());
    matches!(lock, Ok(Err(TryLockError::WouldBlock)))
}

fn lock_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

fn locked(path: &Path) -> Result<File, Unavailable> {
    let name = lock_of(path);
    let said = |error: std::io::Error| Unavailable(format!("`{}`: {error}", name.display()));
    let file = OpenOptions::new().create(true).append(true).open(&name).map_err(said)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let what = "another process uses it; several replicas need `store = \"postgres://…\"`";
            Err(Unavailable(format!("`{}`: {what}", path.display())))
        }
        Err(TryLockError::Error(error)) => Err(said(error)),
    }
}
