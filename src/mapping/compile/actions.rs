//! `actions.toml` and `group.toml`: actions, their parameters, and how a group is named.

use super::{Problems, named, replace};
use crate::{
    mapping::{
        actions::{Action, GroupNames},
        diagnostic::{Diagnostic, SourceText},
        raw::{RawActions, RawGroup},
    },
    model::OperationName,
};

pub(super) fn actions(layers: &[SourceText]) -> Result<Vec<Action>, Vec<Diagnostic>> {
    let (mut problems, mut rows) = (Problems::default(), Vec::<Action>::new());
    for layer in layers {
        let Some(raw) = problems.keep_one(layer.parse::<RawActions>()) else { continue };
        for raw in raw.action {
            let known = rows.iter().position(|row| row.name == *raw.name.get_ref());
            let operation = raw
                .operation
                .as_ref()
                .map(|word| named(layer, word, &OperationName::ALL, OperationName::name));
            let operation = operation.and_then(|operation| problems.keep_one(operation));
            match (known.and_then(|at| rows.get_mut(at)), operation) {
                (Some(row), operation) => {
                    replace(&mut row.operation, operation);
                    replace(&mut row.required, raw.required);
                    replace(&mut row.optional, raw.optional);
                    replace(&mut row.lists, raw.lists);
                    replace(&mut row.max_backends, raw.max_backends);
                }
                (None, Some(operation)) => rows.push(Action {
                    name: raw.name.into_inner(),
                    operation,
                    required: raw.required.unwrap_or_default(),
                    optional: raw.optional.unwrap_or_default(),
                    lists: raw.lists.unwrap_or_default(),
                    max_backends: raw.max_backends.unwrap_or(1),
                }),
                (None, None) => {
                    problems.0.push(layer.error(raw.name.span(), "a new action needs an `operation`"));
                }
            }
        }
    }
    problems.into_result(rows)
}

pub(super) fn group(layers: &[SourceText]) -> Result<GroupNames, Vec<Diagnostic>> {
    let mut names = RawGroup::default();
    for layer in layers {
        let raw: RawGroup = layer.parse().map_err(|problem| vec![problem])?;
        names.load_balancer = raw.load_balancer.or(names.load_balancer);
        names.group = raw.group.or(names.group);
        names.region = raw.region.or(names.region);
        names.project = raw.project.or(names.project);
    }
    let RawGroup { load_balancer, group, region, project } = names;
    let (Some(group), Some(region)) = (group, region) else {
        let first = layers.first().map(|layer| layer.error(0..0, "`group` and `region` have to be named"));
        return Err(first.into_iter().collect());
    };
    Ok(GroupNames { load_balancer, group, region, project })
}
