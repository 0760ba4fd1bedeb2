//! The two percent-encodings. Mixing them up is the classic signature mismatch, so each has its own name.
//!
//! A request is decoded once and encoded up to four times. What the libraries hand on in pieces of a few bytes each was a third
//! of the instructions of the core (callgrind on `cargo bench --bench translate -- busy 0 1`); here it is a table and a loop.

use compact_str::CompactString;

/// What each byte is written as.
type Table = [Written; 256];

/// What a byte is written as: that many of these. Of a fixed size, so that each is copied without asking how many.
#[derive(Clone, Copy)]
struct Written {
    bytes: [u8; LONGEST],
    length: u8,
}

impl Written {
    /// Whether a byte is written as itself.
    const fn is(self, byte: u8) -> bool {
        self.length == 1 && self.bytes[0] == byte
    }
}

/// RFC 3986 with only `A-Z a-z 0-9 - _ . ~` left as they are: what both of Alibaba Cloud's canonical strings use
/// ("URL encoding" in the RPC and the V3 signature pages).
static STRICT: Table = table(b"-_.~", None);

/// HTML form data: "application/x-www-form-urlencoded serializing" of the URL standard.
static FORM: Table = table(b"*-._", Some(b'+'));

/// [`STRICT`] of [`STRICT`]: the RPC page encodes the canonical query as a whole once more.
static TWICE: Table = twice(&STRICT);

/// Letters, digits and the `others` stand for themselves.
const fn table(others: &[u8], space: Option<u8>) -> Table {
    let mut table = [Written { bytes: [0; LONGEST], length: 3 }; 256];
    let mut byte = u8::MAX;
    loop {
        let [first, high, low, ..] = &mut table[byte as usize].bytes;
        (*first, *high, *low) = (b'%', DIGITS[(byte >> 4) as usize], DIGITS[(byte & 15) as usize]);
        let (mut plain, mut at) = (byte.is_ascii_alphanumeric(), 0);
        while at < others.len() {
            plain = plain || others[at] == byte;
            at += 1;
        }
        if plain {
            table[byte as usize] = single(byte);
        }
        let Some(next) = byte.checked_sub(1) else { break };
        byte = next;
    }
    if let Some(space) = space {
        table[b' ' as usize] = single(space);
    }
    table
}

const fn single(byte: u8) -> Written {
    let mut bytes = [0; LONGEST];
    bytes[0] = byte;
    Written { bytes, length: 1 }
}

const fn twice(once: &Table) -> Table {
    let mut table = *once;
    let mut byte = 0;
    while byte < table.len() {
        if once[byte].length == 3 {
            let [_, high, low, ..] = once[byte].bytes;
            table[byte] = Written { bytes: [b'%', b'2', b'5', high, low, 0, 0], length: 5 };
        }
        byte += 1;
    }
    table
}

const DIGITS: &[u8; 16] = b"0123456789ABCDEF";

/// With its length, eight bytes.
const LONGEST: usize = 7;

/// How many bytes are encoded at a time.
const PIECE: usize = 32;

/// Appends `text` to `out`, RFC 3986 encoded: a space is `%20`, `*` is `%2A`, `~` stays.
pub fn encode_strict(text: &str, out: &mut String) {
    encode(text, &STRICT, out);
}

/// Appends `text` to `out`, RFC 3986 encoded, and that encoded again: a space is `%2520`.
pub(super) fn encode_twice(text: &str, out: &mut String) {
    encode(text, &TWICE, out);
}

/// Appends `text` to `out` as HTML form data: a space is `+`, `~` is `%7E`.
pub fn encode_form(text: &str, out: &mut String) {
    encode(text, &FORM, out);
}

fn encode(text: &str, table: &Table, out: &mut String) {
    // Names and ids have nothing to escape, and end here.
    let is_plain = |byte: &u8| table[usize::from(*byte)].is(*byte);
    let plain = text.as_bytes().iter().take_while(|byte| is_plain(byte)).count();
    let (plain, text) = text.split_at_checked(plain).unwrap_or(("", text));
    out.push_str(plain);
    let mut encoded = [0; LONGEST * (PIECE + 1)];
    for piece in text.as_bytes().chunks(PIECE) {
        let mut length = 0;
        for byte in piece {
            let written = table[usize::from(*byte)];
            if let Some(to) = encoded.get_mut(length..length + LONGEST) {
                to.copy_from_slice(&written.bytes);
            }
            length += usize::from(written.length);
        }
        // All of it is ASCII.
        out.push_str(str::from_utf8(&encoded[..length]).unwrap_or_default());
    }
}

/// What `text` stands for, with `+` for a space.
///
/// # Errors
/// What is wrong, in words: a `%` that two hexadecimal digits do not follow, and bytes that are not UTF-8.
pub(super) fn decode_form(text: &str) -> Result<CompactString, &'static str> {
    let is_written = |byte: &u8| !matches!(byte, b'%' | b'+');
    let plain = text.as_bytes().iter().take_while(|byte| is_written(byte)).count();
    let Some((plain, escaped)) = text.split_at_checked(plain).filter(|(_, rest)| !rest.is_empty()) else {
        return Ok(text.into());
    };
    let mut decoded = Vec::with_capacity(text.len());
    decoded.extend_from_slice(plain.as_bytes());
    let mut rest = escaped.as_bytes();
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = rest.split_first_chunk().and_then(|([high, low], behind)| {
                    rest = behind;
                    Some(digit(*high)? << 4 | digit(*low)?)
                });
                digits.ok_or(
                    "a `%` has to be followed by two hexadecimal digits; a bare `%` is written `%25`",
                )?
            }
            byte => *byte,
        });
    }
    String::from_utf8(decoded).map(Into::into).map_err(|_| "the decoded bytes are not UTF-8")
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
        fn each_is_what_the_libraries_make_of_a_text(text in ".*") {
            let (mut strict, mut form) = (String::new(), String::new());
            encode_strict(&text, &mut strict);
            encode_form(&text, &mut form);
            let mut twice = String::new();
            encode_twice(&text, &mut twice);
            prop_assert_eq!(&twice, &utf8_percent_encode(&strict, UNRESERVED).to_string());
            prop_assert_eq!(strict, utf8_percent_encode(&text, UNRESERVED).to_string());
            prop_assert_eq!(form, form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>());
        }

        #[test]
        fn a_text_is_decoded_as_the_library_decodes_it_or_refused(text in "[a-z+%0-9A-F=\u{e9}]*") {
            let library: Vec<_> = form_urlencoded::parse(text.as_bytes()).collect();
            let lossy = library.iter().any(|(name, value)| name.contains('\u{fffd}') || value.contains('\u{fffd}'));
            let is_bare = |tail: &[u8]| tail.iter().take(2).filter(|byte| byte.is_ascii_hexdigit()).count() < 2;
            let bare = text.bytes().enumerate().any(|(at, byte)| byte == b'%' && is_bare(&text.as_bytes()[at + 1..]));
            match crate::wire::Params::decode(&text) {
                Ok(decoded) => {
                    let decoded: Vec<_> = decoded.into_iter().map(|param| (param.name.into(), param.value.into())).collect();
                    prop_assert_eq!(decoded, library);
                    prop_assert!(!lossy && !bare);
                }
                Err(_) => prop_assert!(lossy || bare),
            }
        }
    }
}
