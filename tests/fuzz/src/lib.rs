//! What is fuzzed, and what has to hold of every input. The fuzzer's targets run these bodies on inputs that it makes up,
//! `tests/it/corpus.rs` runs them on those that are kept in `corpus/`.

mod backend_ids;
mod backend_servers;
mod checks;
mod claims;
mod clouds;
mod entries;
mod envelopes;
mod mappings;
mod message;
mod parameters;
mod replies;
mod steps;

/// Runs one input, and panics if something does not hold of it.
pub type Body = fn(&[u8]);

/// Every subject by its name, which is that of its target and of its folder in `corpus/`.
pub const SUBJECTS: &[(&str, Body)] = &[
    ("parameters", parameters::run),
    ("envelope_aliyun", envelopes::run_aliyun),
    ("envelope_ucloud", envelopes::run_ucloud),
    ("backend_servers", backend_servers::run),
    ("claims", claims::run),
    ("replies", replies::run),
    ("backend_ids", backend_ids::run),
    ("mappings", mappings::run),
];

/// Runs one input of the subject of this name.
///
/// # Panics
/// If there is no such subject, and if something does not hold of the input.
pub fn run(subject: &str, input: &[u8]) {
    let (_, body) = SUBJECTS.iter().find(|(name, _)| *name == subject).expect("a subject of this name");
    body(input);
}
