//! Floor 5: front + engine + http, composed into the gateway.

mod explain;
mod supposed;
mod upstream;

use std::{io, net::SocketAddr, sync::Arc};

use arc_swap::ArcSwap;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use explain::{ExplainedCall, Explanation, explain};
pub use upstream::{HttpUpstream, origin_of, target_scheme};

use crate::{
    auth::{Keyring, Stamps},
    config::Config,
    engine::{Engine, Upstream},
    front::{Caller, Front, Gate},
    http::{Bounds, Listener, SharedServerConfig, TlsError, serve, server_config},
    providers::PROVIDERS,
    store::Memory,
};

/// A gateway that has its addresses and is ready to serve.
#[derive(Debug)]
pub struct Gateway {
    front: Arc<Front>,
    listeners: Vec<Listener>,
    tasks: TaskTracker,
    bounds: Bounds,
}

/// Why a gateway cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {reason}; stop what listens there, or choose another address")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        reason: io::Error,
    },
    /// A certificate or an authority cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl Gateway {
    /// Takes the addresses and builds everything behind them.
    ///
    /// # Errors
    /// [`StartError`] for an address that is taken and for certificates that cannot be used.
    pub async fn bind(config: Config, stamps: Stamps) -> Result<Self, StartError> {
        let config = Arc::new(config);
        let tls: Option<SharedServerConfig> = match &config.tls {
            Some(files) => Some(Arc::new(ArcSwap::new(server_config(&files.cert, &files.key)?))),
            None => None,
        };
        let mut listeners = Vec::new();
        for address in &config.listen {
            let listener = Listener::bind(*address, tls.clone()).await;
            listeners.push(listener.map_err(|reason| StartError::Listen { address: *address, reason })?);
        }
        let upstream = Arc::new(HttpUpstream::new(&config, PROVIDERS, stamps.clone())?);
        let tasks = TaskTracker::new();
        let front = Arc::new(front(&config, upstream, stamps, tasks.clone()));
        let bounds = front.bounds;
        Ok(Self { front, listeners, tasks, bounds })
    }

    /// Where it listens: the ports that the system gave for port 0.
    ///
    /// # Errors
    /// What the system says of a socket that is gone.
    pub fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
        self.listeners.iter().map(Listener::local_addr).collect()
    }

    /// Serves until `stop`, then ends what is in flight: first the connections, then the fan-outs whose callers have
    /// gone away.
    pub async fn run(self, stop: CancellationToken) {
        serve(self.listeners, self.front, self.bounds, stop).await;
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// The front of a gateway whose calls go through `upstream`.
#[must_use]
pub fn front(config: &Arc<Config>, upstream: Arc<dyn Upstream>, stamps: Stamps, tasks: TaskTracker) -> Front {
    let memory = Arc::new(Memory::new());
    let engine = Engine::new(Arc::clone(config), upstream, Arc::clone(&memory), tasks);
    let mut keys = Keyring::new();
    for (client, row) in config.clients.iter().enumerate() {
        keys.insert(&row.dialect, row.credential.clone(), Caller { client, shape: row.replies });
    }
    let gate = Gate { keys, memory, skew: config.limits.clock_skew };
    Front::new("gateway", config, gate, Arc::new(engine), stamps, PROVIDERS)
}
