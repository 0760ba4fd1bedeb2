//! Floor 6: what a person types, and what is printed back.

pub mod request_text;
