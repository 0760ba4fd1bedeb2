//! As much of a value as a message needs: what a caller sends has no length of its own.

/// The beginning of `text`.
#[must_use]
pub fn excerpt(text: &str) -> String {
    const LONGEST: usize = 80;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
