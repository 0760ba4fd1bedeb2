//! curl command lines: [`read`] takes one, [`to_curl`] writes one.
//!
//! Not a shell: variables, substitutions, aliases and files stay what they are, text. Not curl: its options for
//! the connection, the output and the certificates are skipped.
//! Follows <https://curl.se/docs/manpage.html>.

mod command;
mod data;
mod options;
mod words;
mod write;

use crate::wire::Call;

use super::error::RequestTextError;

use command::Command;
pub use write::to_curl;

/// Whether a text starts with the command's name.
pub(super) fn is_command(text: &str) -> bool {
    let name = text.split_whitespace().next().unwrap_or_default();
    let name = name.rsplit_once('/').map_or(name, |(_, name)| name);
    name == "curl" || name == "curl.exe"
}

/// Reads a command line that [`is_command`].
pub(super) fn read(text: &str) -> Result<Call, RequestTextError> {
    Command::read(words::split(text)?)?.into_call()
}
