//! Certificates and keys, looked at before anybody meets them. A handshake that fails tells its reason to the other side
//! and to nobody who could mend it.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use rustls_pki_types::{
    CertificateDer, PrivateKeyDer, ServerName, UnixTime,
    pem::{self, PemObject},
};
use tokio_rustls::rustls::{
    CertificateError, Error, RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
    crypto::ring,
    sign::CertifiedKey,
};

/// What is wrong with a certificate or a key, as the end of a sentence that begins with its file. No text repeats what
/// the file holds: it may be a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateFlaw {
    /// Nothing of the kind that is wanted.
    #[error("holds no {0} in PEM form; write a file that has a line -----BEGIN {1}-----")]
    Missing(&'static str, &'static str),
    /// A key that a password protects.
    #[error("holds a private key under a password; write one without: openssl pkey -in OLD -out NEW")]
    Encrypted,
    /// PEM that is cut short or garbled.
    #[error("is broken PEM: {0}; copy the file anew")]
    Malformed(&'static str),
    /// PEM around something else.
    #[error("holds a certificate that cannot be read; have it made anew")]
    Unreadable,
    /// Its time is over.
    #[error("holds a certificate that expired on {0}; renew it")]
    Expired(Timestamp),
    /// Its time has not come.
    #[error(
        "holds a certificate that is not valid before {0}; set this machine's clock, or have it made anew"
    )]
    NotYetValid(Timestamp),
    /// A key of an algorithm or a size that TLS does not take here.
    #[error(
        "holds a private key that TLS cannot use; write one of RSA with 2048 bits or more, ECDSA P-256 or P-384, Ed25519"
    )]
    UselessKey,
    /// A key of another certificate.
    #[error("holds the key of another certificate; write the key of the first one in that file")]
    OtherKey,
    /// A certificate that another one has signed, and that signs none.
    #[error(
        "holds the certificate of a server, not of an authority; write the one of the authority that signed it"
    )]
    NoAuthority,
}

/// The certificates of a PEM file.
///
/// # Errors
/// [`CertificateFlaw`] where there is none, or one that is not whole.
pub fn read_certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, CertificateFlaw> {
    const MISSING: CertificateFlaw = CertificateFlaw::Missing("certificate", "CERTIFICATE");
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let certificates = certificates.map_err(|error| told(&error, MISSING))?;
    if certificates.is_empty() { Err(MISSING) } else { Ok(certificates) }
}

/// The private key of a PEM file.
///
/// # Errors
/// [`CertificateFlaw`] where there is none, or one that is not whole.
pub fn read_private_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, CertificateFlaw> {
    let is_encrypted = pem.windows(ENCRYPTED.len()).any(|window| window == ENCRYPTED);
    let missing = CertificateFlaw::Missing("private key", "PRIVATE KEY");
    let missing = if is_encrypted { CertificateFlaw::Encrypted } else { missing };
    PrivateKeyDer::from_pem_slice(pem).map_err(|error| told(&error, missing))
}

/// Looks at what is to be shown to clients.
///
/// # Errors
/// [`CertificateFlaw`] of the first certificate that no client takes at that moment.
pub fn check_chain(chain: &[CertificateDer<'_>], now: Timestamp) -> Result<(), CertificateFlaw> {
    chain.iter().try_for_each(|certificate| match looked_at(certificate, now)? {
        Verdict::Authority | Verdict::Own | Verdict::OfAnother => Ok(()),
    })
}

/// Looks at whether a key is the one of a chain's first certificate.
///
/// # Errors
/// [`CertificateFlaw`] of the key.
pub fn check_key(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<(), CertificateFlaw> {
    match CertifiedKey::from_der(chain, key, &ring::default_provider()) {
        Ok(_) => Ok(()),
        Err(Error::InconsistentKeys(_)) => Err(CertificateFlaw::OtherKey),
        Err(Error::InvalidCertificate(_)) => Err(CertificateFlaw::Unreadable),
        Err(_) => Err(CertificateFlaw::UselessKey),
    }
}

/// Looks at what is to be trusted: an authority, or a server's certificate that nobody else has signed.
///
/// # Errors
/// [`CertificateFlaw`] of the first that can be neither.
pub fn check_authorities(trusted: &[CertificateDer<'_>], now: Timestamp) -> Result<(), CertificateFlaw> {
    trusted.iter().try_for_each(|certificate| match looked_at(certificate, now)? {
        Verdict::Authority | Verdict::Own => Ok(()),
        Verdict::OfAnother => Err(CertificateFlaw::NoAuthority),
    })
}

/// What a certificate is.
enum Verdict {
    /// One that signs others.
    Authority,
    /// A server's, signed by itself.
    Own,
    /// A server's, signed by somebody else.
    OfAnother,
}

/// Verifies a certificate as a server's, with itself for an authority: the one way to have rustls read it to its end.
fn looked_at(certificate: &CertificateDer<'_>, now: Timestamp) -> Result<Verdict, CertificateFlaw> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone().into_owned()).map_err(|_| CertificateFlaw::Unreadable)?;
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::new(ring::default_provider()))
            .build()
            .map_err(|_| CertificateFlaw::Unreadable)?;
    let seconds = u64::try_from(now.as_second()).unwrap_or_default();
    let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    // Whether a name fits is looked at last, and any will do to get there.
    let anybody = ServerName::from(IpAddr::from(Ipv4Addr::LOCALHOST));
    let Err(Error::InvalidCertificate(flaw)) =
        verifier.verify_server_cert(certificate, &[], &anybody, &[], now)
    else {
        return Ok(Verdict::Own);
    };
    // That it is an authority comes as one of "other" reasons.
    let is_authority = matches!(flaw, CertificateError::Other(_));
    if let CertificateError::ExpiredContext { not_after, .. } = flaw {
        Err(CertificateFlaw::Expired(moment(not_after)))
    } else if let CertificateError::NotValidYetContext { not_before, .. } = flaw {
        Err(CertificateFlaw::NotYetValid(moment(not_before)))
    } else if flaw == CertificateError::BadEncoding {
        Err(CertificateFlaw::Unreadable)
    } else if flaw == CertificateError::UnknownIssuer {
        Ok(Verdict::OfAnother)
    } else {
        Ok(if is_authority { Verdict::Authority } else { Verdict::Own })
    }
}

fn moment(time: UnixTime) -> Timestamp {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
}

fn told(error: &pem::Error, missing: CertificateFlaw) -> CertificateFlaw {
    let what = if matches!(error, pem::Error::NoItemsFound) {
        return missing;
    } else if matches!(error, pem::Error::MissingSectionEnd { .. }) {
        "it has no line -----END …-----"
    } else if matches!(error, pem::Error::IllegalSectionStart { .. }) {
        "its line -----BEGIN …----- is not whole"
    } else {
        "what stands between its lines is no Base64"
    };
    CertificateFlaw::Malformed(what)
}

const ENCRYPTED: &[u8] = b"-----BEGIN ENCRYPTED PRIVATE KEY-----";

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};

    use super::*;

    fn now() -> Timestamp {
        "2026-01-02T03:04:05Z".parse().unwrap()
    }

    fn params(name: &str, is_ca: IsCa) -> CertificateParams {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        (params.is_ca, params.not_after) = (is_ca, date_time_ymd(2026, 2, 1));
        params.not_before = date_time_ymd(2026, 1, 1);
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params
    }

    fn own(params: &CertificateParams) -> Vec<CertificateDer<'static>> {
        vec![params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().clone()]
    }

    #[test]
    fn a_certificate_is_taken_within_its_time_only() {
        let good = own(&params("a.example", IsCa::NoCa));
        let at = |text: &str| check_chain(&good, text.parse().unwrap());
        assert_eq!(check_chain(&good, now()), Ok(()));
        let (begin, end) = ("2026-01-01T00:00:00Z".parse().unwrap(), "2026-02-01T00:00:00Z".parse().unwrap());
        assert_eq!(at("2026-03-01T00:00:00Z"), Err(CertificateFlaw::Expired(end)));
        assert_eq!(at("2025-03-01T00:00:00Z"), Err(CertificateFlaw::NotYetValid(begin)));
        let garbage = CertificateDer::from(vec![0x30, 0x00]);
        assert_eq!(check_chain(&[garbage], now()), Err(CertificateFlaw::Unreadable));
    }

    #[test]
    fn any_certificate_of_a_chain_counts() {
        let (leaf, mut old) = (params("a.example", IsCa::NoCa), params("b", CA));
        old.not_after = date_time_ymd(2026, 1, 2);
        let chain = [own(&leaf), own(&old)].concat();
        let told = check_chain(&chain, now()).unwrap_err().to_string();
        assert_eq!(told, "holds a certificate that expired on 2026-01-02T00:00:00Z; renew it");
    }

    #[test]
    fn what_can_vouch_for_a_server_is_trusted() {
        let (authority, key) = (params("ca", CA), KeyPair::generate().unwrap());
        let issuer = Issuer::new(authority.clone(), &key);
        let of_another = params("a.example", IsCa::NoCa).signed_by(&KeyPair::generate().unwrap(), &issuer);
        let of_another = [of_another.unwrap().der().clone()];
        assert_eq!(check_authorities(&own(&authority), now()), Ok(()));
        assert_eq!(check_authorities(&own(&params("a.example", IsCa::NoCa)), now()), Ok(()));
        assert_eq!(check_authorities(&of_another, now()), Err(CertificateFlaw::NoAuthority));
        assert_eq!(check_chain(&of_another, now()), Ok(()));
    }

    #[test]
    fn a_key_belongs_to_one_certificate() {
        let (key, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let chain = vec![params("a.example", IsCa::NoCa).self_signed(&key).unwrap().der().clone()];
        let of = |key: &KeyPair| read_private_key(key.serialize_pem().as_bytes()).unwrap();
        assert_eq!(check_key(chain.clone(), of(&key)), Ok(()));
        assert_eq!(check_key(chain.clone(), of(&other)), Err(CertificateFlaw::OtherKey));
        let garbage = PrivateKeyDer::Pkcs8(vec![0x30, 0x00].into());
        assert_eq!(check_key(chain, garbage), Err(CertificateFlaw::UselessKey));
    }

    #[test]
    fn what_is_wrong_with_a_pem_file_is_told_without_its_text() {
        let cases = [
            (
                "Zx9Q",
                "holds no private key in PEM form; write a file that has a line -----BEGIN PRIVATE KEY-----",
            ),
            (
                "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
                "holds no private key in PEM form",
            ),
            (
                "-----BEGIN ENCRYPTED PRIVATE KEY-----\nZx9Q\n-----END ENCRYPTED PRIVATE KEY-----\n",
                "holds a private key under a password",
            ),
            ("-----BEGIN PRIVATE KEY-----\nZx9Q", "is broken PEM: it has no line -----END"),
            (
                "-----BEGIN PRIVATE KEY-----\nZx9Q*\n-----END PRIVATE KEY-----\n",
                "is broken PEM: what stands between its lines is no Base64",
            ),
            (
                "-----BEGIN PRIVATE KEY\nZx9Q\n-----END PRIVATE KEY-----\n",
                "is broken PEM: its line -----BEGIN …----- is not whole",
            ),
        ];
        for (text, wanted) in cases {
            let told = read_private_key(text.as_bytes()).unwrap_err().to_string();
            assert!(told.starts_with(wanted) && !told.contains("Zx9Q"), "{text}\n{told}");
        }
        let told = read_certificates(b"Zx9Q").unwrap_err().to_string();
        assert!(told.starts_with("holds no certificate in PEM form"), "{told}");
    }

    const CA: IsCa = IsCa::Ca(BasicConstraints::Unconstrained);
}
