//! Changes of backends: among the parameters of UpdateBackendAttribute, as the items of UpdateBackendBatch, and what a
//! reply says of each.

use std::{borrow::Cow, collections::BTreeMap};

use http::StatusCode;

use super::{
    backends::{self, SET},
    envelope::{list_of, text_of},
};
use crate::{
    mapping::{Action, Cell, Cloud, FieldRow, Record, Rule},
    model::{BackendId, BackendRef, Change, Fault, FaultKind, Field, OperationName, Refusal, Updated},
    wire::{Document, NamedValue, Params},
};

/// The parameter that names one backend of a VServer.
pub(super) const BACKEND: &str = "BackendId";

const CODE: &str = "SubRetCode";
const MESSAGE: &str = "SubMessage";

/// The items of a list by their numbers, each with its names and values.
type Items<'p> = BTreeMap<usize, Vec<(&'p str, &'p str)>>;

/// What both actions can change.
const FIELDS: [Field; 4] = [Field::Port, Field::Weight, Field::Enabled, Field::Standby];

/// The change of UpdateBackendAttribute. One of nothing is legal.
pub(super) fn read_single(params: &Params, cloud: &Cloud) -> Result<Change, Fault> {
    let pairs = params.iter().map(|param| (param.name.as_str(), param.value.as_str()));
    read(String::new(), pairs.collect(), cloud)
}

/// The changes of UpdateBackendBatch, in the order of their numbers; gaps and a base of 1 are taken.
pub(super) fn read_batch(
    params: &Params,
    list: &str,
    action: &Action,
    cloud: &Cloud,
) -> Result<Vec<Change>, Fault> {
    let items = items(params, list)?;
    let most = action.max_backends;
    if items.len() > most {
        let detail = format!("there are {} entries, and one call may have {most}", items.len());
        return Err(Fault::of_field(FaultKind::TooManyBackends, list.to_owned(), detail));
    }
    let mut changes: Vec<Change> = Vec::new();
    for (number, pairs) in items {
        let prefix = format!("{list}.{number}.");
        if let Some((name, _)) = pairs.iter().find(|(name, _)| !is_known(name, cloud)) {
            let detail = format!("{} has no such parameter", action.name);
            return Err(Fault::of_field(FaultKind::UnknownParameter, format!("{prefix}{name}"), detail));
        }
        let pairs = pairs.into_iter().map(|(name, value)| (name, in_digits(name, value, cloud))).collect();
        let change = read(prefix.clone(), pairs, cloud)?;
        if changes.iter().any(|earlier| earlier.backend == change.backend) {
            let detail = "this backend stands there twice; name it once";
            return Err(Fault::of_field(FaultKind::MalformedBackends, format!("{prefix}{BACKEND}"), detail));
        }
        changes.push(change);
    }
    Ok(changes)
}

/// The backend that a call for one names.
pub(super) fn read_name(params: &Params) -> Result<BackendRef, Fault> {
    name_of("", params.filled(BACKEND))
}

fn name_of(prefix: &str, id: Option<&str>) -> Result<BackendRef, Fault> {
    let missing = || Fault::of_field(FaultKind::MissingParameter, format!("{prefix}{BACKEND}"), "");
    id.and_then(BackendId::new).map(BackendRef::Id).ok_or_else(missing)
}

fn read(prefix: String, pairs: Vec<(&str, &str)>, cloud: &Cloud) -> Result<Change, Fault> {
    let id = pairs.iter().find(|(name, _)| *name == BACKEND).map(|(_, id)| *id);
    let backend = name_of(&prefix, id)?;
    let cell = |(name, value)| (name, Cell::Text(Cow::Borrowed(value)));
    let cells = pairs.into_iter().map(cell).collect();
    cloud.backend.read_change(&Record { prefix, any_case: false, told: false, cells }, backend)
}

/// The pairs of each item by its number: `Attributes.0.Weight`. A number has one spelling, so that no two names are
/// one.
fn items<'p>(params: &'p Params, list: &str) -> Result<Items<'p>, Fault> {
    let mut items = Items::new();
    for param in params {
        let Some(rest) = param.name.strip_prefix(list) else { continue };
        let parts = rest.strip_prefix('.').and_then(|rest| rest.split_once('.'));
        let numbered = parts.and_then(|(text, name)| Some((text.parse::<usize>().ok()?, text, name)));
        match numbered {
            Some((number, text, name)) if number.to_string() == text && !name.is_empty() => {
                items.entry(number).or_default().push((name, &param.value));
            }
            Some(_) | None => {
                let detail = format!("an entry is written `{list}.0.{BACKEND}`, not `{}`", param.name);
                return Err(Fault::of_field(FaultKind::MalformedBackends, param.name.clone(), detail));
            }
        }
    }
    Ok(items)
}

fn is_known(name: &str, cloud: &Cloud) -> bool {
    name == BACKEND || row_of(name, cloud).is_some()
}

fn row_of<'c>(name: &str, cloud: &'c Cloud) -> Option<&'c FieldRow> {
    FIELDS.into_iter().filter_map(|field| cloud.backend.row(field)).find(|row| row.wire == name)
}

/// One of the two pages on the action has truth values where the other has numbers, and clients send either.
fn in_digits<'v>(name: &str, value: &'v str, cloud: &'v Cloud) -> &'v str {
    let Some(Rule::YesNo(words)) = row_of(name, cloud).map(|row| &row.rule) else { return value };
    let said = [("true", true), ("false", false)].into_iter().find(|(word, _)| *word == value);
    let word = said.and_then(|(_, yes)| words.iter().find(|(_, means)| *means == yes));
    word.map_or(value, |(word, _)| word)
}

/// The action that carries so many changes.
pub(super) fn action_for(count: usize, cloud: &Cloud) -> Result<&Action, Fault> {
    let carries = |action: &&Action| {
        action.operations.contains(&OperationName::UpdateBackends)
            && (1..=action.max_backends).contains(&count)
    };
    let none = || Fault::new(FaultKind::Internal, format!("no one call changes {count} backends"));
    cloud.actions.iter().find(carries).ok_or_else(none)
}

/// The parameters of `changes` in a call of `action`.
pub(super) fn write(
    params: &mut Params,
    action: &Action,
    changes: &[Change],
    cloud: &Cloud,
) -> Result<(), Fault> {
    for (number, change) in changes.iter().enumerate() {
        let prefix = action.lists.first().map(|list| format!("{list}.{number}.")).unwrap_or_default();
        params.push(format!("{prefix}{BACKEND}"), id_of(&change.backend)?.as_str());
        for (_, name, text) in cloud.backend.write_change(change) {
            params.push(format!("{prefix}{name}"), text);
        }
    }
    Ok(())
}

/// What became of each change, in the order of the step, by the reply to a call of `action`.
pub(super) fn read_results(
    changes: &[Change],
    action: &Action,
    body: &Document,
    status: StatusCode,
    cloud: &Cloud,
) -> Result<Vec<Updated>, Fault> {
    let told = list_of(body, SET, cloud)?;
    let mut results = Vec::new();
    for Change { backend, .. } in changes {
        let id = id_of(backend)?;
        let item = told.iter().find(|item| text_of(item, BACKEND) == id.as_str());
        let refusal = match item {
            Some(item) => refusal_of(item, status, cloud),
            // The reply to a call that has no list speaks of its one backend as a whole.
            None if action.lists.is_empty() => None,
            None => Some(doubt(cloud)),
        };
        results.push(Updated { backend: backend.clone(), refusal });
    }
    Ok(results)
}

fn refusal_of(item: &Document, status: StatusCode, cloud: &Cloud) -> Option<Refusal> {
    match text_of(item, CODE).as_ref() {
        "0" => None,
        "" => Some(doubt(cloud)),
        code => {
            let detail = format!("{} answered {code}: {}", cloud.title, text_of(item, MESSAGE));
            let kind = cloud.faults.kind_of(status, code);
            Some(Refusal { kind, field: None, detail: Cow::Owned(detail) })
        }
    }
}

fn doubt(cloud: &Cloud) -> Refusal {
    let detail = format!("{} does not say what became of the backend", cloud.title);
    Refusal { kind: FaultKind::TargetLost, field: None, detail: Cow::Owned(detail) }
}

/// What became of each change, as UpdateBackendBatch tells it.
pub(super) fn write_results(
    updates: &[Updated],
    action: &str,
    cloud: &Cloud,
) -> Result<Vec<NamedValue>, Fault> {
    let mut set = Vec::new();
    for Updated { backend, refusal } in updates {
        let (code, message) = match refusal {
            None => ("0".to_owned(), "success".to_owned()),
            Some(refusal) => {
                let fault = fault_of(refusal);
                let row = cloud.faults.row(fault.kind, action);
                (row.code(&fault, action), row.message(&fault, action))
            }
        };
        set.push(Document::record([
            (BACKEND, backends::id_text(Some(id_of(backend)?))),
            (CODE, Document::Number(code.into())),
            (MESSAGE, Document::text(message)),
        ]));
    }
    Ok(vec![(SET.into(), Document::List(set))])
}

/// The fault of a whole call whose one change was refused.
pub(super) fn fault_of(refusal: &Refusal) -> Fault {
    let Refusal { kind, field, detail } = refusal.clone();
    Fault { kind, field, detail, cause: None }
}

/// This cloud's own name for a backend.
pub(super) fn id_of(backend: &BackendRef) -> Result<&BackendId, Fault> {
    match backend {
        BackendRef::Id(id) => Ok(id),
        BackendRef::At { target, port } => {
            let detail = format!("{target} port {port} is named by what it is and not by its BackendId");
            Err(Fault::new(FaultKind::Internal, detail))
        }
    }
}
