//! `actions.toml`: actions, what they stand for, and their parameters.

use super::{Problems, named, replace};
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
            let operations = raw.operations.map(named).and_then(|operations| problems.keep_one(operations));
            match (known.and_then(|at| rows.get_mut(at)), operations) {
                (Some(row), operations) => {
                    replace(&mut row.operations, operations);
                    replace(&mut row.required, raw.required);
                    replace(&mut row.optional, raw.optional);
                    replace(&mut row.lists, raw.lists);
                    replace(&mut row.untranslated, raw.untranslated);
                    replace(&mut row.max_backends, raw.max_backends);
                }
                (None, Some(operations)) => rows.push(Action {
                    name: raw.name.into_inner(),
                    operations,
                    required: raw.required.unwrap_or_default(),
                    optional: raw.optional.unwrap_or_default(),
                    lists: raw.lists.unwrap_or_default(),
                    untranslated: raw.untranslated.unwrap_or_default(),
                    max_backends: raw.max_backends.unwrap_or(1),
                }),
                (None, None) => {
                    problems.0.push(layer.error(raw.name.span(), "a new action needs `operations`"));
                }
            }
        }
    }
    problems.into_result(rows)
}
