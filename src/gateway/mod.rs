//! Floor 5: front + engine + http, composed into the gateway.

mod admin;
mod current;
mod explain;
mod page;
mod reload;
mod snapshot;
mod supposed;
mod upstream;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::time::sleep;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{error, info};

use self::{admin::Admin, current::Current, reload::Reloader, snapshot::Lasting};
pub use explain::{
    Caller as ExplainedCaller, ExplainedCall, Explanation, Fate, Refusal, Said, Way, Ways, explain,
};
pub use reload::{Reload, Source};
pub use snapshot::front;
pub use upstream::{HttpUpstream, origin_of, target_scheme};

use crate::{
    auth::Stamps,
    config::Config,
    http::{Bounds, Door, Listener, TlsError, Workers, serve, serve_on},
    store::Store,
    telemetry::Telemetry,
};

/// A gateway that has its addresses and is ready to serve.
#[derive(Debug)]
pub struct Gateway {
    current: Arc<Current>,
    listeners: Vec<Listener>,
    admin: Option<Listener>,
    reloader: Option<Reloader>,
    workers: Workers,
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
        let store = config.store.store();
        store.tend(stamps.next().now).await;
        if let Some(trouble) = store.trouble() {
            error!(store = %config.store, %trouble, "the store cannot be used: changes are refused, reads go on");
        }
        let (listen, admin) = (config.listen.clone(), config.admin);
        let (tasks, telemetry) = (TaskTracker::new(), Telemetry::new());
        let current = Current::new(config, Lasting { store, stamps, tasks, telemetry })?;
        let mut listeners = Vec::new();
        for address in listen {
            let listener = Listener::bind(address, current.tls.clone()).await;
            listeners.push(listener.map_err(|reason| StartError::Listen { address, reason })?);
        }
        let admin = match admin {
            Some(address) => {
                let listener = Listener::bind(address, None).await;
                Some(listener.map_err(|reason| StartError::Listen { address, reason })?)
            }
            None => None,
        };
        Ok(Self { current: Arc::new(current), listeners, admin, reloader: None, workers: Workers::here() })
    }

    /// The same gateway, keeping up with what `source` reads: whenever a file that it has named changes, and whenever
    /// `asked` is asked.
    #[must_use]
    pub fn reloading(self, source: Source, asked: Reload) -> Self {
        let reloader = Reloader::new(source, asked, &self.current.snapshot().config);
        Self { reloader: Some(reloader), ..self }
    }

    /// The same gateway, with its public connections on these threads.
    #[must_use]
    pub fn on(self, workers: Workers) -> Self {
        Self { workers, ..self }
    }

    /// Where it listens: the ports that the system gave for port 0.
    ///
    /// # Errors
    /// What the system says of a socket that is gone.
    pub fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
        self.listeners.iter().map(Listener::local_addr).collect()
    }

    /// Where health, metrics and the page are served, if they are.
    ///
    /// # Errors
    /// As [`addresses`](Self::addresses).
    pub fn admin_address(&self) -> io::Result<Option<SocketAddr>> {
        self.admin.as_ref().map(Listener::local_addr).transpose()
    }

    /// Serves until `stop`, then ends what is in flight: first the connections, then the fan-outs whose callers have
    /// gone away.
    pub async fn run(self, stop: CancellationToken) {
        let Self { current, listeners, admin, reloader, workers } = self;
        let quiet = CancellationToken::new();
        let beside = TaskTracker::new();
        if let Some(listener) = admin {
            let admin = Arc::new(Admin::new(Arc::clone(&current), stop.clone()));
            beside.spawn(serve(vec![listener], admin, Door::new(Bounds::USUAL), quiet.clone()));
        }
        let Lasting { store, stamps, tasks, .. } = &current.lasting;
        let (aside, tending) = (quiet.clone(), tend(Arc::clone(store), stamps.clone()));
        beside.spawn(async move { aside.run_until_cancelled(tending).await });
        let (aside, engine) = (stop.clone(), Arc::clone(&current));
        beside.spawn(async move { aside.run_until_cancelled(engine.look_after()).await });
        if let Some(reloader) = reloader {
            let (aside, keeping_up) = (stop.clone(), reloader.keep_up(Arc::clone(&current)));
            beside.spawn(async move { aside.run_until_cancelled(keeping_up).await });
        }
        let (service, door) = (Arc::clone(&current), Arc::clone(&current.door));
        serve_on(workers.clone(), listeners, service, door, stop).await;
        tasks.close();
        tasks.wait().await;
        // Not before: what callers who have hung up have left is at work on them.
        drop(workers);
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
