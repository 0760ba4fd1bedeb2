//! One header line: `name: value`.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::error::{RequestTextError, excerpt};

/// Reads a header line.
pub(super) fn read(line: &str) -> Result<(HeaderName, HeaderValue), RequestTextError> {
    let (name, value) = line.split_once(':').ok_or_else(|| RequestTextError::HeaderLine(excerpt(line)))?;
    Ok((read_name(name)?, read_value(name, value)?))
}

/// Reads a header name.
pub(super) fn read_name(name: &str) -> Result<HeaderName, RequestTextError> {
    let name = name.trim();
    HeaderName::from_bytes(name.as_bytes()).map_err(|_| RequestTextError::HeaderName(excerpt(name)))
}

/// Reads the value of the header `name`.
pub(super) fn read_value(name: &str, value: &str) -> Result<HeaderValue, RequestTextError> {
    // Not `from_str`, which refuses the UTF-8 that some clients send.
    HeaderValue::from_bytes(value.trim().as_bytes()).map_err(|_| RequestTextError::HeaderValue(excerpt(name)))
}

/// Adds a header, as long as there is room.
pub(super) fn append(
    headers: &mut HeaderMap,
    name: HeaderName,
    value: HeaderValue,
) -> Result<(), RequestTextError> {
    // A `HeaderMap` panics past 24,576 names; no server takes a tenth of that.
    const MOST: usize = 1000;
    if headers.len() >= MOST {
        return Err(RequestTextError::HeaderCount(MOST));
    }
    headers.append(name, value);
    Ok(())
}
