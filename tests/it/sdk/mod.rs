//! The vendors' own SDKs as callers: what they send is read, and what they are answered they parse.
//!
//! Each test asserts on both ends: on what the SDK's own parser gave its caller, and on what the simulated cloud behind
//! the gateway holds. `tests/sdk/README.md` tells how to run the same drivers by hand.

mod aliyun;
mod aliyun_life;
pub mod driver;
pub mod install;
mod life;
mod ucloud;
mod ucloud_life;
mod welcome;
