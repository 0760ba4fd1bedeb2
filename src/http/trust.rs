//! Whom a client trusts: the public authorities, an operator's own, and a server certificate that the operator gave in
//! so many words.
//!
//! The last is what `openssl req -x509` makes and what people put beside a private endpoint. It calls itself an authority,
//! so the standard verifier refuses it as a server's (`CaUsedAsEndEntity`); here it is taken from the server whose
//! certificate is that very one, for the names that stand in it.

use std::sync::Arc;

use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    self, CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    crypto::CryptoProvider,
    server::ParsedCertificate,
};

/// Verifies as usual, and takes an operator's own certificate from the server that has it.
#[derive(Debug)]
pub(super) struct Trust {
    authorities: Arc<WebPkiServerVerifier>,
    own: Vec<CertificateDer<'static>>,
}

impl Trust {
    /// Trust in `roots`, and in the servers whose certificate is one of `own`.
    pub(super) fn new(
        roots: RootCertStore,
        own: Vec<CertificateDer<'static>>,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, rustls::client::VerifierBuilderError> {
        let authorities = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build()?;
        Ok(Self { authorities, own })
    }
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let usual =
            self.authorities.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match usual {
            Err(Error::InvalidCertificate(CertificateError::Other(_))) if self.own.contains(end_entity) => {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.authorities.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.authorities.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.authorities.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::Method;

    use crate::{
        http::{
            Client, SendError,
            loopback::{Identity, Loopback, Recorder},
        },
        wire::{Call, Reply},
    };

    /// What a client that trusts `trusted` gets from a server that has `shown`.
    async fn meet(shown: &Identity, trusted: &Identity) -> Result<Reply, SendError> {
        let (service, _arrivals) = Recorder::new();
        let house = Loopback::start_with(service, shown.shared()).await;
        let call = Call::new(Method::GET, &format!("https://{}", house.addr), "/", String::new());
        let client = Client::new(Some(&trusted.chain_pem())).unwrap();
        client.send(call, Duration::from_secs(5), 1024).await
    }

    #[tokio::test]
    async fn a_self_made_authority_is_taken_from_the_server_that_is_it() {
        let own = Identity::authority("127.0.0.1");
        assert!(meet(&own, &own).await.is_ok());
    }

    #[tokio::test]
    async fn it_is_not_taken_from_another_server_nor_for_another_name() {
        let (own, other) = (Identity::authority("127.0.0.1"), Identity::authority("127.0.0.1"));
        assert!(matches!(meet(&other, &own).await, Err(SendError::Unreachable(_))));
        let elsewhere = Identity::authority("lb.example");
        assert!(matches!(meet(&elsewhere, &elsewhere).await, Err(SendError::Unreachable(_))));
    }
}
