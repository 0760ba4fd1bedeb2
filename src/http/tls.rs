//! Certificates and keys: from PEM files to what rustls works with. The provider is ring, named here and not taken
//! from the process, so that no other part of the program can change it.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio_rustls::rustls::{
    self, ClientConfig, ConfigBuilder, RootCertStore, ServerConfig, WantsVerifier, crypto::ring,
};

use super::{
    certificate::{CertificateFlaw, read_certificates, read_private_key},
    trust::Trust,
};

/// Reads a certificate chain (leaf first) and its private key from PEM files, for a server.
///
/// # Errors
/// [`TlsError`], naming the file and what is wrong with it.
pub fn server_config(chain: &Path, key: &Path) -> Result<Arc<ServerConfig>, TlsError> {
    let flawed = |path| move |flaw| TlsError::Flawed { place: place(path), flaw };
    let certificates = read_certificates(&read(chain)?).map_err(flawed(chain))?;
    let private_key = read_private_key(&read(key)?).map_err(flawed(key))?;
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
    let own = extra_ca.map_or(Ok(Vec::new()), read_certificates);
    let own = own.map_err(|flaw| TlsError::Flawed { place: EXTRA_CA.to_owned(), flaw })?;
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
    /// A text does not hold what is wanted.
    #[error("{place} {flaw}")]
    Flawed {
        /// The file.
        place: String,
        /// What is wrong with it.
        flaw: CertificateFlaw,
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
