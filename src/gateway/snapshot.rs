//! Everything that is made of one config. A request sees exactly one of these, from its first byte to its last.

use std::{fmt, sync::Arc};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::upstream::HttpUpstream;
use crate::{
    auth::{Keyring, Stamps},
    config::Config,
    engine::Engine,
    front::{Caller, Front, Gate},
    http::TlsError,
    providers::PROVIDERS,
    store::Store,
    telemetry::Telemetry,
};

/// One config at work.
pub(super) struct Snapshot {
    pub(super) config: Arc<Config>,
    pub(super) front: Front,
    pub(super) engine: Engine,
    upstream: Arc<HttpUpstream>,
    /// Cancelled when another has taken over.
    pub(super) over: CancellationToken,
}

/// What is there before the first config and after the last.
#[derive(Debug, Clone)]
pub(super) struct Lasting {
    pub(super) store: Arc<dyn Store>,
    pub(super) stamps: Stamps,
    pub(super) tasks: TaskTracker,
    pub(super) telemetry: Arc<Telemetry>,
}

impl Snapshot {
    /// The first.
    pub(super) fn first(config: Config, lasting: &Lasting) -> Result<Self, TlsError> {
        let Lasting { store, stamps, tasks, telemetry } = lasting;
        let config = Arc::new(config);
        let upstream = HttpUpstream::new(&config, PROVIDERS, stamps.clone(), Arc::clone(telemetry))?;
        let upstream = Arc::new(upstream);
        let gate = Gate::new(keys(&config), Arc::clone(store), config.limits.clock_skew);
        let reached = Arc::clone(&upstream);
        let engine = Engine::new(Arc::clone(&config), reached, Arc::clone(store), tasks.clone());
        let front = front_of(&config, gate, &engine, lasting);
        Ok(Self { config, front, engine, upstream, over: CancellationToken::new() })
    }

    /// The one that takes over with another config. Connections to targets are kept, as are turns, nonces, and what is
    /// remembered of groups.
    pub(super) fn succeeded_by(&self, config: Config, lasting: &Lasting) -> Result<Self, TlsError> {
        let config = Arc::new(config);
        let upstream = Arc::new(self.upstream.succeeded_by(&config, PROVIDERS)?);
        let gate = self.front.gate.succeeded_by(keys(&config), config.limits.clock_skew);
        let reached = Arc::clone(&upstream);
        let engine = self.engine.succeeded_by(Arc::clone(&config), reached);
        let mut front = front_of(&config, gate, &engine, lasting);
        if config.limits.max_in_flight == self.config.limits.max_in_flight {
            front.places = Arc::clone(&self.front.places);
        }
        Ok(Self { config, front, engine, upstream, over: CancellationToken::new() })
    }
}

fn keys(config: &Config) -> Keyring<Caller> {
    let mut keys = Keyring::new();
    for (client, row) in config.clients.iter().enumerate() {
        let target =
            config.targets.get(row.target).map(|target| Arc::clone(&target.name)).unwrap_or_default();
        keys.insert(&row.dialect, row.credential.clone(), Caller { client, target, shape: row.replies });
    }
    keys
}

fn front_of(config: &Config, gate: Gate, engine: &Engine, lasting: &Lasting) -> Front {
    let (stamps, telemetry) = (lasting.stamps.clone(), Arc::clone(&lasting.telemetry));
    Front::new("gateway", config, gate, Arc::new(engine.clone()), stamps, telemetry, PROVIDERS)
}

/// The front of a gateway before its engine, which keeps nonces in `store`: without sockets, and with nobody who reads what
/// it counts.
#[must_use]
pub fn front(config: &Config, engine: &Engine, store: Arc<dyn Store>, stamps: Stamps) -> Front {
    let gate = Gate::new(keys(config), Arc::clone(&store), config.limits.clock_skew);
    let lasting = Lasting { store, stamps, tasks: TaskTracker::new(), telemetry: Telemetry::new() };
    front_of(config, gate, engine, &lasting)
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").finish_non_exhaustive()
    }
}
