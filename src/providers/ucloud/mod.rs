//! UCloud ULB (CLB), sold under other brands as well: SurferCloud, SCloud, UCloud Global. RPC style, no version.
//!
//! `ingress` and `egress` are the two sides of a conversation, `envelope` is what every message shares, `backends`
//! knows where backend records sit, `sign_sha1` is the one signature there is.

mod backends;
mod egress;
mod envelope;
mod ingress;
mod sign_sha1;

use crate::dialect::{Provider, Showcase};

/// UCloud ULB.
pub(super) const PROVIDER: Provider = Provider {
    id: "ucloud",
    ingress: &ingress::Ulb,
    egress: &egress::Ulb,
    schemes: &[&sign_sha1::Sha1],
    showcase: Showcase { request: include_str!("showcase.query"), snippet: include_str!("showcase.py") },
};
