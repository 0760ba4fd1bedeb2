//! Lines on their way to standard error: gathered for a moment and written together.
//!
//! A write is a system call, and wakes whoever reads at the other end. Lines that warn are written at once, with all before
//! them, so whoever looks for a cause finds it even after a kill; of the others a kill may take those of the last moment.

use std::{
    io::{self, Write},
    mem,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// For how long lines are gathered, and how many bytes of them at the most.
const GATHERED_FOR: Duration = Duration::from_millis(20);
const MOST_BYTES: usize = 256 * 1024;

/// Lines that are gathered. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Lines {
    shared: Arc<Shared>,
    /// Whether a thread writes what is gathered.
    has_writer: bool,
}

#[derive(Debug, Default)]
struct Shared {
    gathered: Mutex<Vec<u8>>,
    some: Condvar,
    /// Held while writing, so that lines stay in order.
    writing: Mutex<()>,
}

impl Lines {
    /// Lines that are written by a thread of their own; by everybody at once, if the system has none to give.
    pub(super) fn new() -> Self {
        let lines = Self::default();
        let own = lines.clone();
        let writer = thread::Builder::new().name("log".to_owned()).spawn(move || own.write_on());
        Self { has_writer: writer.is_ok(), ..lines }
    }

    /// Writes what is gathered.
    pub(super) fn flush(&self) {
        let _alone = self.shared.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let gathered = mem::take(&mut *self.gathered());
        if !gathered.is_empty() {
            // There is nobody to tell it to.
            let _unheard = io::stderr().lock().write_all(&gathered);
        }
    }

    fn write_on(&self) {
        loop {
            let gathered = self.gathered();
            let woken = self.shared.some.wait_while(gathered, |gathered| gathered.is_empty());
            drop(woken.unwrap_or_else(PoisonError::into_inner));
            thread::sleep(GATHERED_FOR);
            self.flush();
        }
    }

    fn gathered(&self) -> MutexGuard<'_, Vec<u8>> {
        self.shared.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes one line.
#[derive(Debug)]
pub(super) struct Line<'l> {
    lines: &'l Lines,
    at_once: bool,
}

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut gathered = self.lines.gathered();
        let (first, full) = (gathered.is_empty(), gathered.len() > MOST_BYTES);
        gathered.extend_from_slice(line);
        drop(gathered);
        if self.at_once || full || !self.lines.has_writer {
            self.lines.flush();
        } else if first {
            self.lines.shared.some.notify_one();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'l> MakeWriter<'l> for Lines {
    type Writer = Line<'l>;

    fn make_writer(&'l self) -> Line<'l> {
        Line { lines: self, at_once: true }
    }

    fn make_writer_for(&'l self, meta: &Metadata<'_>) -> Line<'l> {
        Line { lines: self, at_once: *meta.level() <= Level::WARN }
    }
}
