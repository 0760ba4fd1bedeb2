//! A gateway in a process of its own, which can be killed and started again, before clouds that live in this one.

use std::{
    io,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::time::timeout;
use weighbridge::{
    auth::Stamps,
    simulator::{Gate, Script},
    wire::Reply,
};

use crate::support::{
    caller::{in_form, plain_signed_by, rpc_signed_by, told},
    demo_config, demo_config_with,
    house::{Clouds, exchange},
    served::{PATIENCE, Served},
    signing::Pairs,
    site::{Site, config_of},
};

/// What one call to a cloud takes: long enough for several to be on their way when the gateway dies.
const LATENCY: Duration = Duration::from_millis(5);

/// Whose language a request speaks; the other cloud is the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    Aliyun,
    Ucloud,
}

/// The clouds, and the gateway while it lives.
pub struct Scene {
    pub clouds: Clouds,
    site: Site,
    served: Option<Served>,
}

impl From {
    /// The cloud that is changed.
    pub fn target(self) -> &'static str {
        match self {
            Self::Aliyun => "ucloud-simulated",
            Self::Ucloud => "aliyun-simulated",
        }
    }

    /// A request of these parameters, signed as never before.
    pub fn signed(self, params: &Pairs) -> Vec<u8> {
        match self {
            Self::Aliyun => {
                let now = Stamps::system().unwrap().next().utc();
                let key = ("demo-aliyun", "demo-aliyun-secret");
                in_form("", &rpc_signed_by(key, &now, "POST", params))
            }
            Self::Ucloud => in_form("", &plain_signed_by(("demo-ucloud", "demo-ucloud-secret"), params)),
        }
    }
}

impl Scene {
    /// Clouds, of which the one that shows changes late does so only after `lag`, and a gateway that keeps what it must in
    /// a file.
    pub fn set(lag: Duration) -> Self {
        let shown_late = |target: &str| if target == From::Aliyun.target() { lag } else { Duration::ZERO };
        let script = |target: &str| Script::smooth().steadfast().lagging(shown_late(target));
        let clouds = Clouds::scripted(demo_config(), LATENCY, script);
        let site = Site::with(&stored(&clouds));
        Self::before(clouds, site)
    }

    /// The same, where so many more groups have rows.
    pub fn with_groups(count: usize) -> Self {
        let row = |number| {
            format!(
                "[[group]]\naliyun = {{ load_balancer = \"lb-bp1b6c719dfa08ex\", group = \"rsp-{number:03}\", region = \"cn-hangzhou\" }}\n\
                 ucloud = {{ load_balancer = \"ulb-abc123\", group = \"vserver-{number:03}\", project = \"org-abc123\", region = \"cn-bj2\" }}\n"
            )
        };
        let rows: String = (0..count).map(row).collect();
        let resources = include_str!("../../../mappings/resources.example.toml").to_owned() + &rows;
        let script = |_: &str| Script::smooth().steadfast();
        let clouds = Clouds::scripted(demo_config_with(&resources), LATENCY, script);
        let site = Site::with(&stored(&clouds));
        site.write("resources.toml", &resources);
        Self::before(clouds, site)
    }

    fn before(clouds: Clouds, site: Site) -> Self {
        let mut scene = Self { clouds, site, served: None };
        scene.start();
        scene
    }

    /// Starts the gateway.
    pub fn start(&mut self) {
        self.served = Some(Served::by(&self.site.config()));
    }

    /// Kills the gateway.
    pub fn kill(&mut self) {
        self.served.take().expect("it lives").kill();
    }

    /// Where the gateway listens.
    pub fn endpoint(&self) -> String {
        self.served.as_ref().expect("it lives").endpoint.clone()
    }

    /// What a request of these parameters is answered.
    pub fn ask(&self, from: From, params: &Pairs) -> (String, Value) {
        answer(&exchange(self.endpoint(), &from.signed(params)).expect("a reply"))
    }

    /// The same, of a request that succeeds.
    pub fn do_it(&self, from: From, params: &Pairs) -> Value {
        let (code, body) = self.ask(from, params);
        assert_eq!(code, "200 0", "{params:?}: {body}");
        body
    }

    /// Asks, and kills the gateway at the moment when `count` changes stand at a gate. Nobody is answered then.
    pub fn kill_at(&mut self, from: From, requests: &[Pairs], gate: &Arc<Gate>, count: usize) {
        self.kill_when(from, requests, gate, count, |_| true);
    }

    /// The same, and not before the clouds are as far as they are to be: other changes are on their way beside those.
    pub fn kill_when(
        &mut self,
        from: From,
        requests: &[Pairs],
        gate: &Arc<Gate>,
        count: usize,
        are_far: impl Fn(&Clouds) -> bool,
    ) {
        self.clouds.put_up(from.target(), gate);
        let endpoint = self.endpoint();
        thread::scope(|scope| {
            let ask = |params: &Pairs| {
                let (endpoint, request) = (endpoint.clone(), from.signed(params));
                scope.spawn(move || exchange(endpoint, &request))
            };
            let asked: Vec<_> = requests.iter().map(ask).collect();
            let reached = self.clouds.wait(async { timeout(PATIENCE, gate.reached(count)).await });
            assert!(reached.is_ok(), "the change is asked for: {requests:?}");
            let far = until(PATIENCE, || are_far(&self.clouds).then_some(()));
            assert!(far.is_some(), "the others are done: {requests:?}");
            self.kill();
            gate.let_by();
            let answers: Vec<io::Result<Reply>> =
                asked.into_iter().map(|asked| asked.join().unwrap()).collect();
            assert!(answers.iter().all(Result::is_err), "{answers:?}");
        });
    }
}

/// A config that names these clouds and a store in a file.
fn stored(clouds: &Clouds) -> String {
    format!("store = \"sqlite:weighbridge.db\"\n{}", config_of(clouds))
}

/// A reply's code and body.
pub fn answer(reply: &Reply) -> (String, Value) {
    (told(reply).code, serde_json::from_slice(&reply.body).unwrap())
}

/// Looks again and again until `found` finds something, for so long at most.
pub fn until<T>(within: Duration, found: impl Fn() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + within;
    loop {
        match found() {
            None if Instant::now() < deadline => thread::sleep(Duration::from_millis(50)),
            found => return found,
        }
    }
}
