//! The built binary, and what it takes to talk to it.

use std::{process::Command, time::Duration};

use tokio::runtime::Runtime;
use weighbridge::{
    http::Client,
    wire::{Call, Reply},
};

use super::program::{Ended, Program, run};

/// More than any command takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A command line of the binary, which logs as it does without being told.
pub fn weighbridge(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_weighbridge"));
    command.args(arguments).env_remove("RUST_LOG");
    command
}

/// What came of a command that reads nothing.
pub fn ended(arguments: &[&str]) -> Ended {
    run(&mut weighbridge(arguments), "", PATIENCE)
}

/// `weighbridge serve`, listening.
#[derive(Debug)]
pub struct Served {
    /// The process.
    pub program: Program,
    /// Where it listens, `host:port`.
    pub endpoint: String,
}

impl Served {
    /// Both clouds simulated inside it.
    pub fn embedded() -> Self {
        Self::start(&mut weighbridge(&["serve", "--listen", "127.0.0.1:0"]))
    }

    /// By a config file.
    pub fn by(config: &str) -> Self {
        Self::start(&mut weighbridge(&["serve", "--config", config]))
    }

    /// By a command line; its log has to reach the level `info`.
    pub fn start(command: &mut Command) -> Self {
        let program = Program::start(command, "");
        let endpoint = program.hear_err(PATIENCE, |log| log.split_inclusive('\n').find_map(listening));
        Self { program, endpoint }
    }

    /// Where its admin listener is, `host:port`.
    pub fn admin(&self) -> String {
        let line =
            |line: &str| line.contains("health, metrics and the page").then(|| address(line)).flatten();
        self.program.hear_err(PATIENCE, |log| log.split_inclusive('\n').find_map(line))
    }

    /// Kills it, as nothing can be prepared for.
    pub fn kill(self) {
        drop(self.program);
    }

    /// Asks it to stop and waits until it has.
    pub fn stop(self) -> Ended {
        self.program.terminate();
        self.program.end(PATIENCE)
    }
}

/// The address of a whole log line that tells one, as text or as JSON.
fn listening(line: &str) -> Option<String> {
    line.strip_suffix('\n').filter(|line| line.contains("listening")).and_then(address)
}

fn address(line: &str) -> Option<String> {
    let (_, address) = line.split_at(line.find("127.0.0.1:")?);
    let end = |c: char| !c.is_ascii_digit() && c != '.' && c != ':';
    Some(address.split(end).next()?.to_owned())
}

/// The whole welcome screen of an embedded default.
pub fn welcome(served: &Served) -> String {
    served.program.hear_out(PATIENCE, |out| out.contains("Ctrl-C").then(|| out.to_owned()))
}

/// Sends one call and waits for its reply.
pub fn send(call: Call) -> Reply {
    const MAX_REPLY_BYTES: usize = 1024 * 1024;
    let client = Client::new(None).unwrap();
    Runtime::new().unwrap().block_on(client.send(call, PATIENCE, MAX_REPLY_BYTES)).unwrap()
}
