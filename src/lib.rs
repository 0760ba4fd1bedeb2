//! weighbridge

pub mod auth;
pub mod config;
pub mod crypto;
pub mod dialect;
pub mod mapping;
pub mod model;
pub mod providers;
pub mod wire;
