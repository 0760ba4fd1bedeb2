//! weighbridge

pub mod auth;
pub mod cli;
pub mod config;
pub mod crypto;
pub mod dialect;
pub mod engine;
pub mod front;
pub mod gateway;
pub mod http;
pub mod mapping;
pub mod model;
pub mod providers;
pub mod simulator;
pub mod store;
pub mod wire;
