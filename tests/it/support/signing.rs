//! The three signatures once more, written from their descriptions: callers of the tests sign with them, and what the
//! gateway sends is verified by them. Apart from the code under test on purpose.

use data_encoding::{BASE64, HEXLOWER, HEXUPPER};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use weighbridge::wire::Call;

/// Decoded parameters.
pub type Pairs = Vec<(String, String)>;

/// The parameters of a query or a form.
pub fn decoded(form: &str) -> Pairs {
    form_urlencoded::parse(form.as_bytes()).into_owned().collect()
}

/// Parameters as a query or a form that both clouds' decoders read alike.
pub fn encoded(pairs: &Pairs) -> String {
    let pairs: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{}={}", percent(name), percent(value))).collect();
    pairs.join("&")
}

/// The RPC 1.0 signature (HMAC-SHA1, Base64) of `pairs`, from which a `Signature` is left out.
pub fn rpc_signature(method: &str, pairs: &Pairs, secret: &str) -> String {
    let mut signed: Pairs = pairs.iter().filter(|(name, _)| name != "Signature").cloned().collect();
    signed.sort();
    let text = format!("{method}&%2F&{}", percent(&encoded(&signed)));
    let mut mac = Hmac::<Sha1>::new_from_slice(format!("{secret}&").as_bytes()).unwrap();
    mac.update(text.as_bytes());
    BASE64.encode(&mac.finalize().into_bytes())
}

/// The SHA-1 signature of `pairs`, from which a `Signature` is left out.
pub fn plain_signature(pairs: &Pairs, secret: &str) -> String {
    let mut signed: Vec<_> = pairs.iter().filter(|(name, _)| name != "Signature").collect();
    signed.sort();
    let text: String = signed.iter().flat_map(|(name, value)| [name.as_str(), value]).collect();
    HEXLOWER.encode(&Sha1::digest(format!("{text}{secret}").as_bytes()))
}

/// The ACS3 signature of a call by the headers of these names, which are sorted.
pub fn acs3_signature(call: &Call, signed_headers: &str, secret: &str) -> String {
    let mut query = decoded(&call.query);
    query.sort();
    let mut headers = String::new();
    for name in signed_headers.split(';') {
        let value = call.header(name).expect("a signed header").trim();
        headers.extend([
            name, ":", value, "
",
        ]);
    }
    let digest = sha256_hex(&call.body);
    let (method, path) = (&call.method, &call.path);
    let canonical = format!("{method}\n{path}\n{}\n{headers}\n{signed_headers}\n{digest}", encoded(&query));
    let text = format!("ACS3-HMAC-SHA256\n{}", sha256_hex(canonical.as_bytes()));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    HEXLOWER.encode(&mac.finalize().into_bytes())
}

/// The SHA-256 of `bytes` in lower-case hexadecimal.
pub fn sha256_hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

/// Everything but `A-Z a-z 0-9 - _ . ~` as `%XX`.
fn percent(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.extend(["%", &HEXUPPER.encode(&[byte])]);
        }
    }
    encoded
}
