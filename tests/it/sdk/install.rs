//! The vendors' SDKs, installed once for each set of pins into a folder of the target directory.
//!
//! Several tests and several `cargo test` may want them at the same time: who holds the lock makes the folder under
//! another name and renames it when everything is in it, so a folder that is there is whole.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    time::Duration,
};

use weighbridge::crypto::{hex, sha256};

use crate::support::{
    fixture,
    program::{Ended, announce, is_there, run},
};

/// The interpreter that has the SDKs of `requirements.txt`.
pub fn python() -> &'static Path {
    static PYTHON: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let made = PYTHON.get_or_init(|| {
        let (pins, base) = (pins("requirements.txt"), base_python()?);
        // Packages with native parts belong to the interpreter that they were installed for.
        let home = made_once("venv", &[pins.as_slice(), base.as_bytes()].concat(), &make_venv)?;
        Ok(home.join("bin/python"))
    });
    made.as_ref().unwrap_or_else(|why| panic!("{why}\n{GO_ON}"))
}

/// The folder that has the modules of `package-lock.json`; none where there is no Node.
pub fn node_modules() -> Option<&'static Path> {
    static NODE: OnceLock<Result<Option<PathBuf>, String>> = OnceLock::new();
    let made = NODE.get_or_init(|| {
        if !["node", "npm"].into_iter().all(is_there) {
            return Ok(None);
        }
        let pins = [pins("package.json"), pins("package-lock.json")].concat();
        let home = made_once("node", &pins, &make_node_modules)?;
        Ok(Some(home.join("node_modules")))
    });
    made.as_ref().unwrap_or_else(|why| panic!("{why}\n{GO_ON}")).as_deref()
}

/// Whether the SDKs are not wanted.
pub fn are_skipped() -> bool {
    std::env::var_os("WEIGHBRIDGE_SKIP_SDK").is_some_and(|value| value == "1")
}

const GO_ON: &str = "These tests drive the vendors' own SDKs. Mend the above and run them again, \
                     or set WEIGHBRIDGE_SKIP_SDK=1 to go without them.";

/// A package index may be far away and a machine may be busy.
const PATIENCE: Duration = Duration::from_mins(10);

/// Tells the interpreter apart from others, and what is wrong with it.
const PROBE: &str = "
import sys
if sys.version_info < (3, 10):
    sys.exit('python3 is ' + sys.version.split()[0] + ', and the SDKs need 3.10 or newer')
try:
    import ensurepip, venv
except ImportError:
    sys.exit('python3 has no `venv` module; Debian and Ubuntu split it off: apt-get install python3-venv')
print(sys.version, sys.base_prefix)
";

fn base_python() -> Result<String, String> {
    if !is_there("python3") {
        return Err("there is no python3; install CPython 3.10 or newer, with its `venv` module".to_owned());
    }
    let Ended { code, out, err } = run(Command::new("python3").args(["-I", "-c", PROBE]), "", PATIENCE);
    if code == Some(0) { Ok(out) } else { Err(err.trim().to_owned()) }
}

fn make_venv(home: &Path) -> Result<(), String> {
    succeed(Command::new("python3").args(["-m", "venv"]).arg(home), "python3 makes no virtual environment")?;
    let mut pip = Command::new(home.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "-r"]);
    succeed(
        pip.arg(fixture("sdk/requirements.txt")),
        "pip cannot install tests/sdk/requirements.txt; it needs a package index: pypi.org, or the one that \
         PIP_INDEX_URL names",
    )
}

fn make_node_modules(home: &Path) -> Result<(), String> {
    fs::create_dir(home).map_err(|error| format!("{}: {error}", home.display()))?;
    for name in ["package.json", "package-lock.json"] {
        fs::write(home.join(name), pins(name)).map_err(|error| format!("{name}: {error}"))?;
    }
    succeed(
        Command::new("npm").args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(home),
        "npm cannot install tests/sdk/package-lock.json; it needs a registry: registry.npmjs.org, or the one that \
         npm_config_registry names",
    )
}

fn succeed(command: &mut Command, or_else: &str) -> Result<(), String> {
    let Ended { code, out, err } = run(command, "", PATIENCE);
    if code == Some(0) { Ok(()) } else { Err(format!("{or_else}\n{out}{err}")) }
}

fn pins(name: &str) -> Vec<u8> {
    fs::read(fixture("sdk").join(name)).unwrap()
}

/// The folder of this kind for these pins; `make` fills it if nobody has yet.
fn made_once(kind: &str, pins: &[u8], make: &dyn Fn(&Path) -> Result<(), String>) -> Result<PathBuf, String> {
    let name = format!("{kind}-{}", hex(&sha256(pins)[..8]));
    let sdk = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("sdk");
    let home = sdk.join(&name);
    let failed = |error: std::io::Error| format!("{}: {error}", home.display());
    fs::create_dir_all(&sdk).map_err(failed)?;
    let lock = File::create(sdk.join(format!("{name}.lock"))).map_err(failed)?;
    lock.lock().map_err(failed)?;
    if home.is_dir() {
        return Ok(home);
    }
    announce(&format!("installing the vendors' SDKs, once: {}", home.display()));
    let making = sdk.join(format!("{name}.making"));
    // What a run that was cut short has left behind. Whoever made it does no longer hold the lock.
    match fs::remove_dir_all(&making) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        Ok(()) | Err(_) => make(&making)?,
    }
    fs::rename(&making, &home).map_err(failed)?;
    Ok(home)
}
