//! A headless Chromium, where there is one: bounded in time, and ended by its own id.

use std::{env, process::Command, time::Duration};

use tempfile::TempDir;

use super::program::{Ended, announce, is_there, run};

/// More than a page takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// A browser that is there.
#[derive(Debug)]
pub struct Browser(String);

impl Browser {
    /// `$WEIGHBRIDGE_CHROMIUM`, or the first that is known. None is announced, since what it tests is then not tested.
    pub fn found() -> Option<Self> {
        let named = env::var("WEIGHBRIDGE_CHROMIUM").ok();
        let known =
            || ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| is_there(name));
        let found = named.or_else(|| known().map(str::to_owned));
        if found.is_none() {
            announce(
                "SKIPPED: the page is not tested in a browser. Install chromium (Debian: apt-get install chromium), or name one in WEIGHBRIDGE_CHROMIUM",
            );
        }
        found.map(Self)
    }

    /// The document of `url` as it stands when its scripts have had their time.
    pub fn dom(&self, url: &str) -> String {
        let profile = TempDir::new().unwrap();
        let mut chromium = Command::new(&self.0);
        // A container has no user that its sandbox could be of; what is shown is the gateway's own.
        chromium.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]);
        chromium.args(["--disable-background-networking", "--disable-component-update", "--disable-sync"]);
        chromium.args(["--disable-dev-shm-usage", "--no-proxy-server", "--virtual-time-budget=2500"]);
        chromium.arg(format!("--user-data-dir={}", profile.path().display())).args(["--dump-dom", url]);
        let Ended { code, out, err } = run(&mut chromium, "", PATIENCE);
        assert_eq!(code, Some(0), "{url}\n{err}");
        out
    }
}
