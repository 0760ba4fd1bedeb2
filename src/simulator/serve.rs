//! Simulated clouds on loopback ports of their own, one for each target of a config.

use std::{io, net::Ipv4Addr, sync::Arc, time::Duration};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{LoadBalancer, Script};
use crate::{
    auth::{Keyring, Stamps},
    config::{Config, Target},
    front::{Caller, Front, Gate},
    http::{Door, Listener, serve},
    mapping::Shape,
    providers::PROVIDERS,
    store::Memory,
    telemetry::Telemetry,
};

/// One simulated cloud.
#[derive(Debug, Clone)]
pub struct SimulatedCloud {
    /// The name of the target that it stands in for.
    pub target: String,
    /// Its state.
    pub balancer: Arc<LoadBalancer>,
}

/// The simulated clouds of one config, running.
#[derive(Debug)]
pub struct Simulation {
    /// The clouds, in the order of the config's targets.
    pub clouds: Vec<SimulatedCloud>,
    stop: CancellationToken,
    servers: JoinSet<()>,
}

impl Simulation {
    /// Starts a cloud for every target of `config` and writes its address into the target's endpoint. A cloud knows
    /// the groups and servers of the resource map, and the target's key.
    ///
    /// # Errors
    /// When the system gives no port.
    pub async fn start(config: &mut Config, stamps: &Stamps, latency: Duration) -> io::Result<Self> {
        Self::start_scripted(config, stamps, latency, |_| Script::smooth()).await
    }

    /// The same, with a script for each target by its name.
    ///
    /// # Errors
    /// When the system gives no port.
    pub async fn start_scripted(
        config: &mut Config,
        stamps: &Stamps,
        latency: Duration,
        script: impl Fn(&str) -> Script,
    ) -> io::Result<Self> {
        let (stop, mut servers, mut clouds) = (CancellationToken::new(), JoinSet::new(), Vec::new());
        for at in 0..config.targets.len() {
            let Some(target) = config.targets.get(at).cloned() else { continue };
            let Some(balancer) = balancer(config, &target, script(&target.name), latency) else { continue };
            let balancer = Arc::new(balancer);
            let front = Arc::new(front(config, &target, &balancer, stamps.clone()));
            let listener = Listener::bind((Ipv4Addr::LOCALHOST, 0).into(), None).await?;
            let endpoint = format!("http://{}", listener.local_addr()?);
            if let Some(target) = config.targets.get_mut(at) {
                target.endpoint = endpoint;
            }
            let door = Door::new(front.bounds);
            servers.spawn(serve(vec![listener], front, door, stop.clone()));
            clouds.push(SimulatedCloud { target: target.name.to_string(), balancer });
        }
        Ok(Self { clouds, stop, servers })
    }

    /// The state of the cloud that stands in for a target.
    #[must_use]
    pub fn cloud(&self, target: &str) -> Option<&LoadBalancer> {
        self.clouds.iter().find(|cloud| cloud.target == target).map(|cloud| cloud.balancer.as_ref())
    }

    /// Stops all of them.
    pub async fn stop(mut self) {
        self.stop.cancel();
        while self.servers.join_next().await.is_some() {}
    }
}

fn balancer(config: &Config, target: &Target, script: Script, latency: Duration) -> Option<LoadBalancer> {
    let cloud = config.tables.cloud(&target.provider)?;
    let groups = config.resources.groups_of(&target.provider).cloned().collect();
    let servers = config.resources.servers_of(&target.provider).map(|server| server.target).collect();
    Some(LoadBalancer::new(Arc::clone(cloud), groups, servers, script, latency))
}

fn front(config: &Config, target: &Target, balancer: &Arc<LoadBalancer>, stamps: Stamps) -> Front {
    let caller = Caller { client: 0, target: Arc::clone(&target.name), shape: Shape::Live };
    let mut keys = Keyring::new();
    keys.insert(&target.provider, target.credential.clone(), caller);
    let gate = Gate::new(keys, Arc::new(Memory::new()), config.limits.clock_skew);
    Front::new(
        &target.name,
        config,
        gate,
        Arc::new(Arc::clone(balancer)),
        stamps,
        Telemetry::new(),
        PROVIDERS,
    )
}
