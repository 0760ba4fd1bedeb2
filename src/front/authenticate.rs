//! Who is calling, by the rules of the caller's own cloud.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use jiff::Timestamp;

use super::detect::Speaker;
use crate::{
    auth::{Credential, Freshness, Keyring, Staleness},
    crypto::{Secret, same_bytes, sha256},
    dialect::{Arrival, Claim, Scheme},
    mapping::Shape,
    model::{Fault, FaultKind},
    store::{Memory, Store, Unavailable},
    wire::{excerpt, to_canonical},
};

/// Whose key is unknown: a request costs the same then as one with a wrong signature.
static NOBODY: LazyLock<Credential> =
    LazyLock::new(|| Credential { key_id: String::new(), secret: Secret::new("nobody"), token: None });

/// What a front knows of the owner of a key.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The place of the client in the config.
    pub client: usize,
    /// The name of its target.
    pub target: Arc<str>,
    /// The shape of its replies.
    pub shape: Shape,
}

/// Lets callers in whose signature is theirs, fresh, and used for the first time.
#[derive(Debug, Clone)]
pub struct Gate {
    /// The keys.
    pub keys: Keyring<Caller>,
    /// Where used nonces are kept.
    pub store: Arc<dyn Store>,
    /// Where those of reads are kept while the store cannot be used.
    pub spare: Arc<Memory>,
    /// How far a time stamp may be from now.
    pub skew: Duration,
}

/// Who was let in, and what two identical requests of theirs share where no nonce tells them apart.
#[derive(Debug)]
pub(super) struct Admission {
    pub(super) caller: Caller,
    pub(super) key_id: String,
    pub(super) repeat: Option<[u8; 32]>,
    /// Why nobody can tell for good whether it is a replay: then it may be a read at the most.
    pub(super) doubt: Option<Unavailable>,
}

impl Gate {
    /// A gate that knows these keys and keeps nonces in `store`.
    #[must_use]
    pub fn new(keys: Keyring<Caller>, store: Arc<dyn Store>, skew: Duration) -> Self {
        Self { keys, store, spare: Arc::default(), skew }
    }

    /// The gate that takes over from this one, with other keys: what was used once stays used.
    #[must_use]
    pub fn succeeded_by(&self, keys: Keyring<Caller>, skew: Duration) -> Self {
        Self { keys, store: Arc::clone(&self.store), spare: Arc::clone(&self.spare), skew }
    }

    /// Verifies the signature of an arrival.
    ///
    /// # Errors
    /// The fault that the caller's cloud answers: no signature, unknown key, wrong signature, stale, used before.
    pub(super) async fn admit(
        &self,
        speaker: &Speaker,
        arrival: &Arrival,
        now: Timestamp,
    ) -> Result<Admission, Fault> {
        let (scheme, claim) = claim_of(speaker, arrival)?;
        let known = self.keys.find(speaker.provider.id, claim.key_id);
        let credential = known.map_or(&*NOBODY, |(credential, _)| credential);
        let string_to_sign = scheme.string_to_sign(arrival);
        let verified = same_bytes(&scheme.signature(&string_to_sign, &credential.secret), &claim.signature);
        let Some((_, caller)) = known else {
            let detail = format!("`{}` is not the key id of a client of this gateway", excerpt(claim.key_id));
            return Err(Fault::new(FaultKind::UnknownKey, detail));
        };
        if !verified {
            return Err(Fault::new(FaultKind::SignatureMismatch, string_to_sign));
        }
        check_token(credential, &claim)?;
        let (caller, key_id) = (caller.clone(), claim.key_id.to_owned());
        let Some(freshness) = claim.freshness else {
            // Not of the string to sign: without boundaries, two requests can share one.
            let repeat = Some(sha256(to_canonical(arrival.params.pairs()).as_bytes()));
            return Ok(Admission { caller, key_id, repeat, doubt: None });
        };
        let doubt = self.check_freshness(claim.key_id, freshness, now).await?;
        Ok(Admission { caller, key_id, repeat: None, doubt })
    }

    async fn check_freshness(
        &self,
        key_id: &str,
        freshness: Freshness<'_>,
        now: Timestamp,
    ) -> Result<Option<Unavailable>, Fault> {
        freshness.check(now, self.skew).map_err(|staleness| {
            let kind = match staleness {
                Staleness::Malformed(_) => FaultKind::MalformedTimestamp,
                Staleness::TooFar { .. } => FaultKind::Expired,
            };
            Fault::new(kind, staleness.to_string())
        })?;
        // A request may be stamped as far ahead as behind, so its nonce has to be known for both.
        let keep = self.skew * 2;
        let (is_first, doubt) = match self.store.first_use(key_id, freshness.nonce, now, keep).await {
            Ok(is_first) => (is_first, None),
            Err(why) => (self.spare.is_first_use(key_id, freshness.nonce, now, keep), Some(why)),
        };
        if is_first {
            return Ok(doubt);
        }
        Err(Fault::new(FaultKind::NonceUsed, "draw a new nonce for every request, repeats included"))
    }
}

fn claim_of<'a>(speaker: &Speaker, arrival: &'a Arrival) -> Result<(&'static dyn Scheme, Claim<'a>), Fault> {
    let claims = speaker.provider.schemes.iter().find_map(|scheme| Some((*scheme, scheme.claim(arrival)?)));
    match claims {
        Some((scheme, claim)) => Ok((scheme, claim?)),
        None => Err(Fault::new(FaultKind::MalformedSignature, "it is signed by no scheme that is known")),
    }
}

/// A token that the config knows has to be there and be that one. One that it does not know is covered by the
/// signature, like every other parameter.
fn check_token(credential: &Credential, claim: &Claim<'_>) -> Result<(), Fault> {
    match (&credential.token, claim.token) {
        (None, _) => Ok(()),
        (Some(known), Some(told)) if known.is(told) => Ok(()),
        (Some(_), Some(_) | None) => Err(Fault::new(FaultKind::InvalidToken, "")),
    }
}
