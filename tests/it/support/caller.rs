//! Callers of either cloud: signed requests as raw bytes, and what a refusal says.

use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderValue, Method, header};
use serde_json::Value;
use weighbridge::wire::{Call, Reply};

use super::{
    outpost::NOW,
    signing::{Pairs, acs3_signature, encoded, plain_signature, rpc_signature, sha256_hex},
};

pub const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// The callers of the golden config.
const ALIYUN: (&str, &str) = ("testid", "testsecret");
const UCLOUD: (&str, &str) =
    ("ucloudsomeone@example.com1296235120854146120", "46f09bb9fab4f12dfc160dae12273d5332b5debe");

static NONCES: AtomicU64 = AtomicU64::new(1);

/// Owned pairs.
pub fn pairs(of: &[(&str, &str)]) -> Pairs {
    of.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// An add of the list `servers` to the golden group, unsigned.
pub fn aliyun_add(servers: &str) -> Pairs {
    pairs(&[
        ("Action", "AddVServerGroupBackendServers"),
        ("VServerGroupId", "rsp-cige6j5e7p"),
        ("RegionId", "cn-hangzhou"),
        ("BackendServers", servers),
    ])
}

/// An add of one server to the golden group, unsigned.
pub fn ucloud_add() -> Pairs {
    pairs(&[
        ("Action", "AllocateBackend"),
        ("Region", "cn-bj2"),
        ("ULBId", "ulb-abc123"),
        ("VServerId", "vserver-def456"),
        ("ResourceType", "UHost"),
        ("ResourceId", "uhost-ghi789"),
        ("Port", "8080"),
        ("Weight", "50"),
    ])
}

/// `params` with the common parameters of RPC 1.0 and a nonce of their own, signed.
pub fn rpc_signed(method: &str, params: &Pairs) -> Pairs {
    rpc_signed_by(ALIYUN, NOW, method, params)
}

/// The same, by a key id and its secret and at another time.
pub fn rpc_signed_by((key_id, secret): (&str, &str), now: &str, method: &str, params: &Pairs) -> Pairs {
    let nonce = nonce();
    let common = pairs(&[
        ("Version", "2014-05-15"),
        ("AccessKeyId", key_id),
        ("SignatureMethod", "HMAC-SHA1"),
        ("SignatureVersion", "1.0"),
        ("SignatureNonce", &nonce),
        ("Timestamp", now),
    ]);
    let own = params.iter().map(|(name, _)| name);
    let absent = |name: &String| !own.clone().any(|known| known == name);
    let mut params: Pairs =
        common.into_iter().filter(|(name, _)| absent(name)).chain(params.clone()).collect();
    params.push(("Signature".to_owned(), rpc_signature(method, &params, secret)));
    params
}

/// `params` with the public key, signed.
pub fn plain_signed(params: &Pairs) -> Pairs {
    plain_signed_by(UCLOUD, params)
}

/// The same, by another public key and its private key.
pub fn plain_signed_by((key_id, secret): (&str, &str), params: &Pairs) -> Pairs {
    let mut params = params.clone();
    params.push(("PublicKey".to_owned(), key_id.to_owned()));
    params.push(("Signature".to_owned(), plain_signature(&params, secret)));
    params
}

/// A call with everything in the query.
pub fn in_query(method: &str, params: &Pairs) -> Vec<u8> {
    raw(method, &encoded(params), None, "")
}

/// A POST with a form, and with what its query says besides.
pub fn in_form(query: &str, form: &Pairs) -> Vec<u8> {
    raw("POST", query, Some(FORM), &encoded(form))
}

/// A POST with a JSON body.
pub fn in_json(body: &str) -> Vec<u8> {
    raw("POST", "", Some(JSON), body)
}

/// A call as it is, encodings and all.
pub fn raw(method: &str, query: &str, content_type: Option<&str>, body: &str) -> Vec<u8> {
    let content_type = content_type.map_or_else(String::new, |kind| format!("Content-Type: {kind}\r\n"));
    let target = if query.is_empty() { "/".to_owned() } else { format!("/?{query}") };
    let length = body.len();
    format!(
        "{method} {target} HTTP/1.1\r\nHost: a.test\r\n{content_type}Content-Length: {length}\r\n\r\n{body}"
    )
    .into()
}

/// An ACS3 call with a form body that travels in chunks.
pub fn acs3_in_chunks(form: &Pairs) -> Vec<u8> {
    let mut call = Call::new(Method::POST, "", "/", String::new());
    call.body = encoded(form).into();
    let nonce = nonce();
    let headers = [
        ("content-type", FORM),
        ("host", "a.test"),
        ("x-acs-action", "AddVServerGroupBackendServers"),
        ("x-acs-content-sha256", &sha256_hex(&call.body)),
        ("x-acs-date", NOW),
        ("x-acs-signature-nonce", &nonce),
        ("x-acs-version", "2014-05-15"),
    ];
    for (name, value) in headers {
        call.headers.insert(name, HeaderValue::from_str(value).unwrap());
    }
    let names = headers.map(|(name, _)| name).join(";");
    let signature = acs3_signature(&call, &names, ALIYUN.1);
    let authorization =
        format!("ACS3-HMAC-SHA256 Credential={},SignedHeaders={names},Signature={signature}", ALIYUN.0);
    let head: String = headers.map(|(name, value)| format!("{name}: {value}\r\n")).concat();
    let (first, second) = call.body.split_at(call.body.len() / 2);
    let chunk = |bytes: &[u8]| format!("{:x}\r\n{}\r\n", bytes.len(), String::from_utf8_lossy(bytes));
    let (name, body) = (header::AUTHORIZATION, chunk(first) + &chunk(second) + &chunk(b""));
    format!("POST / HTTP/1.1\r\n{head}{name}: {authorization}\r\nTransfer-Encoding: chunked\r\n\r\n{body}")
        .into()
}

/// What a reply tells in the caller's own form.
pub struct Told {
    /// HTTP status and code: `400 InvalidParameter`, `200 230`.
    pub code: String,
    /// The message.
    pub message: String,
}

/// Reads what a reply tells; a success has the code 0.
pub fn told(reply: &Reply) -> Told {
    let body: Value = serde_json::from_slice(&reply.body).expect("a JSON body");
    let code = match (&body["Code"], &body["RetCode"]) {
        (Value::String(code), _) => code.clone(),
        (_, Value::Number(code)) => code.to_string(),
        _ => "0".to_owned(),
    };
    let message = body["Message"].as_str().unwrap_or_default().to_owned();
    Told { code: format!("{} {code}", reply.status.as_u16()), message }
}

/// A nonce that no other request has; all are of one length.
fn nonce() -> String {
    format!("nonce-{:08}", NONCES.fetch_add(1, Ordering::Relaxed))
}
