//! What several tests need.

pub mod admin;
pub mod breaker;
pub mod browser;
pub mod caller;
pub mod comparison;
pub mod house;
pub mod install;
pub mod message;
pub mod outpost;
pub mod postgres;
pub mod program;
pub mod replica;
pub mod rows;
pub mod scene;
pub mod served;
pub mod signer;
pub mod signing;
pub mod site;
pub mod tap;
pub mod target;
pub mod xml;

use std::path::{Path, PathBuf};

use weighbridge::{
    config::{Config, Known, load_text},
    mapping::SourceText,
};

/// A path below `tests/`.
pub fn fixture(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests").join(path)
}

/// The embedded default, as `serve` and `demo` use it.
pub fn demo_config() -> Config {
    demo_config_with(include_str!("../../../mappings/resources.example.toml"))
}

/// The same, with another resource map.
pub fn demo_config_with(resources: &str) -> Config {
    let config = SourceText::new("demo.toml", include_str!("../../../mappings/demo.toml"));
    let resources = SourceText::new("resources.toml", resources);
    let known = [
        Known { provider: "aliyun", schemes: &["acs3", "v1"] },
        Known { provider: "ucloud", schemes: &["sha1"] },
    ];
    load_text(&config, Some(&resources), Path::new("."), &|_| None, &known).unwrap()
}
