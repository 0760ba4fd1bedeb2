//! One test binary: everything that is seen from outside of one module.
#![expect(unreachable_pub, reason = "a test binary has no public API")]
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod broken;
mod commands;
mod corpus;
mod crash;
mod deploy;
mod engine;
mod explained;
mod fault_matrix;
mod fields;
mod golden;
mod layering;
mod life;
mod limits;
mod lines;
mod metrics;
mod overload;
mod page;
mod passing;
mod places;
mod postgres;
mod readme;
mod recovery;
mod refusals;
mod reload;
mod repeats;
mod replays;
mod replicas;
mod robustness;
mod safe_refusals;
mod sdk;
mod shapes;
mod signatures;
#[cfg(feature = "otlp")]
mod spans;
mod stores;
mod support;
