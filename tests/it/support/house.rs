//! The embedded default in this process, over real sockets: both clouds simulated, and a gateway between them.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream, ToSocketAddrs},
    sync::Arc,
    time::Duration,
};

use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use weighbridge::{
    auth::Stamps,
    config::Config,
    gateway::Gateway,
    model::{Group, Kind, Operation, Target, Traffic},
    simulator::{Gate, Script, Simulation},
    wire::Reply,
};

use super::{demo_config, message::read_reply, outpost::PATIENCE};

/// Simulated clouds, one for each target of a config. Dropping them ends them.
pub struct Clouds {
    /// The config, with the addresses of the clouds in its targets.
    pub config: Config,
    simulation: Simulation,
    runtime: Runtime,
}

/// A gateway before simulated clouds.
pub struct House {
    clouds: Clouds,
    address: SocketAddr,
}

/// One backend as a simulated cloud holds it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Held {
    /// Its port; first, so that backends sort by it.
    pub port: u16,
    /// Its id, or its address.
    pub server: String,
    /// What kind of thing it is.
    pub kind: Kind,
    /// Its weight; none for one that gets no traffic.
    pub weight: Option<u8>,
}

impl Clouds {
    /// Starts those of the embedded default; every call to one of them takes `latency`.
    pub fn open(latency: Duration) -> Self {
        Self::of(demo_config(), latency)
    }

    /// Starts those of a config.
    pub fn of(config: Config, latency: Duration) -> Self {
        Self::scripted(config, latency, |_| Script::smooth())
    }

    /// The same, with a script for each target by its name.
    pub fn scripted(mut config: Config, latency: Duration, script: impl Fn(&str) -> Script) -> Self {
        let runtime = Runtime::new().unwrap();
        let stamps = Stamps::system().unwrap();
        let starting = Simulation::start_scripted(&mut config, &stamps, latency, script);
        let simulation = runtime.block_on(starting).unwrap();
        Self { config, simulation, runtime }
    }

    /// Where the cloud of a target listens.
    pub fn origin(&self, target: &str) -> &str {
        &self.config.targets.iter().find(|known| *known.name == *target).unwrap().endpoint
    }

    /// What a group of a target's cloud holds, by port.
    pub fn held(&self, target: &str, group: &str) -> Vec<Held> {
        let members = self.simulation.cloud(target).unwrap().members(group);
        let mut held: Vec<Held> = members
            .into_iter()
            .map(|member| Held {
                port: member.backend.port.get(),
                server: server(&member.backend.target),
                kind: member.backend.target.kind(),
                weight: weight(member.backend.traffic),
            })
            .collect();
        held.sort();
        held
    }

    /// The groups of a target's cloud as they are, in the order in which they were made.
    pub fn groups(&self, target: &str) -> Vec<Group> {
        self.simulation.cloud(target).unwrap().groups()
    }

    /// From now on, a server of a target's cloud does not answer health checks.
    pub fn ail(&self, target: &str, server: &str) {
        self.simulation.cloud(target).unwrap().ail(server);
    }

    /// Puts up a gate in the way of changes of a target's cloud.
    pub fn put_up(&self, target: &str, gate: &Arc<Gate>) {
        self.simulation.cloud(target).unwrap().put_up(Arc::clone(gate));
    }

    /// How many changes the cloud of a target was asked for.
    pub fn changes(&self, target: &str) -> usize {
        let calls = self.simulation.cloud(target).unwrap().calls();
        calls.iter().filter(|call| !call.is_read()).count()
    }

    /// How many calls the cloud of a target got.
    pub fn calls(&self, target: &str) -> usize {
        self.simulation.cloud(target).unwrap().calls().len()
    }

    /// How many changes of a group came to the cloud of a target while another was under way.
    pub fn collisions(&self, target: &str) -> usize {
        self.simulation.cloud(target).unwrap().collisions()
    }

    /// How many adds the cloud of a target was asked for.
    pub fn adds(&self, target: &str) -> usize {
        let calls = self.simulation.cloud(target).unwrap().calls();
        calls.iter().filter(|call| matches!(call, Operation::AddBackends(_))).count()
    }

    /// Runs `work` beside the clouds until they are dropped.
    pub fn beside(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(work);
    }

    /// Waits for `work`.
    pub fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }
}

impl House {
    /// Opens a gateway before clouds that take `latency` for every call.
    pub fn open(latency: Duration) -> Self {
        Self::before(Clouds::open(latency))
    }

    /// Opens one before a cloud of this target whose changes show to readers only after `lag`.
    pub fn lagging(target: &str, lag: Duration) -> Self {
        let script =
            |name: &str| if name == target { Script::smooth().lagging(lag) } else { Script::smooth() };
        Self::before(Clouds::scripted(demo_config(), Duration::ZERO, script))
    }

    /// Opens one before these clouds.
    pub fn before(clouds: Clouds) -> Self {
        let config = Config { listen: vec!["127.0.0.1:0".parse().unwrap()], ..clouds.config.clone() };
        let gateway = clouds.wait(Gateway::bind(config, Stamps::system().unwrap())).unwrap();
        let address = gateway.addresses().unwrap()[0];
        clouds.beside(gateway.run(CancellationToken::new()));
        Self { clouds, address }
    }

    /// Where the gateway listens, `host:port`.
    pub fn endpoint(&self) -> String {
        self.address.to_string()
    }

    /// Sends a request as it is and reads one reply.
    pub fn ask(&self, request: &[u8]) -> Reply {
        exchange(self.address, request).unwrap()
    }

    /// The clouds behind the gateway.
    pub fn clouds(&self) -> &Clouds {
        &self.clouds
    }
}

/// Sends a request as it is and reads one reply.
///
/// # Errors
/// When there is no whole reply.
pub fn exchange(address: impl ToSocketAddrs, request: &[u8]) -> io::Result<Reply> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request)?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.extend(byte);
    }
    let mut reply = read_reply(&String::from_utf8(head).unwrap().replace("\r\n", "\n"));
    let mut body = vec![0; reply.header("content-length").expect("a length").parse().unwrap()];
    stream.read_exact(&mut body)?;
    reply.body = body.into();
    Ok(reply)
}

fn server(target: &Target) -> String {
    match target {
        Target::Resource { id, kind: _, address: _ } => id.to_string(),
        Target::Address { ip, kind: _, vpc: _, subnet: _ } => ip.to_string(),
    }
}

fn weight(traffic: Traffic) -> Option<u8> {
    match traffic {
        Traffic::On(weight) => Some(weight.get()),
        Traffic::Off(_) => None,
    }
}
