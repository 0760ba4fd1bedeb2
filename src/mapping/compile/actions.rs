//! `actions.toml`: actions, what they stand for, and their parameters.

use super::{Problems, at_least_one, named, replace, unknown_row};
use crate::{
    mapping::{
        actions::Action,
        diagnostic::{Diagnostic, SourceText},
        raw::{RawActions, Word},
    },
    model::OperationName,
};

pub(super) fn actions(layers: &[SourceText]) -> Result<Vec<Action>, Vec<Diagnostic>> {
    let (mut problems, mut rows) = (Problems::default(), Vec::<Action>::new());
    for layer in layers {
        let Some(raw) = problems.keep_one(layer.parse::<RawActions>()) else { continue };
        for raw in raw.action {
            let known = rows.iter().position(|row| row.name == *raw.name.get_ref());
            let named = |words: Vec<Word>| {
                let operation = |word: &Word| named(layer, word, OperationName::ALL, OperationName::name);
                words.iter().map(operation).collect::<Result<Vec<_>, _>>()
            };
            let is_told = raw.operations.is_some();
            let operations = raw.operations.map(named).and_then(|operations| problems.keep_one(operations));
            let max_backends = raw.max_backends.map(|count| at_least_one(layer, &count, "max_backends"));
            let max_backends = max_backends.and_then(|count| problems.keep_one(count));
            match (known.and_then(|at| rows.get_mut(at)), operations) {
                (Some(row), operations) => {
                    replace(&mut row.operations, operations);
                    replace(&mut row.required, raw.required);
                    replace(&mut row.optional, raw.optional);
                    replace(&mut row.lists, raw.lists);
                    replace(&mut row.untranslated, raw.untranslated);
                    replace(&mut row.max_backends, max_backends);
                }
                (None, Some(operations)) => rows.push(Action {
                    name: raw.name.into_inner(),
                    operations,
                    required: raw.required.unwrap_or_default(),
                    optional: raw.optional.unwrap_or_default(),
                    lists: raw.lists.unwrap_or_default(),
                    untranslated: raw.untranslated.unwrap_or_default(),
                    max_backends: max_backends.unwrap_or(1),
                }),
                // What is wrong with its operations has been told.
                (None, None) if is_told => {}
                (None, None) => {
                    let known: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
                    problems.0.push(unknown_row(layer, "action", &raw.name, "operations", &known));
                }
            }
        }
    }
    problems.into_result(rows)
}
