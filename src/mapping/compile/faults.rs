//! `faults.toml`: fault kinds as codes, and codes as fault kinds.

use std::collections::BTreeMap;

use http::StatusCode;

use super::{Problems, named};
use crate::{
    mapping::{
        actions::Action,
        diagnostic::{Diagnostic, SourceText},
        faults::{CodePattern, FaultRow, Faults, ReadRow, Template},
        raw::{RawFault, RawFaults, RawRead, Word},
        words::instead,
    },
    model::FaultKind,
};

/// `known` are the cloud's actions, where they could be read.
pub(super) fn faults(layers: &[SourceText], known: Option<&[Action]>) -> Result<Faults, Vec<Diagnostic>> {
    let mut problems = Problems::default();
    let (mut rows, mut reads) = (BTreeMap::<FaultKind, FaultRow>::new(), Vec::new());
    let mut special: Vec<(Vec<String>, FaultRow)> = Vec::new();
    for layer in layers {
        let Some(raw) = problems.keep_one(layer.parse::<RawFaults>()) else { continue };
        for raw in raw.fault {
            let kind = named(layer, &raw.kind, FaultKind::ALL, FaultKind::name);
            let Some(kind) = problems.keep_one(kind) else { continue };
            if !raw.actions.is_empty() {
                // What such a row leaves out is as in the row for every action, which stands above it.
                let under = rows.get(&kind).cloned();
                for action in &raw.actions {
                    problems.keep_one(check_action(layer, action, known));
                }
                let actions = raw.actions.iter().map(|action| action.get_ref().clone()).collect();
                let row = problems.keep_one(fault_row(layer, kind, under, raw));
                special.splice(0..0, row.map(|row| (actions, row)));
                continue;
            }
            if let Some(row) = problems.keep_one(fault_row(layer, kind, rows.remove(&kind), raw)) {
                rows.insert(kind, row);
            }
        }
        // A layer's own readings come before those that it is laid over.
        let at = |raw| read_row(layer, raw);
        let own: Vec<ReadRow> = raw.read.iter().filter_map(|raw| problems.keep_one(at(raw))).collect();
        reads.splice(0..0, own);
    }
    if let (Some(layer), true) = (layers.last(), problems.0.is_empty()) {
        for kind in FaultKind::ALL.iter().filter(|kind| !rows.contains_key(kind)) {
            problems.0.push(layer.error(
                0..0,
                format!("the fault `{}` has no row; write a [[fault]] of that `kind`", kind.name()),
            ));
        }
    }
    problems.into_result(Faults { rows: rows.into_values().collect(), special, reads })
}

/// A row for an action that there is not would never be used.
fn check_action(layer: &SourceText, word: &Word, known: Option<&[Action]>) -> Result<(), Diagnostic> {
    let Some(known) = known else { return Ok(()) };
    let names: Vec<&str> = known.iter().map(|action| action.name.as_str()).collect();
    if names.contains(&word.get_ref().as_str()) {
        return Ok(());
    }
    let what = format!("no action is called `{}`; {}", word.get_ref(), instead(word.get_ref(), &names));
    Err(layer.error(word.span(), what))
}

fn fault_row(
    layer: &SourceText,
    kind: FaultKind,
    under: Option<FaultRow>,
    raw: RawFault,
) -> Result<FaultRow, Diagnostic> {
    let RawFault { kind: word, actions: _, status, code, message, retry_after } = raw;
    let template = |text: &Word| {
        let unknown =
            |name| format!("`{{{name}}}` has no meaning; write {{field}}, {{detail}} or {{action}}");
        Template::new(text.get_ref()).map_err(|name| layer.error(text.span(), unknown(name)))
    };
    let lacks = |what: &str| {
        layer.error(word.span(), format!("a new fault needs a `{what}`; write {what} = \"TEXT\""))
    };
    let status = match status {
        None => None,
        Some(status) => Some(StatusCode::from_u16(*status.get_ref()).map_err(|_| {
            layer.error(status.span(), format!("{} is no HTTP status; write 200 to 599", status.get_ref()))
        })?),
    };
    let (code, message) =
        (code.as_ref().map(template).transpose()?, message.as_ref().map(template).transpose()?);
    let (under_status, under_retry, under_code, under_message) = match under {
        Some(row) => (row.status, row.retry_after, Some(row.code), Some(row.message)),
        None => (StatusCode::OK, None, None, None),
    };
    Ok(FaultRow {
        kind,
        status: status.unwrap_or(under_status),
        retry_after: retry_after.or(under_retry),
        code: code.or(under_code).ok_or_else(|| lacks("code"))?,
        message: message.or(under_message).ok_or_else(|| lacks("message"))?,
    })
}

fn read_row(layer: &SourceText, raw: &RawRead) -> Result<ReadRow, Diagnostic> {
    let kind = named(layer, &raw.kind, FaultKind::ALL, FaultKind::name)?;
    let status = raw.status.map(StatusCode::from_u16).transpose();
    let status =
        status.map_err(|_| layer.error(raw.kind.span(), "`status` is no HTTP status; write 200 to 599"))?;
    Ok(ReadRow { kind, status, codes: raw.codes.iter().map(|code| CodePattern::new(code)).collect() })
}
