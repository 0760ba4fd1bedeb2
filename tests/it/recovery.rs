//! What one process leaves half done, the next one puts right: two engines on one store, the first of which goes silent.

use std::{
    ops::RangeInclusive,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use tokio::{task::JoinHandle, time::sleep};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use weighbridge::{
    config::{Config, Target},
    dialect::{Answer, Arrival, Asked, BoxFuture, Handler, Request, Wanted},
    engine::{Engine, Upstream},
    model::{Fault, FaultKind, Operation, Outcome},
    simulator::{LoadBalancer, Script},
    store::{GroupKey, Intention, Keepsake, Memory, RequestDigest, Store, Unavailable, Write},
    telemetry::Account,
    wire::{Call, Params, Reply},
};

use crate::{
    life::stage::{add, backend, ecs, in_virtual_time, rsp, shown, uhost},
    support::demo_config,
};

const GROUP: &str = "rsp-cige6j5e7p";
const VSERVER: &str = "vserver-def456";

/// A way to a simulated cloud that a process loses for good at one of its changes, as if it were killed there.
struct Way {
    cloud: Arc<LoadBalancer>,
    /// How many changes get through.
    changes: AtomicUsize,
}

impl Way {
    fn to(cloud: &Arc<LoadBalancer>, changes: usize) -> Arc<Self> {
        Arc::new(Self { cloud: Arc::clone(cloud), changes: AtomicUsize::new(changes) })
    }

    fn is_open(&self, step: &Operation) -> bool {
        let left = |left: usize| left.checked_sub(1);
        step.is_read() || self.changes.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left).is_ok()
    }
}

impl Upstream for Way {
    fn call<'a>(
        &'a self,
        _: &'a Target,
        step: &'a Operation,
        _: &'a Account,
    ) -> BoxFuture<'a, Result<Outcome, Fault>> {
        Box::pin(async move {
            if !self.is_open(step) {
                return std::future::pending().await;
            }
            let answer = self.cloud.handle(request(step.clone(), 0)).await?;
            match answer {
                Answer::Translated { outcome, losses: _ } => Ok(outcome),
                Answer::Passed(reply) => panic!("{reply:?} was passed on"),
            }
        })
    }

    fn pass<'a>(
        &'a self,
        _: &'a Target,
        _: &'a Arrival,
        _: &'a Account,
    ) -> BoxFuture<'a, Result<Reply, Fault>> {
        Box::pin(async { Err(Fault::new(FaultKind::Internal, "nothing is passed on here")) })
    }
}

fn request(operation: Operation, client: usize) -> Request {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let call = Call::new(http::Method::GET, "", "/", String::new());
    let arrival = Arc::new(Arrival { call, params: Params::default(), signed: None });
    let id = format!("recovery-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let at = "2026-01-02T03:04:05Z".parse().unwrap();
    let wanted = Wanted::Translated(Arc::new(Asked::all(operation)));
    Request { id, at, client, wanted, arrival, place: None, repeat: None, account: Account::unread() }
}

/// One simulated cloud and one store, before which engines come and go.
struct Place {
    config: Arc<Config>,
    cloud: Arc<LoadBalancer>,
    store: Arc<dyn Store>,
}

impl Place {
    fn with(script: Script) -> Self {
        let config = Arc::new(demo_config());
        let cloud = config.tables.cloud("ucloud").unwrap();
        let groups = config.resources.groups_of("ucloud").cloned().collect();
        let servers = config.resources.servers_of("ucloud").map(|server| server.target.clone()).collect();
        let cloud = LoadBalancer::new(Arc::clone(cloud), groups, servers, script, Duration::ZERO);
        Self { config, cloud: Arc::new(cloud), store: Arc::new(Memory::new()) }
    }

    fn engine(&self, changes: usize) -> Engine {
        let way = Way::to(&self.cloud, changes);
        Engine::new(Arc::clone(&self.config), way, Arc::clone(&self.store), TaskTracker::new())
    }

    /// A process that goes silent after so many changes, in the middle of an add of ten.
    async fn cut_short(&self, changes: usize) {
        let (engine, request) = (self.engine(changes), self.add_of(1..=10));
        drop(tokio::spawn(async move { engine.handle(request).await }));
        sleep(Duration::from_millis(100)).await;
    }

    fn add_of(&self, servers: RangeInclusive<usize>) -> Request {
        let client = self.config.clients.iter().position(|client| client.dialect == "aliyun").unwrap();
        let backends = servers.map(|number| backend(ecs(number), 80, 100)).collect();
        request(add(rsp(GROUP), backends), client)
    }

    fn held(&self) -> Vec<String> {
        self.cloud.members(VSERVER).iter().map(|member| shown(&member.backend)).collect()
    }

    async fn add_one(&self, engine: &Engine, number: usize) -> Result<(), Fault> {
        engine.handle(self.add_of(number..=number)).await.map(drop)
    }
}

const ALL: usize = usize::MAX;

/// Has an engine put right what is left half done, until that is aborted.
fn tended(engine: &Engine) -> JoinHandle<()> {
    let engine = engine.clone();
    tokio::spawn(async move { engine.look_after(&CancellationToken::new()).await })
}

/// A store as a database is that others use too, or that is slow to answer.
#[derive(Debug, Default)]
struct Database {
    memory: Memory,
    /// Whether several engines share it, as several processes do.
    is_shared: bool,
    /// Whether it writes the next entry of the journal without a word.
    keeps_silent: AtomicBool,
}

impl Store for Database {
    fn is_shared(&self) -> bool {
        self.is_shared
    }

    fn trouble(&self) -> Option<String> {
        self.memory.trouble()
    }

    fn tend(&self, now: Timestamp) -> Future<'_, ()> {
        self.memory.tend(now)
    }

    fn first_use<'a>(
        &'a self,
        key_id: &'a str,
        nonce: &'a str,
        now: Timestamp,
        keep: Duration,
    ) -> Future<'a, Result<bool, Unavailable>> {
        self.memory.first_use(key_id, nonce, now, keep)
    }

    fn kept<'a>(&'a self, group: Option<&'a GroupKey>) -> Future<'a, Result<Vec<Keepsake>, Unavailable>> {
        self.memory.kept(group)
    }

    fn unfinished<'a>(
        &'a self,
        group: Option<&'a GroupKey>,
    ) -> Future<'a, Result<Vec<Intention>, Unavailable>> {
        self.memory.unfinished(group)
    }

    fn answer<'a>(
        &'a self,
        request: &'a RequestDigest,
        now: Timestamp,
    ) -> Future<'a, Result<Option<String>, Unavailable>> {
        self.memory.answer(request, now)
    }

    fn write(&self, writes: Vec<Write>) -> Future<'_, Result<(), Unavailable>> {
        Box::pin(async move {
            let begins = writes.iter().any(|write| matches!(write, Write::Begun(_)));
            self.memory.write(writes).await?;
            if begins && self.keeps_silent.swap(false, Ordering::SeqCst) {
                return Err(Unavailable("it does not answer".to_owned()));
            }
            Ok(())
        })
    }

    fn hold<'a>(&'a self, lane: &'a GroupKey, alone: bool) -> Future<'a, Result<bool, Unavailable>> {
        self.memory.hold(lane, alone)
    }

    fn release<'a>(&'a self, lane: &'a GroupKey, alone: bool) -> Future<'a, ()> {
        self.memory.release(lane, alone)
    }
}

type Future<'a, T> = futures_util::future::BoxFuture<'a, T>;

#[test]
fn a_write_through_one_replica_ends_the_watch_of_another() {
    in_virtual_time(async {
        let place = Place {
            store: Arc::new(Database { is_shared: true, ..Database::default() }),
            ..Place::with(Script::smooth())
        };
        place.cut_short(4).await;
        let tending = tended(&place.engine(ALL));
        sleep(Duration::from_secs(4)).await;
        assert_eq!(place.held(), [""; 0]);
        place.add_one(&place.engine(ALL), 2).await.unwrap();
        assert_eq!(place.store.unfinished(None).await.unwrap(), []);
        sleep(Duration::from_secs(30)).await;
        assert_eq!(place.held(), [shown(&backend(uhost(2), 80, 100))]);
        tending.abort();
    });
}

#[test]
fn what_was_cut_short_is_taken_back_and_found_complete_when_it_is() {
    for changes in 0..=10 {
        in_virtual_time(async {
            let place = Place::with(Script::smooth());
            place.cut_short(changes).await;
            let tending = tended(&place.engine(ALL));
            sleep(Duration::from_secs(5)).await;
            let held = place.held().len();
            assert!(held == 0 || (held == 10 && changes == 10), "{held} after {changes}");
            tending.abort();
        });
    }
}

#[test]
fn a_write_waits_until_what_was_cut_short_is_put_right() {
    in_virtual_time(async {
        let place = Place::with(Script::smooth());
        place.cut_short(4).await;
        assert_eq!(place.held().len(), 4);
        // Nobody looks after it but the writer itself.
        let next = place.engine(ALL);
        place.add_one(&next, 2).await.unwrap();
        assert_eq!(place.held(), [shown(&backend(uhost(2), 80, 100))]);
    });
}

#[test]
fn what_shows_only_later_is_taken_back_when_it_shows() {
    in_virtual_time(async {
        let lag = Duration::from_secs(6);
        let place = Place::with(Script::smooth().lagging(lag));
        place.cut_short(4).await;
        let tending = tended(&place.engine(ALL));
        sleep(Duration::from_secs(20)).await;
        assert_eq!(place.held(), [""; 0]);
        assert_eq!(place.store.unfinished(None).await.unwrap(), [], "the watch is over");
        tending.abort();
    });
}

#[test]
fn a_write_ends_the_watch_and_is_never_taken_for_what_is_watched_for() {
    in_virtual_time(async {
        let place = Place::with(Script::smooth());
        place.cut_short(4).await;
        let next = place.engine(ALL);
        let tending = tended(&next);
        sleep(Duration::from_secs(4)).await;
        assert_eq!(place.store.unfinished(None).await.unwrap().len(), 1, "it is watched");
        place.add_one(&next, 2).await.unwrap();
        assert_eq!(place.store.unfinished(None).await.unwrap(), []);
        sleep(Duration::from_secs(30)).await;
        assert_eq!(place.held().len(), 1);
        tending.abort();
    });
}

#[test]
fn an_entry_that_the_store_has_not_told_of_is_nobodys_for_the_next_process() {
    in_virtual_time(async {
        let store = Database { keeps_silent: AtomicBool::new(true), ..Database::default() };
        let place = Place { store: Arc::new(store), ..Place::with(Script::smooth()) };
        let engine = place.engine(ALL);
        let tending = tended(&engine);
        let refused = engine.handle(place.add_of(1..=10)).await.unwrap_err();
        assert_eq!(refused.kind, FaultKind::StoreUnavailable);
        sleep(Duration::from_secs(1)).await;
        place.add_one(&engine, 2).await.unwrap();
        tending.abort();
        let tending = tended(&place.engine(ALL));
        sleep(Duration::from_secs(30)).await;
        assert_eq!(place.held(), [shown(&backend(uhost(2), 80, 100))], "it is no part of the ten");
        assert_eq!(place.store.unfinished(None).await.unwrap(), []);
        tending.abort();
    });
}
