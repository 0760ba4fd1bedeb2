//! What tests need and cargo does not bring, installed once for each set of pins into a folder of the target directory.
//!
//! Several tests and several `cargo test` may want it at the same time: who holds the lock makes the folder under
//! another name and renames it when everything is in it, so a folder that is there is whole.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use weighbridge::crypto::{hex, sha256};

use super::{
    fixture,
    program::{Ended, announce, is_there, run},
};

/// Whether what has to be installed is not wanted.
pub fn are_skipped() -> bool {
    std::env::var_os("WEIGHBRIDGE_SKIP_SDK").is_some_and(|value| value == "1")
}

/// What was installed; the test fails where that could not be done.
pub fn or_fail<'m, T>(made: &'m Result<T, String>, need: &str) -> &'m T {
    made.as_ref().unwrap_or_else(|why| {
        panic!(
            "{why}\n{need} Mend the above and run them again, or set WEIGHBRIDGE_SKIP_SDK=1 to go without them."
        )
    })
}

/// The interpreter that has the packages of this list, a path below `tests/`.
pub fn python(list: &str, what: &str) -> Result<PathBuf, String> {
    let (pins, base) = (pins(list), base_python()?);
    // Packages with native parts belong to the interpreter that they were installed for.
    let pins = [pins.as_slice(), base.as_bytes()].concat();
    let home = made_once("venv", what, &pins, &|home| make_venv(home, list))?;
    Ok(home.join("bin/python"))
}

/// What a list of packages says, a path below `tests/`.
pub fn pins(list: &str) -> Vec<u8> {
    fs::read(fixture(list)).unwrap()
}

/// The folder of this kind for these pins; `make` fills it if nobody has yet.
pub fn made_once(
    kind: &str,
    what: &str,
    pins: &[u8],
    make: &dyn Fn(&Path) -> Result<(), String>,
) -> Result<PathBuf, String> {
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
    announce(&format!("installing {what}, once: {}", home.display()));
    let making = sdk.join(format!("{name}.making"));
    // What a run that was cut short has left behind. Whoever made it does no longer hold the lock.
    match fs::remove_dir_all(&making) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        Ok(()) | Err(_) => make(&making)?,
    }
    fs::rename(&making, &home).map_err(failed)?;
    Ok(home)
}

/// Runs a part of an installation.
pub fn succeed(command: &mut Command, or_else: &str) -> Result<(), String> {
    let Ended { code, out, err } = run(command, "", PATIENCE);
    if code == Some(0) { Ok(()) } else { Err(format!("{or_else}\n{out}{err}")) }
}

/// A package index may be far away and a machine may be busy.
const PATIENCE: Duration = Duration::from_mins(10);

/// Tells the interpreter apart from others, and what is wrong with it.
const PROBE: &str = "
import sys
if sys.version_info < (3, 10):
    sys.exit('python3 is ' + sys.version.split()[0] + ', and what the tests install needs 3.10 or newer')
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

fn make_venv(home: &Path, list: &str) -> Result<(), String> {
    succeed(Command::new("python3").args(["-m", "venv"]).arg(home), "python3 makes no virtual environment")?;
    let mut pip = Command::new(home.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "-r"]);
    succeed(
        pip.arg(fixture(list)),
        &format!(
            "pip cannot install tests/{list}; it needs a package index: pypi.org, or the one that PIP_INDEX_URL \
             names"
        ),
    )
}
