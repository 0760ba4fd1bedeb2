//! Floor 3: what the operator's files *mean*. What they say is `raw`'s; the way from one to the other is
//! `resolve`'s, and it reports every problem with file, line and column.

mod addresses;
mod clients;
mod columns;
mod credentials;
mod endpoint;
mod files;
mod limits;
mod pieces;
mod raw;
mod regions;
mod report;
mod resolve;
mod resources;
mod rows;
mod section;
mod servers;
mod store;
mod targets;
mod templates;
#[cfg(test)]
mod tests;
mod watched;
mod words;

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use http::HeaderMap;

pub use addresses::warning_of;
pub use credentials::flaw_of_secret;
pub use resolve::{Environment, Known, Unsound, load, load_text};
pub use resources::ResourceMap;
pub use servers::ServerColumn;
pub use watched::Watched;

use crate::{
    auth::Credential,
    http::Bounds,
    mapping::{Diagnostic, GroupTemplate, Shape, Tables},
    model::{ProjectId, RegionId},
    store::StoreAt,
};

/// Everything that a gateway is told, resolved: no name in it is left to look up.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where clients of either cloud are served; at least one address.
    pub listen: Vec<SocketAddr>,
    /// Where health and metrics are served.
    pub admin: Option<SocketAddr>,
    /// Certificate and key of the public listeners.
    pub tls: Option<TlsFiles>,
    /// The mapping tables.
    pub tables: Arc<Tables>,
    /// Which id here is which id there.
    pub resources: Arc<ResourceMap>,
    /// The clouds that do the work.
    pub targets: Vec<Target>,
    /// The callers that are served.
    pub clients: Vec<Client>,
    /// Where what must not be forgotten is kept.
    pub store: StoreAt,
    /// Where the config says so: for who finds that it cannot be used, and has to add why.
    pub store_place: Diagnostic,
    /// Bounds of size, number and time.
    pub limits: Limits,
    /// What was read, directories included: a change of any of them is a change of the config.
    pub files: Vec<Watched>,
    /// What works and should be looked at all the same.
    pub warnings: Vec<Diagnostic>,
}

/// What only a start can change: sockets stay as they were opened, and a store that is exchanged would forget what is at
/// work.
#[derive(Debug, Clone)]
pub struct Fixed {
    listen: Vec<SocketAddr>,
    admin: Option<SocketAddr>,
    has_tls: bool,
    store: StoreAt,
}

impl Fixed {
    /// What is fixed once a gateway works by `config`.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        let Config { listen, admin, tls, store, .. } = config;
        Self { listen: listen.clone(), admin: *admin, has_tls: tls.is_some(), store: store.clone() }
    }

    /// The keys of all this that another config says otherwise.
    #[must_use]
    pub fn changed_by(&self, other: &Config) -> Vec<&'static str> {
        let Self { listen, admin, has_tls, store } = self;
        let same = [
            ("listen", *listen == other.listen),
            ("admin", *admin == other.admin),
            ("tls", *has_tls == other.tls.is_some()),
            ("store", store.is_at(&other.store)),
        ];
        same.into_iter().filter(|(_, same)| !same).map(|(key, _)| key).collect()
    }
}

/// Files of one server certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate chain, PEM.
    pub cert: PathBuf,
    /// The private key, PEM.
    pub key: PathBuf,
}

/// A cloud that does the work.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its name in the config.
    pub name: Arc<str>,
    /// Its provider id.
    pub provider: String,
    /// Scheme and authority, with `{region}` where the call's region is to stand.
    pub endpoint: String,
    /// The gateway's own key there.
    pub credential: Credential,
    /// The id of the signature scheme.
    pub scheme: String,
    /// The project when the group's row names none.
    pub project: Option<ProjectId>,
    /// The region when neither the group's row nor the region table answers.
    pub region: Option<RegionId>,
    /// Extra headers of every call.
    pub headers: HeaderMap,
    /// An authority to trust beside the public ones, PEM.
    pub ca: Option<Vec<u8>>,
    /// How many calls of one fan-out may be in flight, 1 or more.
    pub concurrency: usize,
    /// What becomes of ids without a row.
    pub unmapped: Unmapped,
}

/// What becomes of an id without a row in the resource map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unmapped {
    /// The call is refused.
    Refuse,
    /// The id is passed on as it is.
    Same,
}

/// A caller that is served.
#[derive(Debug, Clone)]
pub struct Client {
    /// The provider id of the language it speaks.
    pub dialect: String,
    /// Its key.
    pub credential: Credential,
    /// The place of its target in [`Config::targets`].
    pub target: usize,
    /// What becomes of a request of which the target cannot hold everything.
    pub on_loss: OnLoss,
    /// The shape of its replies.
    pub replies: Shape,
    /// The place of the target that gets what is not translated; none refuses it.
    pub untranslated: Option<usize>,
    /// What its groups are made with, where that is not what the target's cloud's template says.
    pub template: Option<GroupTemplate>,
}

/// What becomes of a request of which the target cannot hold everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnLoss {
    /// It is refused.
    Refuse,
    /// It is carried out without what gets lost, and the reply says what that is.
    Report,
}

/// Bounds of size, number and time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// How much of a request is read, and for how long.
    pub door: Bounds,
    /// How many requests may be in work at once.
    pub max_in_flight: usize,
    /// How many changes of one group may wait for their turn.
    pub max_waiting: usize,
    /// How long one request may take before no further add of it is begun; taking back what it had added goes on.
    pub request_timeout: Duration,
    /// How long one call to a target may take.
    pub upstream_timeout: Duration,
    /// How far a request's time stamp may be from the gateway's clock.
    pub clock_skew: Duration,
    /// For how long an identical add gets the recorded answer, in schemes that sign no nonce.
    pub repeat_window: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            door: Bounds::USUAL,
            max_in_flight: 1024,
            max_waiting: 256,
            request_timeout: Duration::from_secs(30),
            upstream_timeout: Duration::from_secs(10),
            clock_skew: Duration::from_mins(15),
            repeat_window: Duration::from_secs(10),
        }
    }
}
