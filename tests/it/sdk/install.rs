//! The vendors' SDKs, installed once for each set of pins.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use crate::support::{
    install::{self, made_once, or_fail, pins, succeed},
    program::is_there,
};

const WHAT: &str = "the vendors' SDKs";
const NEED: &str = "These tests drive the vendors' own SDKs.";

/// The interpreter that has the SDKs of `requirements.txt`.
pub fn python() -> &'static Path {
    static PYTHON: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    or_fail(PYTHON.get_or_init(|| install::python("sdk/requirements.txt", WHAT)), NEED).as_path()
}

/// The folder that has the modules of `package-lock.json`; none where there is no Node.
pub fn node_modules() -> Option<&'static Path> {
    static NODE: OnceLock<Result<Option<PathBuf>, String>> = OnceLock::new();
    let made = NODE.get_or_init(|| {
        if !["node", "npm"].into_iter().all(is_there) {
            return Ok(None);
        }
        let pins = [pins("sdk/package.json"), pins("sdk/package-lock.json")].concat();
        let home = made_once("node", WHAT, &pins, &make_node_modules)?;
        Ok(Some(home.join("node_modules")))
    });
    or_fail(made, NEED).as_deref()
}

fn make_node_modules(home: &Path) -> Result<(), String> {
    fs::create_dir(home).map_err(|error| format!("{}: {error}", home.display()))?;
    for name in ["package.json", "package-lock.json"] {
        let pins = pins(&format!("sdk/{name}"));
        fs::write(home.join(name), pins).map_err(|error| format!("{name}: {error}"))?;
    }
    succeed(
        Command::new("npm").args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(home),
        "npm cannot install tests/sdk/package-lock.json; it needs a registry: registry.npmjs.org, or the one that \
         npm_config_registry names",
    )
}
