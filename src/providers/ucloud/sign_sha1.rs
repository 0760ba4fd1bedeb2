//! The SHA-1 signature: sorted names and values, the private key, no separators.
//!
//! UCloud API, "Signature algorithm". There is neither time nor nonce nor boundary in it, so the ingress takes only
//! known names and no duplicates, and the engine answers an identical add from its record.

use data_encoding::HEXLOWER;
use http::{HeaderValue, Method, header};

use super::envelope;
use crate::{
    auth::{Credential, Stamp},
    crypto::{Secret, hex, sha1},
    dialect::{Arrival, Claim, Invocation, Scheme},
    model::{Fault, FaultKind},
    wire::{Call, Params, to_form},
};

/// The SHA-1 signature.
#[derive(Debug)]
pub(super) struct Sha1;

impl Scheme for Sha1 {
    fn id(&self) -> &'static str {
        "sha1"
    }

    fn claim<'a>(&self, arrival: &'a Arrival) -> Option<Result<Claim<'a>, Fault>> {
        Some(claim(&arrival.params))
    }

    fn key_id<'a>(&self, arrival: &'a Arrival) -> Option<&'a str> {
        arrival.params.filled("PublicKey")
    }

    fn string_to_sign(&self, arrival: &Arrival) -> String {
        string_to_sign(arrival.signed().pairs().filter(|(name, _)| *name != "Signature").collect())
    }

    fn signature(&self, string_to_sign: &str, secret: &Secret) -> Vec<u8> {
        sha1(&[string_to_sign.as_bytes(), secret.expose().as_bytes()]).to_vec()
    }

    fn sign(&self, invocation: &Invocation, origin: &str, credential: &Credential, _stamp: &Stamp) -> Call {
        let mut pairs = Vec::with_capacity(invocation.params.len() + 3);
        pairs.push(("Action", invocation.action.as_str()));
        pairs.extend(invocation.params.pairs());
        pairs.push(("PublicKey", &credential.key_id));
        pairs.extend(credential.token.as_ref().map(|token| ("SecurityToken", token.expose())));
        let mut body = to_form(&pairs);
        let signature = self.signature(&string_to_sign(pairs), &credential.secret);
        body.extend(["&Signature=", &hex(&signature)]);
        let mut call = Call::new(Method::POST, origin, "/", String::new());
        call.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(envelope::FORM));
        call.body = body.into();
        call
    }
}

fn claim(params: &Params) -> Result<Claim<'_>, Fault> {
    let needed = |name: &'static str| {
        params
            .filled(name)
            .ok_or_else(|| Fault::of_field(FaultKind::MissingCredential, name, "has to be sent"))
    };
    let key_id = needed("PublicKey")?;
    let signature = HEXLOWER.decode(needed("Signature")?.as_bytes()).map_err(|_| {
        Fault::of_field(
            FaultKind::MalformedSignature,
            "Signature",
            "it has to be 40 lower-case hexadecimal digits",
        )
    })?;
    Ok(Claim { key_id, signature, freshness: None, token: params.filled("SecurityToken") })
}

fn string_to_sign(mut pairs: Vec<(&str, &str)>) -> String {
    pairs.sort_unstable();
    let mut text = String::with_capacity(512);
    for (name, value) in pairs {
        text.extend([name, value]);
    }
    text
}
