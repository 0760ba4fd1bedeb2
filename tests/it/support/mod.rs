//! What several tests need.

pub mod caller;
pub mod comparison;
pub mod house;
pub mod message;
pub mod rows;
pub mod signing;
pub mod target;
pub mod xml;

use std::path::PathBuf;

/// A path below `tests/`.
pub fn fixture(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests").join(path)
}
