//! What an operator writes: a config in a folder of its own.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use super::house::Clouds;

/// A folder with files of an operator's.
pub struct Site(TempDir);

impl Site {
    /// A folder with this config and the embedded resource map.
    pub fn with(config: &str) -> Self {
        let site = Self(TempDir::new().unwrap());
        site.write("weighbridge.toml", config);
        site.write("resources.toml", include_str!("../../../mappings/resources.example.toml"));
        site
    }

    /// Writes a file; where it is.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// Where the config is.
    pub fn config(&self) -> String {
        self.path("weighbridge.toml")
    }

    /// Where a file is.
    pub fn path(&self, name: &str) -> String {
        let path: &Path = &self.0.path().join(name);
        path.display().to_string()
    }
}

/// A config of the embedded default's clients and targets, with the targets at these origins.
pub fn config(aliyun: &str, ucloud: &str) -> String {
    format!(
        r#"listen = "127.0.0.1:0"
resources = "resources.toml"

[targets.aliyun-simulated]
provider = "aliyun"
endpoint = "{aliyun}"
key_id = "demo-gateway-key"
secret = "demo-gateway-secret"
region = "cn-hangzhou"

[targets.ucloud-simulated]
provider = "ucloud"
endpoint = "{ucloud}"
key_id = "demo-gateway-key"
secret = "demo-gateway-secret"
project = "org-abc123"
region = "cn-bj2"

[[clients]]
dialect = "aliyun"
key_id = "demo-aliyun"
secret = "demo-aliyun-secret"
target = "ucloud-simulated"

[[clients]]
dialect = "ucloud"
key_id = "demo-ucloud"
secret = "demo-ucloud-secret"
target = "aliyun-simulated"
"#
    )
}

/// A config whose targets are `clouds`.
pub fn config_of(clouds: &Clouds) -> String {
    config(clouds.origin("aliyun-simulated"), clouds.origin("ucloud-simulated"))
}
