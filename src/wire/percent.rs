//! The two percent-encodings. Mixing them up is the classic signature mismatch, so each has its own name.
//!
//! A request is decoded once and encoded up to four times, byte by byte: what the libraries do here in pieces of a few bytes
//! each was a third of what a request costs (`cargo bench --bench translate`).

/// RFC 3986 with only `A-Z a-z 0-9 - _ . ~` left as they are: what both of Alibaba Cloud's canonical strings use
/// ("URL encoding" in the RPC and the V3 signature pages).
const STRICT: [bool; 256] = plain(b"-_.~");

/// HTML form data: "application/x-www-form-urlencoded serializing" of the URL standard.
const FORM: [bool; 256] = plain(b"*-._");

/// The bytes that are left as they are: letters, digits, and these.
const fn plain(others: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric();
        byte += 1;
    }
    let mut at = 0;
    while at < others.len() {
        table[others[at] as usize] = true;
        at += 1;
    }
    table
}

const DIGITS: &[u8; 16] = b"0123456789ABCDEF";

/// Appends `text` to `out`, RFC 3986 encoded: a space is `%20`, `*` is `%2A`, `~` stays.
pub fn encode_strict(text: &str, out: &mut String) {
    for byte in text.bytes() {
        encode(byte, &STRICT, out);
    }
}

/// Appends `text` to `out` as HTML form data: a space is `+`, `~` is `%7E`.
pub fn encode_form(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte == b' ' {
            out.push('+');
        } else {
            encode(byte, &FORM, out);
        }
    }
}

#[inline]
fn encode(byte: u8, plain: &[bool; 256], out: &mut String) {
    if plain[usize::from(byte)] {
        out.push(char::from(byte));
    } else {
        out.push('%');
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}

/// What `text` stands for, with `+` for a space.
///
/// # Errors
/// What is wrong, in words: a `%` that two hexadecimal digits do not follow, and bytes that are not UTF-8.
pub(super) fn decode_form(text: &str) -> Result<String, &'static str> {
    if !text.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return Ok(text.to_owned());
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (high, low) = (bytes.next().and_then(digit), bytes.next().and_then(digit));
                let Some((high, low)) = high.zip(low) else {
                    return Err(
                        "a `%` has to be followed by two hexadecimal digits; a bare `%` is written `%25`",
                    );
                };
                high << 4 | low
            }
            byte => byte,
        });
    }
    String::from_utf8(decoded).map_err(|_| "the decoded bytes are not UTF-8")
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_two_encodings_differ_where_the_clouds_do() {
        let (mut strict, mut form) = (String::new(), String::new());
        encode_strict("a b~c*d+e/测'", &mut strict);
        encode_form("a b~c*d+e/测'", &mut form);
        assert_eq!(strict, "a%20b~c%2Ad%2Be%2F%E6%B5%8B%27");
        assert_eq!(form, "a+b%7Ec*d%2Be%2F%E6%B5%8B%27");
    }

    /// The libraries' word for what is plain in a canonical string.
    const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

    proptest! {
        #[test]
        fn both_are_what_the_libraries_make_of_a_text(text in ".*") {
            let (mut strict, mut form) = (String::new(), String::new());
            encode_strict(&text, &mut strict);
            encode_form(&text, &mut form);
            prop_assert_eq!(strict, utf8_percent_encode(&text, UNRESERVED).to_string());
            prop_assert_eq!(form, form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>());
        }

        #[test]
        fn a_text_is_decoded_as_the_library_decodes_it_or_refused(text in "[a-z+%0-9A-F=\u{e9}]*") {
            let library: Vec<_> = form_urlencoded::parse(text.as_bytes()).collect();
            let lossless = !library.iter().any(|(name, value)| name.contains('\u{fffd}') || value.contains('\u{fffd}'));
            if let Ok(decoded) = crate::wire::Params::decode(&text) {
                let decoded: Vec<_> = decoded.into_iter().map(|param| (param.name.into(), param.value.into())).collect();
                prop_assert!(lossless);
                prop_assert_eq!(decoded, library);
            }
        }
    }
}
