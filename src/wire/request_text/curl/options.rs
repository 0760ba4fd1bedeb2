//! The options of curl: one list, and what each of them means for the request.

/// What an option does to the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Data, with `@` for a file.
    Data,
    /// Data in which `@` means nothing.
    RawData,
    /// Data to encode first.
    EncodedData,
    /// Data and two headers.
    Json,
    /// Data goes into the query.
    Get,
    /// The method is `HEAD`.
    Head,
    /// One header line.
    Header,
    /// The value of the header of this name.
    HeaderNamed(&'static str),
    /// The method.
    Method,
    /// Nothing, and no value follows.
    None,
    /// Nothing, and a value follows.
    NoneOfValue,
    /// The URL.
    Url,
}

impl Effect {
    /// Whether the option has a value.
    pub(super) fn takes_value(self) -> bool {
        match self {
            Self::Get | Self::Head | Self::None => false,
            Self::Data
            | Self::RawData
            | Self::EncodedData
            | Self::Json
            | Self::Header
            | Self::HeaderNamed(_)
            | Self::Method
            | Self::NoneOfValue
            | Self::Url => true,
        }
    }
}

/// The effect of `-x`.
pub(super) fn short(letter: char) -> Option<Effect> {
    OPTIONS.iter().find(|(short, ..)| *short == Some(letter)).map(|(.., effect)| *effect)
}

/// The effect of `--name`.
pub(super) fn long(name: &str) -> Option<Effect> {
    OPTIONS.iter().find(|(_, long, _)| *long == name).map(|(.., effect)| *effect)
}

/// Options that change the message in other ways (`-u`, `-F`, `-T`, `--aws-sigv4`, …) are left out, to be refused.
const OPTIONS: &[(Option<char>, &str, Effect)] = &[
    (Some('X'), "request", Effect::Method),
    (None, "url", Effect::Url),
    (Some('H'), "header", Effect::Header),
    (Some('A'), "user-agent", Effect::HeaderNamed("user-agent")),
    (Some('e'), "referer", Effect::HeaderNamed("referer")),
    (Some('d'), "data", Effect::Data),
    (None, "data-ascii", Effect::Data),
    (None, "data-binary", Effect::Data),
    (None, "data-raw", Effect::RawData),
    (None, "data-urlencode", Effect::EncodedData),
    (None, "json", Effect::Json),
    (Some('G'), "get", Effect::Get),
    (Some('I'), "head", Effect::Head),
    // Without a value.
    (Some('s'), "silent", Effect::None),
    (Some('S'), "show-error", Effect::None),
    (Some('i'), "include", Effect::None),
    (Some('i'), "show-headers", Effect::None),
    (Some('v'), "verbose", Effect::None),
    (Some('k'), "insecure", Effect::None),
    (Some('L'), "location", Effect::None),
    (Some('f'), "fail", Effect::None),
    (None, "fail-with-body", Effect::None),
    (Some('g'), "globoff", Effect::None),
    (Some('N'), "no-buffer", Effect::None),
    (Some('q'), "disable", Effect::None),
    (Some('#'), "progress-bar", Effect::None),
    (None, "no-progress-meter", Effect::None),
    (None, "compressed", Effect::None),
    (None, "path-as-is", Effect::None),
    (None, "http1.1", Effect::None),
    (Some('0'), "http1.0", Effect::None),
    (None, "http2", Effect::None),
    (None, "http2-prior-knowledge", Effect::None),
    (Some('1'), "tlsv1", Effect::None),
    (None, "tlsv1.2", Effect::None),
    (None, "tlsv1.3", Effect::None),
    (Some('4'), "ipv4", Effect::None),
    (Some('6'), "ipv6", Effect::None),
    (Some('O'), "remote-name", Effect::None),
    (Some('j'), "junk-session-cookies", Effect::None),
    (None, "raw", Effect::None),
    (None, "trace-time", Effect::None),
    // With one.
    (Some('o'), "output", Effect::NoneOfValue),
    (Some('D'), "dump-header", Effect::NoneOfValue),
    (Some('w'), "write-out", Effect::NoneOfValue),
    (Some('m'), "max-time", Effect::NoneOfValue),
    (None, "connect-timeout", Effect::NoneOfValue),
    (None, "retry", Effect::NoneOfValue),
    (None, "retry-delay", Effect::NoneOfValue),
    (None, "max-redirs", Effect::NoneOfValue),
    (None, "resolve", Effect::NoneOfValue),
    (None, "connect-to", Effect::NoneOfValue),
    (None, "interface", Effect::NoneOfValue),
    (Some('x'), "proxy", Effect::NoneOfValue),
    (None, "noproxy", Effect::NoneOfValue),
    (Some('E'), "cert", Effect::NoneOfValue),
    (None, "key", Effect::NoneOfValue),
    (None, "cacert", Effect::NoneOfValue),
    (Some('c'), "cookie-jar", Effect::NoneOfValue),
    (None, "stderr", Effect::NoneOfValue),
    (None, "trace", Effect::NoneOfValue),
    (None, "trace-ascii", Effect::NoneOfValue),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_option_stands_in_the_list_twice() {
        let mut names: Vec<&str> = OPTIONS.iter().map(|(_, long, _)| *long).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), OPTIONS.len());
    }
}
