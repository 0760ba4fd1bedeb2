//! Decoded request parameters: an ordered multimap in which a duplicate stays visible.

use std::fmt;

use compact_str::CompactString;

use super::{
    excerpt::excerpt,
    percent::{decode_form, encode_form, encode_strict, encode_twice},
};

/// One decoded parameter. Texts of up to 24 bytes, as most are, take no memory beside. `Debug` leaves the value out: it may be a
/// signature or a token.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Param {
    /// The name, decoded.
    pub name: CompactString,
    /// The value, decoded.
    pub value: CompactString,
}

/// Parameters in the order in which they arrived, duplicates included.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Params(Vec<Param>);

/// Parameters that cannot be decoded, or that nobody would send.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}`: {fault}")]
pub struct EncodingError {
    /// The name as it stands on the wire, or the beginning of it.
    pub name: String,
    /// What is wrong, in words.
    pub fault: &'static str,
}

impl Params {
    /// More parameters than this are refused: 40 backends flattened are some 250.
    pub const MOST: usize = 1000;

    /// Longer names than this are refused.
    pub const LONGEST_NAME: usize = 256;

    /// Decodes `a=b&c=d`, with `+` for a space, as every client of both clouds means it.
    ///
    /// # Errors
    /// [`EncodingError`] for a `%` that two hexadecimal digits do not follow, and for bytes that are not UTF-8: a
    /// lenient decoder would turn both into other text, and the signature would be blamed. And for more parameters, or
    /// longer names, than [`Params::MOST`] and [`Params::LONGEST_NAME`]: this runs before anybody is authenticated.
    pub fn decode(raw: &str) -> Result<Self, EncodingError> {
        let mut params = Vec::with_capacity(32);
        for (at, pair) in raw.split('&').enumerate() {
            if at == Self::MOST {
                let fault = "there are more than 1000";
                return Err(EncodingError { name: "parameters".to_owned(), fault });
            }
            if pair.is_empty() {
                continue;
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let broken = |fault| EncodingError { name: excerpt(name), fault };
            if name.len() > Self::LONGEST_NAME {
                return Err(broken("a name may have 256 bytes"));
            }
            let name = decode_form(name).map_err(broken)?;
            params.push(Param { name, value: decode_form(value).map_err(broken)? });
        }
        Ok(Self(params))
    }

    /// Adds a parameter at the end.
    pub fn push(&mut self, name: impl Into<CompactString>, value: impl Into<CompactString>) {
        self.0.push(Param::new(name, value));
    }

    /// The first value of `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|param| param.name == name).map(|param| param.value.as_str())
    }

    /// The first value of `name`, unless it is empty: SDKs of both clouds send absent values as empty ones.
    #[must_use]
    pub fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// The first name that stands here twice.
    #[must_use]
    pub fn doubled(&self) -> Option<&str> {
        let mut names: Vec<&str> = self.0.iter().map(|param| param.name.as_str()).collect();
        names.sort_unstable();
        names.windows(2).find_map(|pair| match pair {
            [left, right] if left == right => Some(*left),
            _ => None,
        })
    }

    /// Parameters in order of arrival.
    pub fn iter(&self) -> std::slice::Iter<'_, Param> {
        self.0.iter()
    }

    /// Names and values in order of arrival.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|param| (param.name.as_str(), param.value.as_str()))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Keeps the parameters whose name `keep` wants.
    pub fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.0.retain(|param| keep(&param.name));
    }

    /// `name=value&…` as an HTML form writes it.
    #[must_use]
    pub fn to_form(&self) -> String {
        joined(self.pairs(), encode_form)
    }

    /// `name=value&…`, RFC 3986 encoded, in this order.
    #[must_use]
    pub fn to_query(&self) -> String {
        joined(self.pairs(), encode_strict)
    }
}

/// `name=value&…` of these, RFC 3986 encoded, sorted: the canonical query of both of Alibaba Cloud's schemes.
#[must_use]
pub fn to_canonical<'p>(pairs: impl Iterator<Item = (&'p str, &'p str)>) -> String {
    joined(sorted(pairs), encode_strict)
}

/// Appends the canonical query of these to `out`, as a whole encoded once more: what the older of Alibaba Cloud's schemes signs.
pub fn encode_canonical<'p>(pairs: impl Iterator<Item = (&'p str, &'p str)>, out: &mut String) {
    join(sorted(pairs), encode_twice, ["%3D", "%26"], out);
}

fn sorted<'p>(pairs: impl Iterator<Item = (&'p str, &'p str)>) -> impl Iterator<Item = (&'p str, &'p str)> {
    let mut pairs: Vec<(&str, &str)> = pairs.collect();
    pairs.sort_unstable();
    pairs.into_iter()
}

impl Param {
    fn new(name: impl Into<CompactString>, value: impl Into<CompactString>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

impl fmt::Debug for Param {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=({} bytes)", self.name, self.value.len())
    }
}

impl<'p> IntoIterator for &'p Params {
    type Item = &'p Param;
    type IntoIter = std::slice::Iter<'p, Param>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<N: Into<CompactString>, V: Into<CompactString>> FromIterator<(N, V)> for Params {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| Param::new(name, value)).collect())
    }
}

impl Extend<Param> for Params {
    fn extend<I: IntoIterator<Item = Param>>(&mut self, params: I) {
        self.0.extend(params);
    }
}

impl IntoIterator for Params {
    type Item = Param;
    type IntoIter = std::vec::IntoIter<Param>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// `name=value&…` of these, as an HTML form writes it.
#[must_use]
pub fn to_form(pairs: &[(&str, &str)]) -> String {
    joined(pairs.iter().copied(), encode_form)
}

fn joined<'p>(pairs: impl Iterator<Item = (&'p str, &'p str)>, encode: fn(&str, &mut String)) -> String {
    let mut text = String::with_capacity(1024);
    join(pairs, encode, ["=", "&"], &mut text);
    text
}

/// Appends pairs, with one text between name and value and another between pairs.
fn join<'p>(
    pairs: impl Iterator<Item = (&'p str, &'p str)>,
    encode: fn(&str, &mut String),
    [is, and]: [&str; 2],
    out: &mut String,
) {
    for (at, (name, value)) in pairs.enumerate() {
        if at > 0 {
            out.push_str(and);
        }
        encode(name, out);
        out.push_str(is);
        encode(value, out);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_bare_percent_names_its_parameter() {
        let error = Params::decode("Action=X&Weight=10%&Port=80").unwrap_err();
        assert_eq!(error.name, "Weight");
    }

    #[test]
    fn what_nobody_would_send_is_refused_before_it_costs_anything() {
        assert!(Params::decode(&"a&".repeat(1000)).is_err());
        assert!(Params::decode(&"a&".repeat(999)).is_ok());
        assert!(Params::decode(&format!("{}=1", "a".repeat(257))).is_err());
    }

    #[test]
    fn bytes_that_are_not_utf8_are_refused() {
        assert!(Params::decode("Description=%FF").is_err());
    }

    #[test]
    fn a_doubled_name_is_found() {
        let params = Params::decode("Port=80&Weight=1&Port=81").unwrap();
        assert_eq!(params.doubled(), Some("Port"));
        assert_eq!(Params::decode("Port=80&Weight=1").unwrap().doubled(), None);
    }

    proptest! {
        #[test]
        fn either_encoding_decodes_to_what_was_encoded(pairs in proptest::collection::vec((".+", ".*"), 0..5)) {
            let params: Params = pairs.into_iter().collect();
            prop_assert_eq!(&Params::decode(&params.to_form()).unwrap(), &params);
            prop_assert_eq!(&Params::decode(&params.to_query()).unwrap(), &params);
        }

        #[test]
        fn decoding_never_panics(raw in ".*") {
            let _outcome = Params::decode(&raw);
        }
    }
}
