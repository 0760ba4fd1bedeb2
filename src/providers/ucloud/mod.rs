//! UCloud ULB (CLB), sold under other brands as well: SurferCloud, SCloud, UCloud Global. RPC style, no version.
//!
//! `ingress` and `egress` are the two sides of a conversation: `requests` and `replies` are what callers say and are
//! told. `envelope` is what every message shares. `backends`, `changes`, `groups`, `balancers` and `accounts` know where
//! records of these sit, in requests and in replies. `sign_sha1` is the one signature there is.

mod accounts;
mod backends;
mod balancers;
mod changes;
mod egress;
mod envelope;
mod groups;
mod ingress;
mod replies;
mod requests;
mod sign_sha1;
#[cfg(test)]
mod tests;

use crate::dialect::{Provider, Showcase};

/// UCloud ULB.
pub(super) const PROVIDER: Provider = Provider {
    id: "ucloud",
    ingress: &ingress::Ulb,
    egress: &egress::Ulb,
    schemes: &[&sign_sha1::Sha1],
    showcase: Showcase { request: include_str!("showcase.query"), snippet: include_str!("showcase.py") },
};
