//! weighbridge

pub mod cli;
pub mod crypto;
pub mod wire;
