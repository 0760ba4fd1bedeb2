//! `weighbridge serve`.

use std::{
    io::{self, Write},
    net::SocketAddr,
    sync::Arc,
    thread::available_parallelism,
    time::Duration,
};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{ConfigFile, Ending, embedded::read_file};
use crate::{
    auth::Stamps,
    config::{Client, Config, warning_of},
    dialect::{Invocation, Provider},
    gateway::{Gateway, Reload, Source},
    http::Workers,
    providers::provider,
    simulator::Simulation,
    wire::{Call, Params, to_curl},
};

pub(super) const EXAMPLES: &str = "\
Examples:
  weighbridge serve                              both clouds simulated, on 127.0.0.1:8080
  weighbridge serve --config weighbridge.toml
  RUST_LOG=debug weighbridge --log json serve --config weighbridge.toml";

/// Run the gateway until SIGTERM or SIGINT, then finish what is in flight and stop.
#[derive(Debug, clap::Args)]
pub(super) struct Serve {
    #[command(flatten)]
    file: ConfigFile,
    /// Listen here instead of where the config says; port 0 takes any that is free
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
}

impl Serve {
    pub(super) fn run(&self) -> Ending {
        let mut config = self.file.load()?;
        if let Some(address) = self.listen {
            config.listen = vec![address];
        }
        for warning in &config.warnings {
            warn!("{warning}");
        }
        // Of those that the config names, it has warned itself.
        if let Some(warning) = self.listen.and_then(|address| warning_of(address, config.tls.is_some())) {
            warn!("--listen: {warning}");
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(serve(config, self.source()))?;
        Ok(true)
    }

    /// What a reload reads; nothing without a file.
    fn source(&self) -> Option<Source> {
        let (path, listen) = (self.file.config.clone()?, self.listen);
        Some(Arc::new(move || {
            let mut config = read_file(&path)?;
            config.listen = listen.map_or(config.listen, |address| vec![address]);
            Ok(config)
        }))
    }
}

async fn serve(mut config: Config, source: Option<Source>) -> Result<(), Box<dyn std::error::Error>> {
    let (stamps, simulated) = (Stamps::system()?, source.is_none());
    let simulation =
        if simulated { Some(Simulation::start(&mut config, &stamps, Duration::ZERO).await?) } else { None };
    let clients = config.clients.clone();
    let stop = CancellationToken::new();
    let mut signals = Signals::catch()?;
    info!(store = %config.store, "what must not be forgotten is kept here");
    let workers = Workers::threads(available_parallelism()?.get())?;
    let gateway = Gateway::bind(config, stamps.clone()).await?;
    let (mut gateway, reload) = (gateway.on(workers), Reload::default());
    if let Some(source) = source {
        gateway = gateway.reloading(source, reload.clone());
    }
    let addresses = gateway.addresses()?;
    for address in &addresses {
        info!(%address, "listening");
    }
    let admin = gateway.admin_address()?;
    if let Some(address) = admin {
        info!(%address, "health, metrics and the page are here");
    }
    if let (true, Some(address)) = (simulated, addresses.first()) {
        welcome(*address, admin, &clients, &stamps)?;
    }
    let running = tokio::spawn(gateway.run(stop.clone()));
    while signals.next().await == Asked::Reload {
        if simulated {
            info!("there is no config file, so there is nothing to reload");
        }
        reload.ask();
    }
    info!("stopping: what is in flight is finished first; once more stops at once");
    stop.cancel();
    tokio::select! {
        ended = running => ended?,
        () = signals.stop() => return Err("stopped at once, with requests in flight".into()),
    }
    if let Some(simulation) = simulation {
        simulation.stop().await;
    }
    info!("stopped");
    Ok(())
}

/// SIGINT, SIGTERM and SIGHUP, caught from the start on.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Stop,
    Reload,
}

impl Signals {
    fn catch() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.terminate.recv() => Asked::Stop,
            _ = self.interrupt.recv() => Asked::Stop,
            _ = self.hang_up.recv() => Asked::Reload,
        }
    }

    async fn stop(&mut self) {
        while self.next().await == Asked::Reload {}
    }
}

/// A screen that a newcomer can paste from.
fn welcome(
    address: SocketAddr,
    admin: Option<SocketAddr>,
    clients: &[Client],
    stamps: &Stamps,
) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "weighbridge listens on http://{address}; both clouds behind it are simulated in memory.")?;
    if let Some(admin) = admin {
        writeln!(out, "What becomes of each request is shown on http://{admin}")?;
    }
    for client in clients {
        let Some(provider) = provider(&client.dialect) else { continue };
        let fill = |text: &str| {
            let filled = text.replace("{address}", &address.to_string());
            filled
                .replace("{key_id}", &client.credential.key_id)
                .replace("{secret}", client.credential.secret.expose())
        };
        writeln!(out, "\n# {} with its own Python SDK:\n{}", provider.id, fill(provider.showcase.snippet))?;
        if let Some(call) = showcase(provider, client, &format!("http://{address}"), stamps) {
            writeln!(out, "# {} with curl:\n{}", provider.id, to_curl(&call))?;
        }
    }
    writeln!(out, "\nCtrl-C stops it.")?;
    out.flush()
}

/// The showcase request of a client's cloud, signed as that client, addressed to `origin`.
pub(super) fn showcase(provider: &Provider, client: &Client, origin: &str, stamps: &Stamps) -> Option<Call> {
    let call = Call::new(http::Method::POST, origin, "/", String::new());
    let query = Params::decode(provider.showcase.request.trim()).ok()?.to_query();
    let invocation: Invocation =
        provider.ingress.invocation(&provider.ingress.unpack(Call { query, ..call }).ok()?);
    let scheme = provider.schemes.last()?;
    Some(scheme.sign(&invocation, origin, &client.credential, &stamps.next()))
}
