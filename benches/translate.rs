//! What the core costs without sockets: verify, parse, map, sign, encode, for one backend and for twenty.
//!
//! `cargo bench --bench translate` prints times; compare them with each other in one run, not across machines.
