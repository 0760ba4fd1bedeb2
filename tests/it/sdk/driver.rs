//! Runs the drivers of `tests/sdk`: one process a job, and no more at a time than the machine has cores, so that the
//! time-outs inside the SDKs measure the gateway and not the machine.

use std::{
    panic::resume_unwind,
    path::Path,
    process::Command,
    sync::{Condvar, Mutex},
    thread,
    time::Duration,
};

use serde_json::Value;

use super::install;
use crate::support::{
    fixture,
    install::are_skipped,
    program::{Dialogue, announce, run},
};

/// One of the SDKs, and the way in which it sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sdk {
    /// alibabacloud_slb20140515: ACS3.
    Tea,
    /// The same: signature 1.0.
    TeaV1,
    /// aliyun-python-sdk-slb: signature 1.0.
    Classic,
    /// @alicloud/pop-core: signature 1.0, everything in the query.
    PopCoreGet,
    /// The same: everything in a form body.
    PopCorePost,
    /// apache-libcloud: signature 1.0, XML.
    Libcloud,
    /// ucloud-sdk-python3: AllocateBackend.
    Ucloud,
    /// The same: AllocateBackendBatch.
    UcloudBatch,
}

/// An SDK that is installed.
pub struct Driver {
    sdk: Sdk,
    home: Home,
}

/// A driver that does one job after the other, in one process.
pub struct Session {
    sdk: Sdk,
    dialogue: Dialogue,
    _place: Place,
}

/// Where an SDK is.
enum Home {
    /// This interpreter has it.
    Python(&'static Path),
    /// This folder of modules has it.
    Node(&'static Path),
}

/// What an SDK told its caller.
pub type Told = Result<Value, Value>;

/// The slowest job is an add of 20 in an interpreter that has just started.
const PATIENCE: Duration = Duration::from_mins(1);

impl Sdk {
    /// Its driver; none when it is skipped, which is announced.
    pub fn driver(self) -> Option<Driver> {
        let skipped = |why| {
            announce(&format!("skipped: a test of {self:?}, because {why}"));
            None
        };
        if are_skipped() {
            return skipped("WEIGHBRIDGE_SKIP_SDK=1 is set");
        }
        let home = match self {
            Self::PopCoreGet | Self::PopCorePost => match install::node_modules() {
                Some(modules) => Home::Node(modules),
                None => return skipped("Node is not there (node, npm)"),
            },
            Self::Tea | Self::TeaV1 | Self::Classic | Self::Libcloud | Self::Ucloud | Self::UcloudBatch => {
                Home::Python(install::python())
            }
        };
        Some(Driver { sdk: self, home })
    }

    /// The name of the driver in drive.py.
    fn name(self) -> &'static str {
        match self {
            Self::Tea => "tea",
            Self::TeaV1 => "tea-v1",
            Self::Classic => "classic",
            Self::PopCoreGet | Self::PopCorePost => "pop-core",
            Self::Libcloud => "libcloud",
            Self::Ucloud => "ucloud",
            Self::UcloudBatch => "ucloud-batch",
        }
    }

    fn job(self, job: &Value) -> Value {
        let mut job = job.clone();
        if self == Self::PopCorePost {
            job["method"] = "POST".into();
        }
        job
    }
}

impl Driver {
    /// Does one job and returns what the SDK gave its caller: an answer, or an error of its own.
    pub fn told(&self, job: &Value) -> Told {
        let (mut command, job) = (self.command(), self.sdk.job(job));
        let _place = Place::take();
        let ended = run(&mut command, &job.to_string(), PATIENCE);
        assert_eq!(ended.code, Some(0), "{:?}: {job}\n{}", self.sdk, ended.err);
        told(&ended.out)
    }

    /// Begins with a process that stays.
    pub fn session(&self) -> Session {
        let place = Place::take();
        Session { sdk: self.sdk, dialogue: Dialogue::start(self.command().arg("--lines")), _place: place }
    }

    /// Does several jobs beside each other; what was told is in the order of the jobs.
    pub fn told_each(&self, jobs: &[Value]) -> Vec<Told> {
        thread::scope(|scope| {
            let told: Vec<_> = jobs.iter().map(|job| scope.spawn(|| self.told(job))).collect();
            told.into_iter().map(|told| told.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
        })
    }

    fn command(&self) -> Command {
        match self.home {
            Home::Node(modules) => {
                let mut node = Command::new("node");
                node.arg(fixture("sdk/drive.js")).env("NODE_PATH", modules);
                node
            }
            Home::Python(interpreter) => {
                let mut python = Command::new(interpreter);
                // Isolated: neither PYTHONPATH nor what the user has installed for himself.
                python.arg("-I").arg(fixture("sdk/drive.py")).arg(self.sdk.name());
                python
            }
        }
    }
}

impl Session {
    /// Does one job and returns what the SDK gave its caller.
    pub fn told(&mut self, job: &Value) -> Told {
        let job = self.sdk.job(job);
        told(&self.dialogue.ask(&job.to_string(), PATIENCE))
    }
}

fn told(line: &str) -> Told {
    let result: Value = serde_json::from_str(line).unwrap();
    if result["ok"] == true { Ok(result["answer"].clone()) } else { Err(result["error"].clone()) }
}

/// One of the places for drivers.
struct Place;

static TAKEN: Mutex<usize> = Mutex::new(0);
static FREED: Condvar = Condvar::new();

impl Place {
    fn take() -> Self {
        let places = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let mut taken = FREED.wait_while(TAKEN.lock().unwrap(), |taken| *taken >= places).unwrap();
        *taken += 1;
        Self
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        *TAKEN.lock().unwrap() -= 1;
        FREED.notify_one();
    }
}
