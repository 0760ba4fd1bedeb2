//! What several tests need.

pub mod message;

use std::path::PathBuf;

/// A path below `tests/`.
pub fn fixture(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests").join(path)
}
