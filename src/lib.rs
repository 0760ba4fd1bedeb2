//! weighbridge

pub mod crypto;
pub mod http;
pub mod wire;
