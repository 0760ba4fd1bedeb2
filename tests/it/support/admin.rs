//! What an operator asks a running gateway.

use std::{
    str::FromStr,
    thread,
    time::{Duration, Instant},
};

use http::{HeaderValue, Method, header};
use weighbridge::wire::{Call, Reply};

use super::served::{PATIENCE, Served, send};

/// The admin listener of a gateway.
#[derive(Debug, Clone)]
pub struct Admin(pub String);

impl Admin {
    /// That of a served gateway.
    pub fn of(served: &Served) -> Self {
        Self(served.admin())
    }

    /// Asks for `path`.
    pub fn get(&self, path: &str) -> Reply {
        send(self.call(path))
    }

    /// Asks for `path`, taking this content type.
    pub fn get_as(&self, path: &str, accept: &'static str) -> Reply {
        let mut call = self.call(path);
        call.headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
        send(call)
    }

    /// A GET of `path`, unsent.
    pub fn call(&self, path: &str) -> Call {
        Call::new(Method::GET, &format!("http://{}", self.0), path, String::new())
    }

    /// The text of `path`.
    pub fn text(&self, path: &str) -> String {
        String::from_utf8(self.get(path).body.to_vec()).unwrap()
    }

    /// The count of one series, named as `/metrics` names it; 0 for one that is not there yet.
    pub fn count(&self, series: &str) -> u64 {
        value(&self.text("/metrics"), series).unwrap_or(0)
    }

    /// How many reloads were good, and how many bad.
    pub fn reloads(&self) -> (u64, u64) {
        let of = |outcome| self.count(&format!("weighbridge_reloads_total{{outcome=\"{outcome}\"}}"));
        (of("good"), of("bad"))
    }

    /// Waits until so many reloads were good, and so many bad.
    pub fn wait_for_reloads(&self, wanted: (u64, u64)) {
        let patience = Instant::now() + PATIENCE;
        while self.reloads() != wanted {
            assert!(Instant::now() < patience, "{:?} are not {wanted:?}", self.reloads());
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// The value of a series in a scrape.
pub fn value<T: FromStr>(scrape: &str, series: &str) -> Option<T> {
    let of = |line: &str| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok();
    scrape.lines().find_map(of)
}
