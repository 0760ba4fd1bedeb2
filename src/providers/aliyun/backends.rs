//! Where backend records sit in this cloud's messages: in a list that is JSON inside one parameter, or flattened.
//!
//! AddVServerGroupBackendServers, "Request parameters", BackendServers; the spellings that real clients use are six.

use std::borrow::Cow;

use super::envelope;
use crate::{
    mapping::{BackendTable, Cell, Cloud, Reading, Record},
    model::{
        Backend, BackendRef, Change, Fault, FaultKind, Field, Health, Member, Port, Target, Traffic, Weight,
    },
    wire::{Document, NamedValue, Params},
};

/// The list of most requests and of every reply.
pub(super) const LIST: &str = "BackendServers";
/// The list of those that go.
pub(super) const OLD_LIST: &str = "OldBackendServers";
/// The list of those that come.
pub(super) const NEW_LIST: &str = "NewBackendServers";
/// The name of one item in a reply.
pub(super) const ITEM: &str = "BackendServer";

/// The fields that name a backend without saying anything else of it.
pub(super) const IDENTITY: [Field; 4] = [Field::Resource, Field::Kind, Field::Address, Field::Port];
/// The fields that the reply to a removal tells.
pub(super) const UNDESCRIBED: [Field; 5] =
    [Field::Resource, Field::Kind, Field::Address, Field::Port, Field::Weight];

/// Reads the list of backends that a request has under a name. A list that is left out is empty: Terraform sends one
/// more call without it when the number of servers is a multiple of 20.
pub(super) fn read_list(
    params: &Params,
    list: &'static str,
    most: usize,
    cloud: &Cloud,
) -> Result<Vec<Reading>, Fault> {
    let flattened = flattened(params, list)?;
    let document;
    let records = match params.filled(list) {
        None => flattened,
        Some(_) if !flattened.is_empty() => {
            let detail =
                format!("the list is there as one text and flattened (`{list}.1.Port`); send one of them");
            return Err(Fault::of_field(FaultKind::DoubledParameter, list, detail));
        }
        Some(text) => {
            document = list_in(text, list)?;
            listed(document.items(), list)?
        }
    };
    if records.len() > most {
        let detail = format!("`{list}` has {} entries, and one call may have {most}", records.len());
        return Err(Fault::of_field(FaultKind::TooManyBackends, list, detail));
    }
    let readings = records.iter().map(|record| cloud.backend.read(record)).collect::<Result<Vec<_>, _>>()?;
    refuse_repeats(&readings, list)?;
    Ok(readings)
}

/// The change that an item of a request asks for: weight 0 says that there is to be no new traffic, and of no weight.
pub(super) fn change_to(backend: Backend) -> Change {
    let Backend { target, port, traffic, standby: _, description } = backend;
    let (weight, enabled) = match traffic {
        Traffic::On(weight) => (Some(weight), true),
        Traffic::Off(weight) => (weight, false),
    };
    let backend = BackendRef::At { target, port };
    Change { weight, enabled: Some(enabled), description, ..Change::of(backend) }
}

/// What a change makes of a backend. An item that leaves its weight out means the default and not "as it is", so a
/// change that says nothing of traffic cannot be written.
pub(super) fn changed(change: &Change) -> Result<Backend, Fault> {
    let old = named(&change.backend)?;
    if change.enabled.is_none() || change.port.is_some_and(|port| port != old.port) {
        let detail = format!("a change of {old} that one call cannot carry");
        return Err(Fault::new(FaultKind::Internal, detail));
    }
    Ok(change.applied(&old, Weight::LOWEST))
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
        Ok(Document::Record(cells.map(|(_, name, text)| (name.into(), Document::text(text))).collect()))
    };
    Ok(Document::List(backends.iter().map(item).collect::<Result<_, Fault>>()?).to_json())
}

/// A backend of which only the identity is known, for calls that name it and say nothing else.
pub(super) fn identity(target: &Target, port: Port) -> Backend {
    Backend { target: target.clone(), port, traffic: Traffic::Off(None), standby: false, description: None }
}

/// The backend that a reference names, by its identity.
pub(super) fn named(named: &BackendRef) -> Result<Backend, Fault> {
    match named {
        BackendRef::At { target, port } => Ok(identity(target, *port)),
        BackendRef::Id(id) => Err(Fault::new(
            FaultKind::UnknownBackend,
            format!("`{id}` does not say which server and port it is"),
        )),
    }
}

/// A backend as a member of a group of this cloud, which gives it no id and tells its health elsewhere.
pub(super) const fn member(backend: Backend) -> Member {
    Member { backend, id: None, health: Health::Unknown, also: None }
}

/// Reads the list of a reply, `BackendServers.BackendServer[]`; none if the reply has no such member at all.
pub(super) fn read_members(body: &Document, cloud: &Cloud) -> Result<Option<Vec<Member>>, Fault> {
    if body.member(LIST).is_none() {
        return Ok(None);
    }
    let items = envelope::items(body, LIST, ITEM).ok_or_else(|| unreadable(cloud))?;
    let members = items.iter().map(|item| read_told(item, cloud).map(member)).collect::<Result<_, _>>()?;
    Ok(Some(members))
}

/// Reads one item of the list of a reply.
pub(super) fn read_told(item: &Document, cloud: &Cloud) -> Result<Backend, Fault> {
    let told = record(item, LIST, String::new()).and_then(|record| {
        let record = Record { told: true, ..record };
        cloud.backend.read(&record)
    });
    told.map(|reading| reading.backend).map_err(|fault| unreadable(cloud).caused_by(fault))
}

/// A reply whose list makes no sense.
fn unreadable(cloud: &Cloud) -> Fault {
    envelope::lost(cloud, "a list of backends that cannot be read")
}

/// Writes the list of a reply, so many fields of each.
pub(super) fn write_members(
    members: &[Member],
    fields: &[Field],
    documented: bool,
    table: &BackendTable,
) -> Result<Document, Fault> {
    let item =
        |member: &Member| write_fields(&member.backend, fields, documented, table).map(Document::Record);
    Ok(envelope::list(ITEM, members.iter().map(item).collect::<Result<_, _>>()?))
}

/// Writes so many fields of one backend of a reply. Numbers are numbers in the live shape and text in the documented
/// one, which also leaves out what the page's sample leaves out.
pub(super) fn write_fields(
    backend: &Backend,
    fields: &[Field],
    documented: bool,
    table: &BackendTable,
) -> Result<Vec<NamedValue>, Fault> {
    let mut cells = Vec::new();
    let written = table.write(backend)?.cells;
    for (field, name, text) in written.into_iter().filter(|(field, _, _)| fields.contains(field)) {
        let default = table.row(field).and_then(|row| row.default.as_deref());
        let value = match field {
            Field::Port | Field::Weight if !documented => Document::Number(text.into()),
            Field::Kind if documented && default == Some(text.as_ref()) => continue,
            Field::Resource
            | Field::Kind
            | Field::Address
            | Field::Vpc
            | Field::Subnet
            | Field::Port
            | Field::Weight
            | Field::Enabled
            | Field::Standby
            | Field::Description => Document::text(text),
        };
        cells.push((name.into(), value));
    }
    if fields.contains(&Field::Description) && backend.description.is_none() && !documented {
        cells.push((table.wire_name(Field::Description).into(), Document::text("")));
    }
    Ok(cells)
}

/// A list that is one text.
fn list_in(text: &str, list: &'static str) -> Result<Document, Fault> {
    let malformed = |detail: String| Fault::of_field(FaultKind::MalformedBackends, list, detail);
    let document = Document::from_loose_json(text).map_err(|error| {
        malformed(format!(
            "it has to be a JSON list of objects, `[{{\"ServerId\":\"i-…\",\"Port\":80}}]`: {error}"
        ))
    })?;
    if let Document::List(_) = document {
        return Ok(document);
    }
    Err(malformed(format!("it has to be a JSON list of objects, not {}", document.kind())))
}

/// The records of such a list.
fn listed<'d>(items: &'d [Document], list: &'static str) -> Result<Vec<Record<'d>>, Fault> {
    let numbered = items.iter().enumerate();
    numbered.map(|(index, item)| record(item, list, format!("{list}.{}.", index + 1))).collect()
}

/// One record that is a JSON object.
fn record<'d>(item: &'d Document, list: &'static str, prefix: String) -> Result<Record<'d>, Fault> {
    let Document::Record(members) = item else {
        let detail = format!("`{}` has to be an object, not {}", prefix.trim_end_matches('.'), item.kind());
        return Err(Fault::of_field(FaultKind::MalformedBackends, list, detail));
    };
    // "null = absent": the Kubernetes controller sends `"TargetRef":null`, Python scripts send None.
    let given = members.iter().filter(|(_, value)| *value != Document::Null);
    let cells = given.map(|(name, value)| (name.as_str(), cell(value))).collect();
    Ok(Record { prefix, any_case: true, told: false, cells })
}

/// One value of a record.
fn cell(value: &Document) -> Cell<'_> {
    match value {
        Document::Text(text) | Document::Number(text) => Cell::Text(Cow::Borrowed(text)),
        Document::Null | Document::Bool(_) | Document::List(_) | Document::Record(_) => {
            Cell::Other(value.kind())
        }
    }
}

/// `BackendServers.1.ServerId=…`: what Tea and pop-core make of a list. Numbered from 1, or from 0.
fn flattened<'p>(params: &'p Params, list: &'static str) -> Result<Vec<Record<'p>>, Fault> {
    let mut numbered: Vec<(usize, Record<'p>)> = Vec::new();
    for param in params {
        let Some(rest) = param.name.strip_prefix(list).and_then(|rest| rest.strip_prefix('.')) else {
            continue;
        };
        let parts = rest.split_once('.').and_then(|(index, name)| Some((index.parse().ok()?, name)));
        let Some((index, name)) = parts else {
            let detail = format!("a flattened list is written `{list}.1.ServerId`, not `{}`", param.name);
            return Err(Fault::of_field(FaultKind::MalformedBackends, param.name.clone(), detail));
        };
        let cell = (name, Cell::Text(Cow::Borrowed(param.value.as_str())));
        if let Some((_, record)) = numbered.iter_mut().find(|(known, _)| *known == index) {
            record.cells.push(cell);
        } else {
            let prefix = format!("{list}.{index}.");
            numbered.push((index, Record { prefix, any_case: true, told: false, cells: vec![cell] }));
        }
    }
    numbered.sort_by_key(|(index, _)| *index);
    Ok(numbered.into_iter().map(|(_, record)| record).collect())
}

/// One server may serve on several ports, but one entry stands in a group once.
fn refuse_repeats(readings: &[Reading], list: &'static str) -> Result<(), Fault> {
    for (index, later) in readings.iter().enumerate() {
        let earlier =
            readings.iter().take(index).position(|earlier| earlier.backend.same_entry(&later.backend));
        if let Some(earlier) = earlier {
            let detail =
                format!("entries {} and {} are both {}; name it once", earlier + 1, index + 1, later.backend);
            return Err(Fault::of_field(FaultKind::MalformedBackends, list, detail));
        }
    }
    Ok(())
}
