//! Every mistake that a person makes in a config, a mapping file or a resource map: what `weighbridge check` says of it,
//! word for word, and that `weighbridge serve` does not start and says the same.
//!
//! A folder of `tests/broken` is a case: its files, and in `says.txt` what is said. `open.txt` names files that every user
//! of the machine can read. Certificates are made here, in `pki/`.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use tempfile::TempDir;

use crate::support::{
    fixture,
    program::{Ended, run},
    served::{PATIENCE, weighbridge},
};

/// How a secret of a case begins: nothing that is said may have it.
const SECRET: &str = "Zx9";

#[test]
fn check_says_what_is_wrong_and_what_to_write_instead() {
    let cases = cases();
    let told: Vec<String> = cases.iter().filter_map(|case| checked(case)).collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
    let broken = cases.iter().filter(|case| !is_good(&says(case))).count();
    assert!(broken >= 30, "{broken} broken cases");
}

#[test]
fn serve_starts_by_none_of_them_and_says_the_same() {
    for case in cases() {
        let says = says(&case);
        // A store that cannot be opened is found when the gateway binds, behind the config.
        if is_good(&says) || says.contains("the store cannot be used") {
            continue;
        }
        let Ended { code, out, err } = told("serve", &copied(&case));
        assert_eq!((code, out.as_str(), err.as_str()), (Some(1), "", says.as_str()), "{}", case.display());
    }
}

fn cases() -> Vec<PathBuf> {
    let folders = fs::read_dir(fixture("broken")).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<PathBuf> = folders.collect();
    cases.sort();
    cases
}

fn says(case: &Path) -> String {
    let file = case.join("says.txt");
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn is_good(says: &str) -> bool {
    says.lines().last().is_some_and(|line| line.starts_with("good: "))
}

/// What differs from what is to be said.
fn checked(case: &Path) -> Option<String> {
    let says = says(case);
    let Ended { code, out, err } = told("check", &copied(case));
    let wanted = i32::from(!is_good(&says));
    let is_told = out == says && code == Some(wanted) && err.is_empty() && !out.contains(SECRET);
    (!is_told)
        .then(|| format!("== {}, exit {code:?}\n-- says.txt\n{says}-- found\n{out}{err}", case.display()))
}

fn told(command: &str, folder: &TempDir) -> Ended {
    let mut program = weighbridge(&[command, "--config", "weighbridge.toml"]);
    program.current_dir(folder).env("SECRET", "Zx9Q").env("EMPTY", "").env_remove("UNSET");
    run(&mut program, "", PATIENCE)
}

/// A case in a folder of its own, which holds what cannot be committed: certificates, and who may read a file.
fn copied(case: &Path) -> TempDir {
    let folder = TempDir::new().unwrap();
    copy(case, folder.path());
    for (name, pem) in &*PKI {
        write(&folder.path().join("pki").join(name), pem.as_bytes());
    }
    let open = fs::read_to_string(case.join("open.txt")).unwrap_or_default();
    for name in open.lines() {
        fs::set_permissions(folder.path().join(name), fs::Permissions::from_mode(0o644)).unwrap();
    }
    folder
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let (from, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if from.is_dir() {
            fs::create_dir(&to).unwrap();
            copy(&from, &to);
        } else {
            write(&to, &fs::read(&from).unwrap());
        }
    }
}

fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// Certificates and keys by the names of their files.
static PKI: LazyLock<BTreeMap<&str, String>> = LazyLock::new(|| {
    let key = || KeyPair::generate().unwrap();
    let params = || CertificateParams::new(["lb.example".to_owned()]).unwrap();
    let (server, other, expired, future, authority) = (key(), key(), key(), key(), key());
    let mut past = params();
    (past.not_before, past.not_after) = (date_time_ymd(2019, 1, 1), date_time_ymd(2020, 1, 1));
    let mut coming = params();
    (coming.not_before, coming.not_after) = (date_time_ymd(4000, 1, 1), date_time_ymd(4001, 1, 1));
    let mut signs = params();
    signs.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    signs.distinguished_name.push(rcgen::DnType::CommonName, "authority");
    let signed = params().signed_by(&other, &Issuer::new(signs, &authority)).unwrap();
    BTreeMap::from([
        ("server.pem", params().self_signed(&server).unwrap().pem()),
        ("server.key", server.serialize_pem()),
        ("other.key", other.serialize_pem()),
        ("signed.pem", signed.pem()),
        ("expired.pem", past.self_signed(&expired).unwrap().pem()),
        ("expired.key", expired.serialize_pem()),
        ("future.pem", coming.self_signed(&future).unwrap().pem()),
        ("future.key", future.serialize_pem()),
    ])
});
