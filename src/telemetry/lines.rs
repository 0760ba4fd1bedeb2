//! Lines on their way to where they are read: gathered for a moment and written together.
//!
//! A write is a system call, and wakes whoever reads at the other end. Lines that warn are written at once, with all before
//! them, so whoever looks for a cause finds it even after a kill; of the others a kill may take those of the last moment.

use std::{
    fmt,
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
#[derive(Debug, Clone)]
pub(super) struct Lines {
    shared: Arc<Shared>,
    /// Whether a thread writes what is gathered.
    has_writer: bool,
}

struct Shared {
    gathered: Mutex<Vec<u8>>,
    some: Condvar,
    /// Where they go. Held from before they are taken, so that lines stay in order.
    to: Mutex<Box<dyn Write + Send>>,
}

impl Lines {
    /// Lines that are written by a thread of their own; by everybody at once, if the system has none to give.
    pub(super) fn to(to: impl Write + Send + 'static) -> Self {
        let shared =
            Shared { gathered: Mutex::default(), some: Condvar::new(), to: Mutex::new(Box::new(to)) };
        let lines = Self { shared: Arc::new(shared), has_writer: false };
        let own = lines.clone();
        let writer = thread::Builder::new().name("log".to_owned()).spawn(move || own.write_on());
        Self { has_writer: writer.is_ok(), ..lines }
    }

    /// Writes what is gathered.
    pub(super) fn flush(&self) {
        let mut to = self.shared.to.lock().unwrap_or_else(PoisonError::into_inner);
        let gathered = mem::take(&mut *self.gathered());
        if !gathered.is_empty() {
            // There is nobody to tell it to.
            let _unheard = to.write_all(&gathered);
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

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    /// What was written, and in how many pieces.
    #[derive(Debug, Clone, Default)]
    struct Sink(Arc<Mutex<(String, usize)>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut sink = self.0.lock().unwrap();
            sink.0.push_str(str::from_utf8(bytes).unwrap());
            sink.1 += 1;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn say(lines: &Lines, line: &str, at_once: bool) {
        Line { lines, at_once }.write_all(line.as_bytes()).unwrap();
    }

    #[test]
    fn a_warning_is_written_at_once_with_all_before_it() {
        let sink = Sink::default();
        let lines = Lines::to(sink.clone());
        let mut said = String::new();
        for number in 0..100 {
            let line = format!("{number}\n");
            say(&lines, &line, false);
            said.push_str(&line);
        }
        say(&lines, "a warning\n", true);
        assert_eq!(sink.0.lock().unwrap().0, said + "a warning\n");
    }

    #[test]
    fn what_nobody_flushes_is_written_all_the_same_and_together() {
        let sink = Sink::default();
        let lines = Lines::to(sink.clone());
        let patience = Instant::now() + Duration::from_secs(20);
        for round in 1..=2 {
            for _ in 0..100 {
                say(&lines, "a line\n", false);
            }
            while sink.0.lock().unwrap().0.lines().count() < 100 * round {
                assert!(Instant::now() < patience, "nobody writes");
                thread::sleep(Duration::from_millis(1));
            }
        }
        assert!(sink.0.lock().unwrap().1 < 100, "fewer writes than lines");
    }
}
