//! weighbridge

pub mod crypto;
pub mod mapping;
pub mod model;
pub mod wire;
