//! A process that is measured, from outside.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    str::FromStr,
    time::Duration,
};

use crate::figures::MIB;

/// A process and those that it has begun; ended when this is dropped.
pub(crate) struct Process {
    child: Child,
}

impl Process {
    /// Begins it.
    pub(crate) fn spawn(command: &mut Command) -> Self {
        let child = command.stdin(Stdio::null()).spawn();
        Self { child: child.unwrap_or_else(|error| panic!("{command:?}: {error}")) }
    }

    /// Begins one that says on its standard output where it listens.
    pub(crate) fn that_tells(command: &mut Command) -> (Self, SocketAddr) {
        let mut process = Self::spawn(command.stdout(Stdio::piped()));
        let mut line = String::new();
        BufReader::new(process.child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        (process, line.trim().parse().unwrap())
    }

    /// Its number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// For how long it has had a processor, its own work and the system's for it.
    pub(crate) fn processor(&self) -> Duration {
        self.family().iter().map(|pid| processor(*pid)).sum()
    }

    /// What it holds in memory now, in MiB.
    pub(crate) fn memory(&self) -> f64 {
        self.family().iter().map(|pid| status(*pid, "VmRSS")).sum()
    }

    /// The most that it has held, in MiB.
    pub(crate) fn most_memory(&self) -> f64 {
        self.family().iter().map(|pid| status(*pid, "VmHWM")).sum()
    }

    /// Itself and its workers.
    fn family(&self) -> Vec<u32> {
        let pid = self.child.id();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        [pid].into_iter().chain(children.split_whitespace().filter_map(|pid| pid.parse().ok())).collect()
    }

    /// Ends it, and waits until it has.
    pub(crate) fn end(&mut self) {
        // SIGTERM: nginx takes its workers along.
        let kill = Command::new("kill").arg(self.child.id().to_string()).status();
        drop(kill);
        drop(self.child.wait());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// Whether a program is installed.
pub(crate) fn is_installed(program: &str) -> bool {
    Path::new(program).exists()
}

/// In hundredths of a second, of all threads, those that have ended included.
fn processor(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The program's name, which may hold anything, is in parentheses; user and system are the 14th and 15th.
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
    Duration::from_millis(10) * fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u32>().ok()).sum()
}

fn status(pid: u32, name: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kib = line.and_then(|line| f64::from_str(line.trim().trim_end_matches(" kB")).ok());
    kib.unwrap_or_default() * 1024.0 / MIB
}
