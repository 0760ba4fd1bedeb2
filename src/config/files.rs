//! The files that a config names: read, and looked at as far as their kind goes.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::{
    TlsFiles, Watched,
    raw::{RawTls, Word},
    resolve::Resolver,
};
use crate::{
    auth::Stamps,
    http::{CertificateFlaw, check_authorities, check_chain, check_key, read_certificates, read_private_key},
    mapping::SourceText,
};

impl Resolver<'_> {
    /// The directory that `word` names.
    pub(super) fn directory(&mut self, word: &Word) -> Option<PathBuf> {
        let path = self.path(word, word.get_ref())?;
        match fs::read_dir(&path) {
            Ok(_) => Some(path),
            Err(error) => {
                self.report.error(word.span(), unreadable(&path, &error));
                None
            }
        }
    }

    /// The text file that `word` names.
    pub(super) fn source(&mut self, word: &Word) -> Option<SourceText> {
        let path = self.path(word, word.get_ref())?;
        let text = self.kept(word, &path, fs::read_to_string(&path))?;
        Some(SourceText::new(&path.display().to_string(), &text))
    }

    /// The text of the file at `path`, which `word` names. One that is a secret is nobody else's to read.
    pub(super) fn text(&mut self, word: &Word, path: &str, is_secret: bool) -> Option<String> {
        let path = self.path(word, path)?;
        let text = self.kept(word, &path, fs::read_to_string(&path))?;
        if is_secret {
            self.check_privacy(word, &path);
        }
        Some(text)
    }

    /// The certificates that `word` names, as they stand in the file.
    pub(super) fn authority(&mut self, word: &Word) -> Option<Vec<u8>> {
        let (path, bytes) = self.bytes(word)?;
        let looked_at =
            read_certificates(&bytes).and_then(|trusted| judged(|now| check_authorities(&trusted, now)));
        match looked_at {
            Ok(()) => Some(bytes),
            // Nobody looks at the time of an authority that is trusted by name.
            Err(flaw @ CertificateFlaw::Expired(_)) => {
                self.report.warn(word.span(), flawed(&path, &flaw));
                Some(bytes)
            }
            Err(flaw) => {
                self.report.error(word.span(), flawed(&path, &flaw));
                None
            }
        }
    }

    /// The files of a server certificate.
    pub(super) fn tls(&mut self, raw: RawTls) -> Option<TlsFiles> {
        let RawTls { cert, key } = raw;
        let chain = cert.and_then(|word| self.chain(&word));
        let key = key.and_then(|word| self.private_key(&word));
        let ((cert, chain), (word, key, private_key)) = (chain?, key?);
        if let Err(flaw) = check_key(chain, private_key) {
            let what = if flaw == CertificateFlaw::OtherKey {
                let (key, cert) = (key.display(), cert.display());
                format!("`{key}` is not the key of the first certificate in `{cert}`; write the one that is")
            } else {
                flawed(&key, &flaw)
            };
            self.report.error(word.span(), what);
            return None;
        }
        Some(TlsFiles { cert, key })
    }

    fn chain(&mut self, word: &Word) -> Option<(PathBuf, Vec<CertificateDer<'static>>)> {
        let (path, bytes) = self.bytes(word)?;
        let looked_at = read_certificates(&bytes).and_then(|chain| {
            judged(|now| check_chain(&chain, now))?;
            Ok(chain)
        });
        let chain = looked_at.map_err(|flaw| self.report.error(word.span(), flawed(&path, &flaw))).ok()?;
        Some((path, chain))
    }

    fn private_key(&mut self, word: &Word) -> Option<(Word, PathBuf, PrivateKeyDer<'static>)> {
        let (path, bytes) = self.bytes(word)?;
        self.check_privacy(word, &path);
        let key = read_private_key(&bytes);
        let key = key.map_err(|flaw| self.report.error(word.span(), flawed(&path, &flaw))).ok()?;
        Some((word.clone(), path, key))
    }

    fn bytes(&mut self, word: &Word) -> Option<(PathBuf, Vec<u8>)> {
        let path = self.path(word, word.get_ref())?;
        let bytes = self.kept(word, &path, fs::read(&path))?;
        Some((path, bytes))
    }

    /// A path as the operator meant it. What is none may be the secret itself, so no message repeats it.
    fn path(&mut self, word: &Word, path: &str) -> Option<PathBuf> {
        let flaw = if path.is_empty() {
            "this names no file"
        } else if path.contains(['\n', '\0']) || path.contains("-----") {
            "this is the text of a file, where its path has to stand"
        } else {
            let path = self.base_dir.join(path);
            self.files.push(Watched::now(&path));
            return Some(path);
        };
        self.report.error(word.span(), format!("{flaw}; {WHERE}"));
        None
    }

    fn kept<T>(&mut self, word: &Word, path: &Path, read: io::Result<T>) -> Option<T> {
        read.map_err(|error| self.report.error(word.span(), unreadable(path, &error))).ok()
    }

    /// Whoever can read a secret has it.
    fn check_privacy(&mut self, word: &Word, path: &Path) {
        if is_open_to_all(path) {
            let file = path.display();
            let what = format!("every user of this machine can read `{file}`; run: chmod o-r {file}");
            self.report.warn(word.span(), what);
        }
    }

    /// The same for the config itself, where a secret stands in it.
    pub(super) fn check_own_privacy(&mut self) {
        let file = self.report.place(0..0).file;
        if self.holds_secret && is_open_to_all(Path::new(&*file)) {
            let what = format!(
                "this file holds secrets, and every user of this machine can read it; run: chmod o-r {file}"
            );
            self.report.warn(0..0, what);
        }
    }
}

fn is_open_to_all(path: &Path) -> bool {
    const OTHERS_READ: u32 = 0o004;
    fs::metadata(path).is_ok_and(|file| file.permissions().mode() & OTHERS_READ != 0)
}

/// Judges by the present. A system that has no stamps to give starts nothing, and is told so there.
fn judged(judge: impl FnOnce(Timestamp) -> Result<(), CertificateFlaw>) -> Result<(), CertificateFlaw> {
    Stamps::system().map_or(Ok(()), |stamps| judge(stamps.next().now))
}

fn flawed(path: &Path, flaw: &CertificateFlaw) -> String {
    format!("`{}` {flaw}", path.display())
}

fn unreadable(path: &Path, error: &io::Error) -> String {
    let path = path.display();
    match UNREADABLE.iter().find(|(kind, _)| *kind == error.kind()) {
        Some((_, why)) => format!("`{path}` {why}"),
        None => format!("`{path}` cannot be read: {error}; {WHERE}"),
    }
}

/// Why a file cannot be read, where the system's own words do not say what to do.
const UNREADABLE: [(io::ErrorKind, &str); 5] = [
    (io::ErrorKind::NotFound, "is not there; write a path, absolute or from where the config file is"),
    (
        io::ErrorKind::PermissionDenied,
        "may not be read by this user; let the one who runs weighbridge read it",
    ),
    (io::ErrorKind::InvalidData, "is no text; write the path of a text file in UTF-8"),
    (io::ErrorKind::IsADirectory, "is a directory; write the path of a file"),
    (io::ErrorKind::NotADirectory, "is no directory; write the path of one"),
];

const WHERE: &str = "write a path, absolute or from where the config file is";
