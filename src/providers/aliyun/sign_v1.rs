//! RPC signature 1.0, HMAC-SHA1: the older of the two, still what most tools send.
//!
//! Alibaba Cloud, "Request signatures" of the RPC APIs. Query and form parameters are one set; the path is always
//! `/`; the host is not signed; the method is.

use data_encoding::BASE64;
use http::Method;

use super::envelope;
use crate::{
    auth::{Credential, Freshness, Stamp},
    crypto::Secret,
    dialect::{Arrival, Claim, Invocation, Scheme},
    model::{Fault, FaultKind},
    wire::{Call, Params, encode_canonical},
};

/// RPC signature 1.0.
#[derive(Debug)]
pub(super) struct V1;

const METHOD: &str = "HMAC-SHA1";
const VERSION: &str = "1.0";

impl Scheme for V1 {
    fn id(&self) -> &'static str {
        "v1"
    }

    fn claim<'a>(&self, arrival: &'a Arrival) -> Option<Result<Claim<'a>, Fault>> {
        Some(claim(&arrival.params))
    }

    fn key_id<'a>(&self, arrival: &'a Arrival) -> Option<&'a str> {
        arrival.params.filled("AccessKeyId")
    }

    fn string_to_sign(&self, arrival: &Arrival) -> String {
        string_to_sign(&arrival.call.method, arrival.params.pairs().filter(|(name, _)| *name != "Signature"))
    }

    fn signature(&self, string_to_sign: &str, secret: &Secret) -> Vec<u8> {
        secret.hmac_sha1("&", string_to_sign.as_bytes()).to_vec()
    }

    fn sign(&self, invocation: &Invocation, origin: &str, credential: &Credential, stamp: &Stamp) -> Call {
        let mut common = common_params(invocation, credential, stamp);
        let call = Call::new(Method::POST, origin, "/", String::new());
        let text = string_to_sign(&call.method, common.pairs().chain(invocation.params.pairs()));
        common.push("Signature", BASE64.encode(&self.signature(&text, &credential.secret)));
        envelope::lay_out(call, &common, &invocation.params)
    }
}

fn string_to_sign<'p>(method: &Method, pairs: impl Iterator<Item = (&'p str, &'p str)>) -> String {
    let mut text = String::with_capacity(2048);
    text.extend([method.as_str(), "&%2F&"]);
    encode_canonical(pairs, &mut text);
    text
}

fn common_params(invocation: &Invocation, credential: &Credential, stamp: &Stamp) -> Params {
    let mut params = Params::default();
    params.push("Action", &invocation.action);
    params.push("Version", invocation.version.as_deref().unwrap_or_default());
    if invocation.params.get("Format").is_none() {
        params.push("Format", "JSON");
    }
    params.push("AccessKeyId", &credential.key_id);
    params.push("SignatureMethod", METHOD);
    params.push("SignatureVersion", VERSION);
    params.push("SignatureNonce", stamp.nonce_hex());
    params.push("Timestamp", stamp.utc());
    if let Some(token) = &credential.token {
        params.push("SecurityToken", token.expose());
    }
    params
}

fn claim(params: &Params) -> Result<Claim<'_>, Fault> {
    // rpcdoc's own oldest sample spells it `TimeStamp`.
    let timestamp = params.filled("Timestamp").or_else(|| params.filled("TimeStamp"));
    let needed = |name: &'static str| {
        params.filled(name).ok_or_else(|| Fault::of_field(FaultKind::MissingCredential, name, ""))
    };
    let key_id = needed("AccessKeyId")?;
    let signature = needed("Signature")?;
    needed("Version")?;
    let unknown = |name: &'static str, value: &str, allowed: &str| {
        let detail = format!("`{name}` is `{value}`; write `{allowed}`");
        Err(Fault::of_field(FaultKind::UnknownSignatureMethod, name, detail))
    };
    let method = needed("SignatureMethod")?;
    if !method.eq_ignore_ascii_case(METHOD) {
        return unknown("SignatureMethod", method, METHOD);
    }
    let version = needed("SignatureVersion")?;
    if version != VERSION {
        return unknown("SignatureVersion", version, VERSION);
    }
    if let Some(other) = params.filled("SignatureType") {
        return unknown("SignatureType", other, "");
    }
    let timestamp =
        timestamp.ok_or_else(|| Fault::of_field(FaultKind::MissingCredential, "Timestamp", ""))?;
    let nonce = needed("SignatureNonce")?;
    let signature = BASE64.decode(signature.as_bytes()).map_err(|_| {
        let detail = "`Signature` has to be Base64 of 20 bytes; a `+` in it is written `%2B`";
        Fault::of_field(FaultKind::MalformedSignature, "Signature", detail)
    })?;
    let token = params.filled("SecurityToken");
    Ok(Claim { key_id, signature, freshness: Some(Freshness { timestamp, nonce }), token })
}
