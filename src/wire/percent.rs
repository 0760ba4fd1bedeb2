//! The two percent-encodings. Mixing them up is the classic signature mismatch, so each has its own name.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// RFC 3986 with only `A-Z a-z 0-9 - _ . ~` left as they are: what both of Alibaba Cloud's canonical strings use
/// ("URL encoding" in the RPC and the V3 signature pages).
const STRICT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Appends `text` to `out`, RFC 3986 encoded: a space is `%20`, `*` is `%2A`, `~` stays.
pub fn encode_strict(text: &str, out: &mut String) {
    out.extend(utf8_percent_encode(text, STRICT));
}

/// Appends `text` to `out` as HTML form data: a space is `+`, `~` is `%7E`.
pub fn encode_form(text: &str, out: &mut String) {
    out.extend(form_urlencoded::byte_serialize(text.as_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_encodings_differ_where_the_clouds_do() {
        let (mut strict, mut form) = (String::new(), String::new());
        encode_strict("a b~c*d+e/测'", &mut strict);
        encode_form("a b~c*d+e/测'", &mut form);
        assert_eq!(strict, "a%20b~c%2Ad%2Be%2F%E6%B5%8B%27");
        assert_eq!(form, "a+b%7Ec*d%2Be%2F%E6%B5%8B%27");
    }
}
