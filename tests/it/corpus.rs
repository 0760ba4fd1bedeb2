//! Every input of the fuzzer's corpus, run once more through the bodies that the fuzzer runs.

#[path = "../fuzz/src/lib.rs"]
mod subjects;

use std::{collections::BTreeSet, fs, panic::catch_unwind, path::Path};

use crate::support::fixture;

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn known() -> BTreeSet<String> {
    subjects::SUBJECTS.iter().map(|(name, _)| (*name).to_owned()).collect()
}

#[test]
fn what_has_to_hold_of_every_input_holds_of_those_that_are_kept() {
    let mut failed = Vec::new();
    for (subject, _) in subjects::SUBJECTS {
        let folder = fixture("fuzz/corpus").join(subject);
        for name in names(&folder) {
            let input = fs::read(folder.join(&name)).unwrap();
            if catch_unwind(|| subjects::run(subject, &input)).is_err() {
                failed.push(format!("tests/fuzz/corpus/{subject}/{name}"));
            }
        }
    }
    assert!(failed.is_empty(), "why is told above: {failed:#?}");
}

#[test]
fn every_subject_has_a_corpus_and_a_target_and_there_are_no_others() {
    let corpus = fixture("fuzz/corpus");
    assert_eq!(names(&corpus), known());
    for subject in known() {
        assert!(!names(&corpus.join(&subject)).is_empty(), "{subject} has no input");
    }
    let manifest = fs::read_to_string(fixture("fuzz/Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let targets = manifest["bin"].as_array().unwrap().iter();
    let targets: BTreeSet<String> = targets.map(|bin| bin["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(targets, known());
}
