//! Another config while requests are at work: read as a whole, and in force as a whole or not at all.

use std::{fmt, sync::Arc, time::Duration};

use tokio::{
    sync::Notify,
    task::{JoinError, spawn_blocking},
    time::sleep,
};

use super::current::Current;
use crate::{
    config::{Config, Unsound, Watched},
    http::TlsError,
    mapping::{Diagnostic, Severity},
};

/// Reads the config again, with everything that it names.
pub type Source = Arc<dyn Fn() -> Result<Config, Unsound> + Send + Sync>;

/// Asks for a reload. Clones ask the same gateway.
#[derive(Debug, Clone, Default)]
pub struct Reload(Arc<Notify>);

impl Reload {
    /// Asks for one now, whether a file has changed or not.
    pub fn ask(&self) {
        self.0.notify_one();
    }
}

/// Why the config that is in force stays.
#[derive(Debug)]
pub(super) enum Refused {
    /// The files have problems; not all of them errors.
    Unsound(Vec<Diagnostic>),
    /// A certificate or an authority cannot be used.
    Tls(TlsError),
    /// Reading them panicked.
    Broken(JoinError),
}

/// How often the files are looked at. They are looked at, not listened to: notices of the file system are not given for
/// what is mounted from elsewhere, nor for a file that is mounted alone into a container, and a store beside the config
/// would give one with every write. A look costs a few microseconds a file.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long files have to stay as they are before they are read: an editor may write one in several pieces.
const SETTLES_IN: Duration = Duration::from_millis(200);

/// Keeps what is in force the same as what the files say.
pub(super) struct Reloader {
    source: Source,
    asked: Reload,
    /// What the last config was read from, usable or not.
    files: Vec<Watched>,
    /// Configs that requests may still work by. The last to let go of one frees it, which takes a while for a large
    /// resource map: that is not to be a request.
    retired: Vec<Arc<Config>>,
}

impl Reloader {
    pub(super) fn new(source: Source, asked: Reload, config: &Config) -> Self {
        Self { source, asked, files: config.files.clone(), retired: Vec::new() }
    }

    /// Reloads whenever a file has changed or somebody asks, for as long as it is polled.
    pub(super) async fn keep_up(mut self, current: Arc<Current>) {
        loop {
            let asked = tokio::select! {
                () = self.asked.0.notified() => true,
                () = sleep(LOOK_EVERY) => false,
            };
            self.retired = freed(std::mem::take(&mut self.retired)).await;
            // Who asks knows that the files are whole.
            if !asked && !changed(self.files.clone()).await {
                continue;
            }
            if !asked {
                settled(&self.files).await;
            }
            self.reload(&current).await;
        }
    }

    async fn reload(&mut self, current: &Arc<Current>) {
        let (source, adopting) = (Arc::clone(&self.source), Arc::clone(current));
        let adopted = spawn_blocking(move || match source() {
            Ok(config) => {
                let files = config.files.clone();
                (adopting.adopt(config).map_err(Refused::Tls), files)
            }
            Err(Unsound { problems, files }) => (Err(Refused::Unsound(problems)), files),
        });
        let adopted = match adopted.await {
            Ok((adopted, files)) => {
                self.files = files;
                adopted
            }
            Err(error) => Err(Refused::Broken(error)),
        };
        match adopted {
            Ok(old) => self.retired.push(old),
            Err(refused) => current.refuse(&refused),
        }
    }
}

/// Looking may take long where files are mounted from elsewhere.
async fn changed(files: Vec<Watched>) -> bool {
    spawn_blocking(move || files.iter().any(Watched::has_changed)).await.unwrap_or(false)
}

/// Waits until files have stayed as they are for a moment; but not for ever, if something writes to one all the time.
async fn settled(files: &[Watched]) {
    let mut files = files.to_vec();
    for _ in 0..MOST_LOOKS {
        let look = move || files.iter().map(|file| Watched::now(file.path())).collect();
        let Ok(seen): Result<Vec<Watched>, _> = spawn_blocking(look).await else { return };
        sleep(SETTLES_IN).await;
        if !changed(seen.clone()).await {
            return;
        }
        files = seen;
    }
}

/// Frees the configs that nobody else holds any more, and gives back the others.
async fn freed(retired: Vec<Arc<Config>>) -> Vec<Arc<Config>> {
    let (unused, used): (Vec<_>, Vec<_>) =
        retired.into_iter().partition(|config| Arc::strong_count(config) == 1);
    if !unused.is_empty() {
        // A task that is cancelled has freed them all the same.
        let _done = spawn_blocking(move || drop(unused)).await;
    }
    used
}

impl Refused {
    /// What is wrong, one line each: what stops the reload, before what is only to be looked at.
    pub(super) fn lines(&self) -> Vec<String> {
        match self {
            Self::Unsound(problems) => errors_first(problems).map(ToString::to_string).collect(),
            Self::Tls(error) => vec![error.to_string()],
            Self::Broken(error) => vec![format!("reading it failed: {error}")],
        }
    }

    /// Where the first problem is: a file, a line and a column; a line 0 is no line.
    pub(super) fn place(&self) -> (String, usize, usize) {
        let first = match self {
            Self::Unsound(problems) => errors_first(problems).next(),
            Self::Tls(_) | Self::Broken(_) => None,
        };
        first.map_or_else(Default::default, |first| (first.file.to_string(), first.line, first.column))
    }
}

fn errors_first(problems: &[Diagnostic]) -> impl Iterator<Item = &Diagnostic> {
    let of = |wanted| problems.iter().filter(move |problem| problem.severity == wanted);
    of(Severity::Error).chain(of(Severity::Warning))
}

impl fmt::Debug for Reloader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reloader").field("files", &self.files).finish_non_exhaustive()
    }
}

/// After some seconds what is there is read, settled or not.
const MOST_LOOKS: usize = 25;
