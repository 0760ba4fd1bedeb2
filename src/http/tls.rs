//! Certificates and keys: from PEM files to what rustls works with. The provider is ring, named here and not taken
//! from the process, so that no other part of the program can change it.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls_pki_types::{
    CertificateDer, PrivateKeyDer,
    pem::{self, PemObject},
};
use tokio_rustls::rustls::{
    self, ClientConfig, ConfigBuilder, RootCertStore, ServerConfig, WantsVerifier, crypto::ring,
};

use super::trust::Trust;

/// Reads a certificate chain (leaf first) and its private key from PEM files, for a server.
///
/// # Errors
/// [`TlsError`], naming the file and what is wrong with it.
pub fn server_config(chain: &Path, key: &Path) -> Result<Arc<ServerConfig>, TlsError> {
    let certificates = certificates(&read(chain)?, &place(chain))?;
    let private_key = private_key(&read(key)?, &place(key))?;
    let mut config = with_ring(ServerConfig::builder_with_provider)?
        .with_no_client_auth()
        .with_single_cert(certificates, private_key)
        .map_err(|reason| TlsError::Pair { chain: chain.to_owned(), key: key.to_owned(), reason })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Trust in the public authorities, and in those of `extra_ca` (PEM).
pub(super) fn client_config(extra_ca: Option<&[u8]>) -> Result<ClientConfig, TlsError> {
    let mut roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    let own = extra_ca.map_or(Ok(Vec::new()), |pem| certificates(pem, EXTRA_CA))?;
    for certificate in &own {
        roots.add(certificate.clone()).map_err(|reason| TlsError::Authority { reason })?;
    }
    let config = with_ring(ClientConfig::builder_with_provider)?;
    let trust = Trust::new(roots, own, Arc::new(ring::default_provider())).map_err(TlsError::Verifier)?;
    Ok(config.dangerous().with_custom_certificate_verifier(Arc::new(trust)).with_no_client_auth())
}

/// Why TLS cannot be set up; the text is complete, there is no `source` to add to it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {place}: {reason}")]
    Unreadable {
        /// The file.
        place: String,
        /// Why not.
        reason: io::Error,
    },
    /// A text holds nothing of the kind that is wanted.
    #[error("{place} holds no {wanted} in PEM form (`-----BEGIN …-----`)")]
    Missing {
        /// The file.
        place: String,
        /// A certificate or a private key.
        wanted: &'static str,
    },
    /// A text is not PEM.
    #[error("{place} is not well-formed PEM: {reason}")]
    Malformed {
        /// The file.
        place: String,
        /// What is wrong with it.
        reason: pem::Error,
    },
    /// Certificate and key do not make a server.
    #[error("`{}` and the key in `{}` cannot serve TLS together: {reason}", chain.display(), key.display())]
    Pair {
        /// The file of the chain.
        chain: PathBuf,
        /// The file of the key.
        key: PathBuf,
        /// What rustls says.
        reason: rustls::Error,
    },
    /// A certificate that cannot be an authority.
    #[error("{EXTRA_CA} cannot be trusted: {reason}")]
    Authority {
        /// What rustls says.
        reason: rustls::Error,
    },
    /// rustls offers no protocol version with this provider.
    #[error("no TLS version to offer: {0}")]
    Provider(rustls::Error),
    /// Server certificates could not be verified with these authorities.
    #[error("no authority to verify with: {0}")]
    Verifier(rustls::client::VerifierBuilderError),
}

fn with_ring<C: rustls::ConfigSide>(
    builder: fn(Arc<rustls::crypto::CryptoProvider>) -> ConfigBuilder<C, rustls::WantsVersions>,
) -> Result<ConfigBuilder<C, WantsVerifier>, TlsError> {
    builder(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Provider)
}

fn certificates(pem: &[u8], place: &str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    const WANTED: &str = "certificate";
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match certificates {
        Ok(none) if none.is_empty() => Err(TlsError::Missing { place: place.to_owned(), wanted: WANTED }),
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(pem_error(error, place, WANTED)),
    }
}

fn private_key(pem: &[u8], place: &str) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|error| pem_error(error, place, "private key"))
}

fn pem_error(error: pem::Error, place: &str, wanted: &'static str) -> TlsError {
    let place = place.to_owned();
    if matches!(error, pem::Error::NoItemsFound) {
        TlsError::Missing { place, wanted }
    } else {
        TlsError::Malformed { place, reason: error }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|reason| TlsError::Unreadable { place: place(path), reason })
}

fn place(path: &Path) -> String {
    format!("`{}`", path.display())
}

const EXTRA_CA: &str = "the extra certificate authority";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::loopback::Identity;

    #[test]
    fn a_missing_file_is_named() {
        let identity = Identity::new();
        let error = server_config(Path::new("no-such.pem"), &identity.key).unwrap_err();
        assert!(error.to_string().starts_with("cannot read `no-such.pem`: "), "{error}");
    }

    #[test]
    fn a_key_where_the_certificate_belongs_is_named() {
        let identity = Identity::new();
        let error = server_config(&identity.key, &identity.key).unwrap_err().to_string();
        assert!(error.contains("key.pem` holds no certificate"), "{error}");
    }

    #[test]
    fn the_key_of_another_certificate_is_refused() {
        let (one, other) = (Identity::new(), Identity::new());
        let error = server_config(&one.chain, &other.key).unwrap_err();
        assert!(matches!(error, TlsError::Pair { .. }), "{error}");
    }

    #[test]
    fn an_authority_that_is_not_pem_is_refused() {
        let error = client_config(Some(b"not a certificate")).unwrap_err().to_string();
        assert!(error.starts_with("the extra certificate authority holds no certificate"), "{error}");
    }
}
