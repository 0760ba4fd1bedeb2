//! Programs that a test starts: bounded in time, and ended by their own id.

use std::{
    env,
    io::{self, Read, Write},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread,
    time::{Duration, Instant},
};

/// A program that is running. Dropping it kills it.
#[derive(Debug)]
pub struct Program {
    child: Child,
    out: Speech,
    err: Speech,
}

/// A program that came to its end.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// What it said on standard output.
    pub out: String,
    /// What it said on standard error.
    pub err: String,
}

/// A program that answers every line with a line. Dropping it kills it.
#[derive(Debug)]
pub struct Dialogue {
    program: Program,
    stdin: Option<ChildStdin>,
    answers: usize,
}

/// Runs a program to its end.
pub fn run(command: &mut Command, input: &str, within: Duration) -> Ended {
    Program::start(command, input).end(within)
}

/// Whether a program of this name can be started.
pub fn is_there(program: &str) -> bool {
    let folders = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&folders).any(|folder| folder.join(program).is_file())
}

/// Says something that the test harness does not capture.
pub fn announce(what: &str) {
    writeln!(io::stderr().lock(), "{what}").unwrap();
}

impl Program {
    /// Starts a program that reads `input`.
    pub fn start(command: &mut Command, input: &str) -> Self {
        let (program, mut stdin) = Self::open(command);
        let input = input.to_owned();
        // A program that does not read its input closes it; that is no failure of the test's.
        thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
        program
    }

    fn open(command: &mut Command) -> (Self, ChildStdin) {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stdin = child.stdin.take().unwrap();
        let out = Speech::of(child.stdout.take().unwrap());
        let err = Speech::of(child.stderr.take().unwrap());
        (Self { child, out, err }, stdin)
    }

    /// What `wanted` finds in standard output, as soon as it does.
    pub fn hear_out<T>(&self, within: Duration, wanted: impl Fn(&str) -> Option<T>) -> T {
        self.out.find(within, wanted).unwrap_or_else(|| panic!("never said so: {self:?}"))
    }

    /// What `wanted` finds in standard error, as soon as it does.
    pub fn hear_err<T>(&self, within: Duration, wanted: impl Fn(&str) -> Option<T>) -> T {
        self.err.find(within, wanted).unwrap_or_else(|| panic!("never said so: {self:?}"))
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to stop.
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    /// Sends it a signal. The standard library sends none but the last one.
    pub fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success(), "{self:?}");
    }

    /// Waits for its end; one that takes longer is killed, and the test fails.
    pub fn end(mut self, within: Duration) -> Ended {
        let Some(status) = self.wait(within) else { panic!("still running after {within:?}: {self:?}") };
        Ended { code: status.code(), out: self.out.whole(), err: self.err.whole() }
    }

    fn wait(&mut self, within: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + within;
        loop {
            match self.child.try_wait().unwrap() {
                None if Instant::now() < deadline => thread::sleep(Duration::from_millis(5)),
                status => return status,
            }
        }
    }
}

impl Dialogue {
    /// Starts a program that reads line by line.
    pub fn start(command: &mut Command) -> Self {
        let (program, stdin) = Program::open(command);
        Self { program, stdin: Some(stdin), answers: 0 }
    }

    /// Says a line and waits for the one that answers it.
    pub fn ask(&mut self, line: &str, within: Duration) -> String {
        let at = self.answers;
        self.answers += 1;
        let mut stdin = self.stdin.as_ref().expect("it has not been let go");
        writeln!(stdin, "{line}").unwrap_or_else(|error| panic!("{error}: {:?}", self.program));
        let whole = |said: &str| {
            said.split_inclusive('\n').nth(at).filter(|line| line.ends_with('\n')).map(str::to_owned)
        };
        self.program.hear_out(within, whole)
    }

    /// Says no more and leaves it the time to come to its end.
    pub fn let_go(&mut self, within: Duration) {
        self.stdin = None;
        self.program.wait(within);
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Both fail for one that has ended, and then there is nothing to do.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What a program says on one stream, while it says it.
#[derive(Clone)]
struct Speech(Arc<(Mutex<Said>, Condvar)>);

#[derive(Default)]
struct Said {
    bytes: Vec<u8>,
    over: bool,
}

/// What has been started by the program itself may keep a stream open after its end.
const LAST_WORDS: Duration = Duration::from_secs(5);

impl Speech {
    fn of(mut stream: impl Read + Send + 'static) -> Self {
        let speech = Self(Arc::default());
        let listener = speech.clone();
        thread::spawn(move || {
            let mut part = [0; 4096];
            while let Some(count) = stream.read(&mut part).ok().filter(|count| *count > 0) {
                listener.update(|said| said.bytes.extend(&part[..count]));
            }
            listener.update(|said| said.over = true);
        });
        speech
    }

    fn update(&self, change: impl FnOnce(&mut Said)) {
        change(&mut self.said());
        self.0.1.notify_all();
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        self.0.0.lock().unwrap()
    }

    fn find<T>(&self, within: Duration, wanted: impl Fn(&str) -> Option<T>) -> Option<T> {
        let deadline = Instant::now() + within;
        let mut said = self.said();
        loop {
            let found = wanted(&String::from_utf8_lossy(&said.bytes));
            let left = deadline.saturating_duration_since(Instant::now());
            if found.is_some() || said.over || left.is_zero() {
                return found;
            }
            said = self.0.1.wait_timeout(said, left).unwrap().0;
        }
    }

    fn whole(&self) -> String {
        let waiting = self.0.1.wait_timeout_while(self.said(), LAST_WORDS, |said| !said.over);
        String::from_utf8_lossy(&waiting.unwrap().0.bytes).into_owned()
    }
}

impl std::fmt::Debug for Speech {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "\n{}", String::from_utf8_lossy(&self.said().bytes))
    }
}
