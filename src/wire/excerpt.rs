//! As much of a value as a message needs: what a caller sends has no length of its own.

/// The beginning of `text`, for a message.
#[must_use]
pub fn excerpt(text: &str) -> String {
    beginning(text, 80)
}

/// The first `longest` characters of `text`, and a sign if there are more.
#[must_use]
pub fn beginning(text: &str, longest: usize) -> String {
    if text.len() <= longest {
        return text.to_owned();
    }
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
