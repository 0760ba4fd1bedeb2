//! Where backend records sit in this cloud's messages: in a list that is JSON inside one parameter, or flattened.
//!
//! AddVServerGroupBackendServers, "Request parameters", BackendServers; the spellings that real clients use are six.

use std::borrow::Cow;

use crate::{
    mapping::{BackendTable, Cell, Cloud, Reading, Record},
    model::{Backend, Fault, FaultKind, Field, Health, Loss, Member, Port, Target, Traffic},
    wire::{Document, Params},
};

pub(super) const LIST: &str = "BackendServers";
const ITEM: &str = "BackendServer";

/// Reads the list of backends of a request. A list that is left out is empty: Terraform sends one more call without
/// it when the number of servers is a multiple of 20.
pub(super) fn read_list(params: &Params, most: usize, cloud: &Cloud) -> Result<Vec<Reading>, Fault> {
    let records = records(params)?;
    if records.len() > most {
        let detail = format!("`{LIST}` has {} entries, and one call may have {most}", records.len());
        return Err(Fault::of_field(FaultKind::TooManyBackends, LIST, detail));
    }
    let readings = records.iter().map(|record| cloud.backend.read(record)).collect::<Result<Vec<_>, _>>()?;
    refuse_repeats(&readings)?;
    Ok(readings)
}

/// The backends that were read, and the fields that have no effect on them.
pub(super) fn split(readings: Vec<Reading>) -> (Vec<Backend>, Vec<Loss>) {
    let (backends, losses): (Vec<_>, Vec<_>) =
        readings.into_iter().map(|Reading { backend, ineffective }| (backend, ineffective)).unzip();
    (backends, losses.concat())
}

/// Writes the list as one JSON text, every value as text, the way the vendor's examples do.
pub(super) fn write_list(
    backends: &[Backend],
    fields: &[Field],
    table: &BackendTable,
) -> Result<String, Fault> {
    let item = |backend: &Backend| {
        let written = table.write(backend)?;
        let cells = written.cells.into_iter().filter(|(field, _, _)| fields.contains(field));
        Ok(Document::Record(cells.map(|(_, name, text)| (name, Document::Text(text))).collect()))
    };
    Ok(Document::List(backends.iter().map(item).collect::<Result<_, Fault>>()?).to_json())
}

/// A backend of which only the identity is known, for calls that name it and say nothing else.
pub(super) fn identity(target: &Target, port: Port) -> Backend {
    Backend { target: target.clone(), port, traffic: Traffic::Off(None), standby: false, description: None }
}

/// Reads the list of a reply: `BackendServers.BackendServer[]`.
pub(super) fn read_members(body: &Document, table: &BackendTable) -> Result<Vec<Member>, Fault> {
    let list = body.member(LIST).and_then(|list| list.member(ITEM)).map_or(&[][..], Document::items);
    let member = |item: &Document| {
        let record = Record { told: true, ..record(item, String::new())? };
        Ok(Member { backend: table.read(&record)?.backend, id: None, health: Health::Unknown })
    };
    list.iter().map(member).collect()
}

/// Writes the list of a reply. Numbers are numbers in the live shape and text in the documented one, which also
/// leaves out what the page's sample leaves out.
pub(super) fn write_members(
    members: &[Member],
    documented: bool,
    table: &BackendTable,
) -> Result<Document, Fault> {
    let items = members.iter().map(|member| write_member(&member.backend, documented, table));
    Ok(Document::record([(ITEM, Document::List(items.collect::<Result<_, Fault>>()?))]))
}

fn write_member(backend: &Backend, documented: bool, table: &BackendTable) -> Result<Document, Fault> {
    let mut cells = Vec::new();
    for (field, name, text) in table.write(backend)?.cells {
        let default = table.row(field).and_then(|row| row.default.as_deref());
        let value = match field {
            Field::Port | Field::Weight if !documented => Document::Number(text),
            Field::Kind if documented && default == Some(text.as_str()) => continue,
            Field::Resource
            | Field::Kind
            | Field::Address
            | Field::Vpc
            | Field::Subnet
            | Field::Port
            | Field::Weight
            | Field::Enabled
            | Field::Standby
            | Field::Description => Document::Text(text),
        };
        cells.push((name, value));
    }
    if backend.description.is_none() && !documented {
        cells.push((table.wire_name(Field::Description).to_owned(), Document::text("")));
    }
    Ok(Document::Record(cells))
}

fn records(params: &Params) -> Result<Vec<Record<'static>>, Fault> {
    let flattened = flattened(params)?;
    match params.filled(LIST) {
        None => Ok(flattened),
        Some(_) if !flattened.is_empty() => {
            let detail =
                format!("the list is there as one text and flattened (`{LIST}.1.Port`); send one of them");
            Err(Fault::of_field(FaultKind::DoubledParameter, LIST, detail))
        }
        Some(text) => listed(text),
    }
}

fn listed(text: &str) -> Result<Vec<Record<'static>>, Fault> {
    let malformed = |detail: String| Fault::of_field(FaultKind::MalformedBackends, LIST, detail);
    let list = Document::from_loose_json(text).map_err(|error| {
        malformed(format!(
            "it has to be a JSON list of objects, `[{{\"ServerId\":\"i-…\",\"Port\":80}}]`: {error}"
        ))
    })?;
    let Document::List(items) = list else {
        return Err(malformed(format!("it has to be a JSON list of objects, not {}", list.kind())));
    };
    let numbered = items.iter().enumerate();
    numbered.map(|(index, item)| record(item, format!("{LIST}.{}.", index + 1))).collect()
}

fn record(item: &Document, prefix: String) -> Result<Record<'static>, Fault> {
    let Document::Record(members) = item else {
        let detail = format!("`{}` has to be an object, not {}", prefix.trim_end_matches('.'), item.kind());
        return Err(Fault::of_field(FaultKind::MalformedBackends, LIST, detail));
    };
    // "null = absent": the Kubernetes controller sends `"TargetRef":null`, Python scripts send None.
    let given = members.iter().filter(|(_, value)| *value != Document::Null);
    let cells = given.map(|(name, value)| (Cow::Owned(name.clone()), cell(value))).collect();
    Ok(Record { prefix, any_case: true, told: false, cells })
}

fn cell(value: &Document) -> Cell<'static> {
    match value {
        Document::Text(text) | Document::Number(text) => Cell::Text(Cow::Owned(text.clone())),
        Document::Null | Document::Bool(_) | Document::List(_) | Document::Record(_) => {
            Cell::Other(value.kind())
        }
    }
}

/// `BackendServers.1.ServerId=…`: what Tea and pop-core make of a list. Numbered from 1, or from 0.
fn flattened(params: &Params) -> Result<Vec<Record<'static>>, Fault> {
    let mut numbered: Vec<(usize, Record<'static>)> = Vec::new();
    for param in params {
        let Some(rest) = param.name.strip_prefix(LIST).and_then(|rest| rest.strip_prefix('.')) else {
            continue;
        };
        let parts = rest.split_once('.').and_then(|(index, name)| Some((index.parse().ok()?, name)));
        let Some((index, name)) = parts else {
            let detail = format!("a flattened list is written `{LIST}.1.ServerId`, not `{}`", param.name);
            return Err(Fault::of_field(FaultKind::MalformedBackends, param.name.clone(), detail));
        };
        let cell = (Cow::Owned(name.to_owned()), Cell::Text(Cow::Owned(param.value.clone())));
        if let Some((_, record)) = numbered.iter_mut().find(|(known, _)| *known == index) {
            record.cells.push(cell);
        } else {
            let prefix = format!("{LIST}.{index}.");
            numbered.push((index, Record { prefix, any_case: true, told: false, cells: vec![cell] }));
        }
    }
    numbered.sort_by_key(|(index, _)| *index);
    Ok(numbered.into_iter().map(|(_, record)| record).collect())
}

/// One server may serve on several ports, but one entry stands in a group once.
fn refuse_repeats(readings: &[Reading]) -> Result<(), Fault> {
    for (index, later) in readings.iter().enumerate() {
        let earlier =
            readings.iter().take(index).position(|earlier| earlier.backend.same_entry(&later.backend));
        if let Some(earlier) = earlier {
            let detail =
                format!("entries {} and {} are both {}; name it once", earlier + 1, index + 1, later.backend);
            return Err(Fault::of_field(FaultKind::MalformedBackends, LIST, detail));
        }
    }
    Ok(())
}
