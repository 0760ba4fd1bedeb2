//! Floor 5: front + engine + http, composed into the gateway.

mod admin;
mod explain;
mod supposed;
mod upstream;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use tokio::time::sleep;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{error, info};

use self::admin::Admin;
pub use explain::{ExplainedCall, Explanation, explain};
pub use upstream::{HttpUpstream, origin_of, target_scheme};

use crate::{
    auth::{Keyring, Stamps},
    config::Config,
    engine::Engine,
    front::{Caller, Front, Gate},
    http::{Bounds, Listener, SharedServerConfig, TlsError, serve, server_config},
    providers::PROVIDERS,
    store::Store,
};

/// A gateway that has its addresses and is ready to serve.
#[derive(Debug)]
pub struct Gateway {
    front: Arc<Front>,
    listeners: Vec<Listener>,
    admin: Option<(Listener, Arc<Admin>)>,
    tasks: TaskTracker,
    bounds: Bounds,
    engine: Engine,
    store: Arc<dyn Store>,
    stamps: Stamps,
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
        let store = config.store.store();
        store.tend(stamps.next().now).await;
        if let Some(trouble) = store.trouble() {
            error!(store = %config.store, %trouble, "the store cannot be used: changes are refused, reads go on");
        }
        let engine = Engine::new(Arc::clone(&config), upstream, Arc::clone(&store), tasks.clone());
        let front = Arc::new(front(&config, engine.clone(), Arc::clone(&store), stamps.clone()));
        let bounds = front.bounds;
        let admin = admin(&config, &store).await?;
        Ok(Self { front, listeners, admin, tasks, bounds, engine, store, stamps })
    }

    /// Where it listens: the ports that the system gave for port 0.
    ///
    /// # Errors
    /// What the system says of a socket that is gone.
    pub fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
        self.listeners.iter().map(Listener::local_addr).collect()
    }

    /// Where health is served, if it is.
    ///
    /// # Errors
    /// As [`addresses`](Self::addresses).
    pub fn admin_address(&self) -> io::Result<Option<SocketAddr>> {
        self.admin.as_ref().map(|(listener, _)| listener.local_addr()).transpose()
    }

    /// Serves until `stop`, then ends what is in flight: first the connections, then the fan-outs whose callers have
    /// gone away.
    pub async fn run(self, stop: CancellationToken) {
        let Self { front, listeners, admin, tasks, bounds, engine, store, stamps } = self;
        let quiet = CancellationToken::new();
        let beside = TaskTracker::new();
        if let Some((listener, admin)) = admin {
            beside.spawn(serve(vec![listener], admin, Bounds::USUAL, quiet.clone()));
        }
        let aside = quiet.clone();
        beside.spawn(async move { aside.run_until_cancelled(tend(store, stamps)).await });
        let aside = stop.clone();
        beside.spawn(async move { aside.run_until_cancelled(engine.look_after()).await });
        serve(listeners, front, bounds, stop).await;
        tasks.close();
        tasks.wait().await;
        quiet.cancel();
        beside.close();
        beside.wait().await;
    }
}

/// Keeps an eye on the store, and says when it fails and when it is back.
async fn tend(store: Arc<dyn Store>, stamps: Stamps) {
    let mut before = store.trouble();
    loop {
        sleep(TEND_EVERY).await;
        store.tend(stamps.next().now).await;
        let trouble = store.trouble();
        match (&before, &trouble) {
            (None, Some(trouble)) => {
                error!(%trouble, "the store cannot be used: changes are refused, reads go on");
            }
            (Some(_), None) => info!("the store can be used again"),
            (None, None) | (Some(_), Some(_)) => {}
        }
        before = trouble;
    }
}

/// How often the store is looked at.
const TEND_EVERY: Duration = Duration::from_secs(1);

async fn admin(
    config: &Config,
    store: &Arc<dyn Store>,
) -> Result<Option<(Listener, Arc<Admin>)>, StartError> {
    let Some(address) = config.admin else { return Ok(None) };
    let listener = Listener::bind(address, None).await;
    let listener = listener.map_err(|reason| StartError::Listen { address, reason })?;
    Ok(Some((listener, Arc::new(Admin::new(Arc::clone(store))))))
}

/// The front of a gateway before its engine, which keeps nonces in `store`.
#[must_use]
pub fn front(config: &Arc<Config>, engine: Engine, store: Arc<dyn Store>, stamps: Stamps) -> Front {
    let mut keys = Keyring::new();
    for (client, row) in config.clients.iter().enumerate() {
        keys.insert(&row.dialect, row.credential.clone(), Caller { client, shape: row.replies });
    }
    let gate = Gate::new(keys, store, config.limits.clock_skew);
    Front::new("gateway", config, gate, Arc::new(engine), stamps, PROVIDERS)
}
