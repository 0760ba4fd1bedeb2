//! The files that a config names: read, and looked at as far as their kind goes.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rustls_pki_types::{
    CertificateDer, PrivateKeyDer,
    pem::{self, PemObject},
};

use super::{
    TlsFiles, Watched,
    raw::{RawTls, Word},
    resolve::Resolver,
};
use crate::mapping::SourceText;

impl Resolver<'_> {
    /// The directory that `word` names.
    pub(super) fn directory(&mut self, word: &Word) -> Option<PathBuf> {
        let path = self.path(word.get_ref());
        match fs::read_dir(&path) {
            Ok(_) => Some(path),
            Err(error) => {
                let what = format!("the directory `{}` cannot be read: {error}; {WHERE}", path.display());
                self.report.error(word.span(), what);
                None
            }
        }
    }

    /// The text file that `word` names.
    pub(super) fn source(&mut self, word: &Word) -> Option<SourceText> {
        let text = self.text(word, word.get_ref())?;
        Some(SourceText::new(&self.base_dir.join(word.get_ref()).display().to_string(), &text))
    }

    /// The text of the file at `path`, which `word` names.
    pub(super) fn text(&mut self, word: &Word, path: &str) -> Option<String> {
        let path = self.path(path);
        self.kept(word, &path, fs::read_to_string(&path))
    }

    /// The certificates that `word` names, as they stand in the file.
    pub(super) fn authority(&mut self, word: &Word) -> Option<Vec<u8>> {
        self.pem(word, "certificate", certificates).map(|(_, bytes)| bytes)
    }

    /// The files of a server certificate.
    pub(super) fn tls(&mut self, raw: RawTls) -> Option<TlsFiles> {
        let RawTls { cert, key } = raw;
        let cert = cert.and_then(|cert| self.pem(&cert, "certificate", certificates));
        let key = key.and_then(|key| self.pem(&key, "private key", private_key));
        Some(TlsFiles { cert: cert?.0, key: key?.0 })
    }

    fn pem(
        &mut self,
        word: &Word,
        wanted: &str,
        look: fn(&[u8]) -> Result<(), pem::Error>,
    ) -> Option<(PathBuf, Vec<u8>)> {
        let path = self.path(word.get_ref());
        let bytes = self.kept(word, &path, fs::read(&path))?;
        if let Err(error) = look(&bytes) {
            let file = path.display();
            let what =
                format!("`{file}` holds no {wanted} in PEM form (-----BEGIN …-----): {error}; {WHERE}");
            self.report.error(word.span(), what);
            return None;
        }
        Some((path, bytes))
    }

    fn path(&mut self, path: &str) -> PathBuf {
        let path = self.base_dir.join(path);
        self.files.push(Watched::now(&path));
        path
    }

    fn kept<T>(&mut self, word: &Word, path: &Path, read: io::Result<T>) -> Option<T> {
        let unreadable = |error| format!("`{}` cannot be read: {error}; {WHERE}", path.display());
        read.map_err(|error| self.report.error(word.span(), unreadable(error))).ok()
    }
}

const WHERE: &str = "write a path, absolute or from where the config file is";

fn certificates(pem: &[u8]) -> Result<(), pem::Error> {
    let found = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>()?;
    if found.is_empty() { Err(pem::Error::NoItemsFound) } else { Ok(()) }
}

fn private_key(pem: &[u8]) -> Result<(), pem::Error> {
    PrivateKeyDer::from_pem_slice(pem).map(|_| ())
}
