//! Alibaba Cloud Classic Load Balancer: product `Slb`, version 2014-05-15, RPC style.
//!
//! `ingress` and `egress` are the two sides of a conversation. `requests` reads what a client asks for, `replies`
//! writes what came of it. `envelope` is what every message shares; `backends`, `groups`, `balancers`, `listeners` and
//! `health` know where such records sit in messages, `values` what single values look like. `sign_v1` and `sign_acs3`
//! are the two signatures in use.

mod backends;
mod balancers;
mod egress;
mod envelope;
mod groups;
mod health;
mod ingress;
mod listeners;
mod replies;
mod requests;
mod sign_acs3;
mod sign_v1;
#[cfg(test)]
mod tests;
mod values;

use crate::dialect::{Provider, Showcase};

/// Alibaba Cloud SLB.
pub(super) const PROVIDER: Provider = Provider {
    id: "aliyun",
    ingress: &ingress::Slb,
    egress: &egress::Slb,
    schemes: &[&sign_acs3::Acs3, &sign_v1::V1],
    showcase: Showcase { request: include_str!("showcase.query"), snippet: include_str!("showcase.py") },
};
