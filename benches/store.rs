//! What it costs to keep what must not be forgotten, by store: a nonce, a look for an answer and the answer, which a store in
//! SQLite keeps in files beside it, and an operation's entry in the journal with its end, and what it keeps of twenty backends,
//! which it writes through to the disk.
//!
//! `cargo bench --bench store`. Times of one run compare with each other; across machines and disks they do not.
#![expect(clippy::unwrap_used, reason = "a bench that cannot be set up may fail in any way")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use divan::Bencher;
use jiff::Timestamp;
use tokio::runtime::Runtime;
use weighbridge::{
    model::Port,
    store::{Disk, Entry, GroupKey, Intention, Keepsake, Memory, Remembered, Store, Write},
};

fn main() {
    divan::main();
}

/// A store, and where it lives.
struct Stage {
    store: Arc<dyn Store>,
    runtime: Runtime,
    count: AtomicU64,
    _folder: Option<tempfile::TempDir>,
}

impl Stage {
    fn of(kind: &str) -> Self {
        let runtime = Runtime::new().unwrap();
        let folder = (kind == "sqlite").then(|| tempfile::tempdir_in("target").unwrap());
        let store: Arc<dyn Store> = match &folder {
            Some(folder) => Arc::new(Disk::at(&folder.path().join("weighbridge.db"))),
            None => Arc::new(Memory::new()),
        };
        runtime.block_on(store.tend(now()));
        assert_eq!(store.trouble(), None);
        Self { store, runtime, count: AtomicU64::new(0), _folder: folder }
    }

    fn number(&self) -> u64 {
        self.count.fetch_add(1, Ordering::Relaxed)
    }

    fn write(&self, writes: Vec<Write>) {
        self.runtime.block_on(self.store.write(writes)).unwrap();
    }
}

fn now() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

fn group() -> GroupKey {
    GroupKey { cloud: "ucloud-prod".into(), group: "ulb-abc123/vserver-def456".into() }
}

#[divan::bench(args = ["memory", "sqlite"])]
fn nonce(bencher: Bencher<'_, '_>, kind: &str) {
    let stage = Stage::of(kind);
    bencher.bench(|| {
        let nonce = format!("nonce-{}", stage.number());
        let used = stage.store.first_use("key", &nonce, now(), Duration::from_mins(30));
        assert!(stage.runtime.block_on(used).unwrap());
    });
}

#[divan::bench(args = ["memory", "sqlite"])]
fn answer(bencher: Bencher<'_, '_>, kind: &str) {
    let stage = Stage::of(kind);
    bencher.bench(|| {
        let mut request = [0; 32];
        request[..8].copy_from_slice(&stage.number().to_be_bytes());
        let told = stage.store.answer(&request, now());
        assert_eq!(stage.runtime.block_on(told).unwrap(), None);
        let answer = "{\"outcome\":\"as long as an answer about one backend is\"}".repeat(4);
        stage.write(vec![Write::Answered { request, group: Some(group()), until: now(), answer }]);
    });
}

#[divan::bench(args = ["memory", "sqlite"])]
fn journal_entry_and_its_end(bencher: Bencher<'_, '_>, kind: &str) {
    let stage = Stage::of(kind);
    bencher.bench(|| {
        let id = stage.number().to_string();
        let what = "{\"moves\":\"as long as an entry of twenty backends is\"}".repeat(100);
        stage.write(vec![Write::Begun(Intention { id: id.clone(), lane: group(), began: now(), what })]);
        stage.write(vec![Write::Ended(id)]);
    });
}

/// What an add of twenty ends with, where the target cannot hold their order.
#[divan::bench(args = ["memory", "sqlite"])]
fn what_is_kept_of_twenty(bencher: Bencher<'_, '_>, kind: &str) {
    let stage = Stage::of(kind);
    let keep = |number: u64| {
        let port = Port::new(1 + u32::try_from(number % 60_000).unwrap()).unwrap();
        let entry = Entry { group: group(), server: "uhost-bench000001".into(), port };
        Write::Keep(Keepsake::Backend(
            entry,
            Remembered { description: Some(number.to_string()), ..Remembered::default() },
        ))
    };
    bencher.bench(|| stage.write((0..20).map(|_| keep(stage.number())).collect()));
}
