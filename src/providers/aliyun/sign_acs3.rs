//! ACS3-HMAC-SHA256: what the generated SDKs send. Action, version, date and nonce travel as headers.
//!
//! Alibaba Cloud, "V3 request structure and signature". Which headers are signed differs from SDK to SDK, so the
//! list in `Authorization` is followed; form parameters count through the digest of the body alone.

use data_encoding::HEXLOWER_PERMISSIVE;
use http::{HeaderName, HeaderValue, Method, header};

use super::envelope::{self, ACTION_HEADER, VERSION_HEADER};
use crate::{
    auth::{Credential, Freshness, Stamp},
    crypto::{Secret, hex, sha256},
    dialect::{Arrival, Claim, Invocation, Scheme},
    model::{Fault, FaultKind},
    wire::{Call, Params, to_canonical},
};

/// ACS3-HMAC-SHA256.
#[derive(Debug)]
pub(super) struct Acs3;

const ALGORITHM: &str = "ACS3-HMAC-SHA256";
const DATE_HEADER: &str = "x-acs-date";
const NONCE_HEADER: &str = "x-acs-signature-nonce";
const DIGEST_HEADER: &str = "x-acs-content-sha256";
const KEY_HEADER: &str = "x-acs-accesskey-id";
const TOKEN_HEADER: &str = "x-acs-security-token";

/// Headers that have to be signed: without one of them a request could be changed or replayed.
const SIGNED: [&str; 6] = ["host", ACTION_HEADER, VERSION_HEADER, DATE_HEADER, NONCE_HEADER, DIGEST_HEADER];

impl Scheme for Acs3 {
    fn id(&self) -> &'static str {
        "acs3"
    }

    fn claim<'a>(&self, arrival: &'a Arrival) -> Option<Result<Claim<'a>, Fault>> {
        let value = arrival.call.header(header::AUTHORIZATION.as_str())?;
        value.starts_with("ACS3-").then(|| claim(value, &arrival.call))
    }

    fn key_id<'a>(&self, arrival: &'a Arrival) -> Option<&'a str> {
        part(arrival.call.header(header::AUTHORIZATION.as_str())?, "Credential")
    }

    fn string_to_sign(&self, arrival: &Arrival) -> String {
        let value = arrival.call.header(header::AUTHORIZATION.as_str()).unwrap_or_default();
        let names = part(value, "SignedHeaders").unwrap_or_default();
        let Arrival { call, params, signed: _ } = arrival;
        let query = if call.body.is_empty() {
            to_canonical(params.pairs())
        } else {
            to_canonical(Params::decode(&call.query).unwrap_or_default().pairs())
        };
        string_to_sign(call, &query, &signed_names(names))
    }

    fn signature(&self, string_to_sign: &str, secret: &Secret) -> Vec<u8> {
        secret.hmac_sha256(string_to_sign.as_bytes()).to_vec()
    }

    fn sign(&self, invocation: &Invocation, origin: &str, credential: &Credential, stamp: &Stamp) -> Call {
        let call = Call::new(Method::POST, origin, "/", String::new());
        let mut call = envelope::lay_out(call, &Params::default(), &invocation.params);
        set_headers(&mut call, invocation, credential, stamp);
        let in_query = invocation.params.pairs().filter(|_| call.body.is_empty());
        let query = to_canonical(in_query);
        let mut names: Vec<String> = call.headers.keys().map(ToString::to_string).collect();
        names.sort_unstable();
        let signature = hex(&self.signature(&string_to_sign(&call, &query, &names), &credential.secret));
        let (key_id, names) = (&credential.key_id, names.join(";"));
        let value = format!("{ALGORITHM} Credential={key_id},SignedHeaders={names},Signature={signature}");
        set(&mut call, header::AUTHORIZATION.as_str(), &value);
        set(&mut call, header::ACCEPT.as_str(), "application/json");
        call
    }
}

fn set_headers(call: &mut Call, invocation: &Invocation, credential: &Credential, stamp: &Stamp) {
    let host = call.origin.split_once("://").map_or("", |(_, authority)| authority).to_owned();
    let digest = hex(&sha256(&call.body));
    set(call, "host", &host);
    set(call, ACTION_HEADER, &invocation.action);
    set(call, VERSION_HEADER, invocation.version.as_deref().unwrap_or_default());
    set(call, DATE_HEADER, &stamp.utc());
    set(call, NONCE_HEADER, &stamp.nonce_hex());
    set(call, DIGEST_HEADER, &digest);
    if let Some(token) = &credential.token {
        set(call, KEY_HEADER, &credential.key_id);
        set(call, TOKEN_HEADER, token.expose());
    }
}

fn set(call: &mut Call, name: &str, value: &str) {
    // Neither half can fail for what the config lets through: key ids and tokens are printable.
    if let (Ok(name), Ok(mut value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
        value.set_sensitive(name == header::AUTHORIZATION || name == TOKEN_HEADER);
        call.headers.insert(name, value);
    }
}

fn claim<'a>(value: &'a str, call: &'a Call) -> Result<Claim<'a>, Fault> {
    let malformed = |detail: String| Fault::of_field(FaultKind::MalformedSignature, "Authorization", detail);
    if !value.starts_with(ALGORITHM) {
        let detail = format!("`Authorization` has to begin with `{ALGORITHM}`");
        return Err(Fault::of_field(FaultKind::UnknownSignatureMethod, "Authorization", detail));
    }
    let needed = |name: &str| {
        let found = part(value, name).filter(|found| !found.is_empty());
        found.ok_or_else(|| malformed(format!("`Authorization` has to hold `{name}=`")))
    };
    let key_id = needed("Credential")?;
    let names = signed_names(needed("SignedHeaders")?);
    check_signed(call, &names)?;
    let signature = needed("Signature")?;
    let signature = HEXLOWER_PERMISSIVE
        .decode(signature.as_bytes())
        .map_err(|_| malformed("`Signature` has to be 64 hexadecimal digits".to_owned()))?;
    let header_of = |name: &'static str| {
        call.header(name).ok_or_else(|| Fault::of_field(FaultKind::MissingCredential, name, ""))
    };
    if header_of(DIGEST_HEADER)? != hex(&sha256(&call.body)) {
        return Err(malformed(format!("`{DIGEST_HEADER}` is not the SHA-256 of the body")));
    }
    if call.header(KEY_HEADER).is_some_and(|named| named != key_id) {
        return Err(malformed(format!("`{KEY_HEADER}` differs from `Credential`")));
    }
    let freshness = Freshness { timestamp: header_of(DATE_HEADER)?, nonce: header_of(NONCE_HEADER)? };
    Ok(Claim { key_id, signature, freshness: Some(freshness), token: call.header(TOKEN_HEADER) })
}

fn check_signed(call: &Call, names: &[String]) -> Result<(), Fault> {
    let signed = |name: &str| names.iter().any(|signed| signed == name);
    let token = call.header(TOKEN_HEADER).map(|_| TOKEN_HEADER);
    match SIGNED.into_iter().chain(token).find(|name| !signed(name)) {
        None => Ok(()),
        Some(name) => {
            let detail = format!("`SignedHeaders` has to name `{name}`");
            Err(Fault::of_field(FaultKind::MalformedSignature, "Authorization", detail))
        }
    }
}

/// `name=value` out of a list that commas separate, with or without spaces.
fn part<'v>(value: &'v str, name: &str) -> Option<&'v str> {
    let list = value.split_once(' ').map_or(value, |(_, list)| list);
    list.split(',').find_map(|item| item.trim().strip_prefix(name)?.strip_prefix('='))
}

fn signed_names(list: &str) -> Vec<String> {
    let mut names: Vec<String> = list.split(';').map(|name| name.trim().to_ascii_lowercase()).collect();
    names.sort_unstable();
    names
}

/// The claim has compared the digest of the body with the header that says it, or it has just been written there.
fn string_to_sign(call: &Call, query: &str, names: &[String]) -> String {
    format!("{ALGORITHM}\n{}", hex(&sha256(canonical_request(call, query, names).as_bytes())))
}

fn canonical_request(call: &Call, query: &str, names: &[String]) -> String {
    let mut text = format!("{}\n{}\n{query}\n", call.method, call.path);
    for name in names {
        let value = call.header(name).unwrap_or_default();
        text.extend([name, ":", value.trim(), "\n"]);
    }
    text.extend(["\n", &names.join(";"), "\n", call.header(DIGEST_HEADER).unwrap_or_default()]);
    text
}
