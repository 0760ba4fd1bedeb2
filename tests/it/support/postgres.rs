//! Real PostgreSQL servers, from a Python package that carries the server's own programs.
//!
//! `tests/postgres/keep.py` starts and stops a server, and takes it down when this process has gone, however it went.

use std::{
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::Value;

use super::{
    fixture,
    install::{self, are_skipped, or_fail},
    program::{Dialogue, Ended, announce, run},
};

/// A server with data of its own. Dropping it stops it and removes the data.
pub struct Postgres {
    keeper: Keeper,
    programs: PathBuf,
    /// Everything of a URL but the name of the database.
    url: String,
    databases: AtomicUsize,
}

/// A database that nobody else has, empty at first.
#[derive(Debug, Clone)]
pub struct Database {
    url: String,
    psql: PathBuf,
}

/// The keeper itself gives up on a server after a minute a step.
const PATIENCE: Duration = Duration::from_mins(3);

impl Postgres {
    /// The server that the tests of this process share; none when they are skipped, which is announced.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        wanted().then(|| SHARED.get_or_init(Self::open))
    }

    /// One for a test that stops it; none when it is skipped, which is announced.
    pub fn own() -> Option<Self> {
        wanted().then(Self::open)
    }

    fn open() -> Self {
        let mut keeper = Keeper::new();
        let told = keeper.ask("start");
        let (programs, password) = (told["programs"].as_str().unwrap(), told["password"].as_str().unwrap());
        Self {
            programs: programs.into(),
            url: format!("postgres://postgres:{password}@127.0.0.1:{}", told["port"]),
            databases: AtomicUsize::new(0),
            keeper,
        }
    }

    /// A new database.
    pub fn database(&self) -> Database {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        // Others can be connected to the usual template, and then it cannot be copied.
        self.named("postgres").query(&format!("create database {name} template template0"));
        self.named(&name)
    }

    fn named(&self, name: &str) -> Database {
        Database { url: format!("{}/{name}", self.url), psql: self.programs.join("psql") }
    }

    /// Ends every connection and refuses new ones.
    pub fn stop(&mut self) {
        self.keeper.ask("stop");
    }

    /// Starts it again after a stop, on the same port and with the same data.
    pub fn start(&mut self) {
        self.keeper.ask("start");
    }
}

impl Database {
    /// Its address, with name and password.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What it answers to statements: a line a row, with `|` between the columns.
    pub fn query(&self, statements: &str) -> String {
        let Ended { code, out, err } = self.psql(statements);
        assert_eq!(code, Some(0), "{statements}\n{err}");
        out.trim_end().to_owned()
    }

    /// Runs statements with the server's own client.
    pub fn psql(&self, statements: &str) -> Ended {
        let mut psql = Command::new(&self.psql);
        // Nothing of what the user has set for his own servers.
        psql.env_clear().args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only"]);
        run(psql.args(["--set=ON_ERROR_STOP=1", "--dbname", &self.url]), statements, PATIENCE)
    }
}

/// Whether tests with a server are to run.
fn wanted() -> bool {
    if are_skipped() {
        announce("skipped: a test of PostgreSQL, because WEIGHBRIDGE_SKIP_SDK=1 is set");
    }
    !are_skipped()
}

/// The interpreter that has the package.
fn python() -> &'static Path {
    static PYTHON: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let made = PYTHON.get_or_init(|| install::python("postgres/requirements.txt", "a PostgreSQL server"));
    or_fail(made, "These tests need a PostgreSQL server.").as_path()
}

/// The program that keeps a server. It is never killed while it has one, or the server would outlive it.
struct Keeper(Dialogue);

impl Keeper {
    fn new() -> Self {
        let mut python = Command::new(python());
        // What a terminal sends to the tests is not for it: it has to clean up after them.
        Self(Dialogue::start(python.arg("-I").arg(fixture("postgres/keep.py")).process_group(0)))
    }

    fn ask(&mut self, what: &str) -> Value {
        serde_json::from_str(&self.0.ask(what, PATIENCE)).unwrap()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.0.let_go(PATIENCE);
    }
}
