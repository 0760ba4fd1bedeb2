//! Floor 2: who is calling. Keys, time and nonces; the formulas of the signatures are the providers'.

mod credential;
mod freshness;
mod keyring;
mod stamp;

pub use credential::Credential;
pub use freshness::{Freshness, Staleness};
pub use keyring::Keyring;
pub use stamp::{Stamp, Stamps};
