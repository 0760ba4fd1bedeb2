//! What can be wrong with a request as text. Each message names the text and says what to write instead.
//!
//! A header's value is never part of a message: it may be a signature.

/// Text that describes no request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestTextError {
    /// Nothing but blanks.
    #[error("there is no request: {FORMS}")]
    Empty,
    /// None of the three forms.
    #[error("`{0}` is no request: {FORMS}")]
    UnknownForm(String),
    /// The answer instead of the request.
    #[error(
        "`{0}` is the first line of a response: paste the request that it answers, from `POST / HTTP/1.1` on"
    )]
    Response(String),
    /// More after the first request.
    #[error(
        "`{0}` follows a request that was already complete: write one request at a time, its URL in quotes"
    )]
    SecondRequest(String),
    /// A URL of another scheme.
    #[error("`{0}` is not spoken here: write `https://` or `http://`")]
    Scheme(String),
    /// The part between `://` and the path.
    #[error(
        "`{0}` names no host: write `host`, `host:port`, or the page's `[Endpoint]`, and no user or password"
    )]
    Authority(String),
    /// What follows the host.
    #[error("`{0}` is no path: write `/?` between host and parameters")]
    Path(String),
    /// A method that is not one word of capital letters.
    #[error("`{0}` is no method: write `GET` or `POST`")]
    Method(String),
    /// A request line whose middle is neither a path nor a URL.
    #[error(
        "`{0}` is no request target: write `POST /?Action=… HTTP/1.1`, with the path between method and version"
    )]
    Target(String),
    /// A header line without a colon.
    #[error("`{0}` is no header: write `name: value`, and a blank line before a body")]
    HeaderLine(String),
    /// A header whose name has characters that names cannot have.
    #[error("`{0}` is no header name: write letters, digits and `-`, as in `content-type`")]
    HeaderName(String),
    /// A header whose value has control characters.
    #[error("the value of header `{0}` holds a control character: write it on one line, as text")]
    HeaderValue(String),
    /// More headers than any server takes.
    #[error("there are more than {0} headers: write a blank line before the body")]
    HeaderCount(usize),
    /// A body in chunks.
    #[error(
        "the body is in chunks (`transfer-encoding: {0}`): take that header out and paste the body in one piece"
    )]
    Chunks(String),
    /// A quote without its end.
    #[error("a quote is opened and never closed: write an apostrophe inside '…' as `'\\''`")]
    OpenQuote,
    /// An escape inside `$'…'` that stands for no character.
    #[error("`{0}` inside $'…' stands for no character: write the character itself, in '…' quotes")]
    Escape(String),
    /// An option that may change the request in a way that is not known here.
    #[error("`{0}` is not read here: {OPTIONS}")]
    Option(String),
    /// An option at the end of the line, without what belongs to it.
    #[error("`{0}` stands last and needs a value: write it after the option")]
    OptionValue(String),
    /// Data that curl would take from a file.
    #[error(
        "`{option} {file}` takes data from a file, and none is opened here: write its text after `{option}`"
    )]
    FileData {
        /// The option as it was written.
        option: String,
        /// Its value, from the `@` on.
        file: String,
    },
    /// A curl command with nothing to call.
    #[error("the curl command has no URL: write `curl 'https://host/?Action=…'`")]
    NoUrl,
}

impl RequestTextError {
    /// The error for a text that starts like none of the forms.
    pub(super) fn of_unknown_form(text: &str) -> Self {
        if text.trim().is_empty() {
            Self::Empty
        } else if text.starts_with("HTTP/") {
            Self::Response(excerpt(text))
        } else {
            Self::UnknownForm(excerpt(text))
        }
    }
}

/// The start of the first line, short enough to stand in a message.
pub(super) fn excerpt(text: &str) -> String {
    const LONGEST: usize = 60;
    let line = text.trim().lines().next().unwrap_or_default().trim_end();
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or(line)),
        None => line.to_owned(),
    }
}

const FORMS: &str = "write a URL (`https://host/?Action=…`), a curl command line, or a raw HTTP request \
    (`POST / HTTP/1.1`, headers, a blank line, the body)";

const OPTIONS: &str = "write the request with `-X`, `-H`, `-d`, `--data-raw`, `--data-urlencode`, `--json`, `-G` \
    and the URL";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_one_short_line() {
        assert_eq!(excerpt("\n one \n two"), "one");
        assert_eq!(excerpt(&"é".repeat(61)), format!("{}…", "é".repeat(60)));
    }
}
