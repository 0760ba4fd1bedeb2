//! Where backend records sit in this cloud's messages: among the parameters of AllocateBackend, between pipes in
//! AllocateBackendBatch, and in the `BackendSet` of DescribeVServer.

use std::{borrow::Cow, net::IpAddr};

use super::envelope::text_of;
use crate::{
    mapping::{Cell, Cloud, Reading, Record},
    model::{Backend, BackendId, Fault, FaultKind, Field, Kind, Member, ResourceId, Target},
    wire::{Document, Params},
};

/// The list of a VServer's backends, and of what became of several.
pub(super) const SET: &str = "BackendSet";

pub(super) const BATCH: &str = "Backends";

/// The fields of a batch item, in order: `ResourceId|ResourceType|Port|Enabled|PrivateIP`, and with `ApiVersion=3` a
/// sixth, which the vendor's own test sends as 0 and which reads as IsBackup. No page documents the action.
const ITEM: [Field; 6] =
    [Field::Resource, Field::Kind, Field::Port, Field::Enabled, Field::Address, Field::Standby];

/// The name of an address in a reply, which is not that of a request.
const PRIVATE_IP: &str = "PrivateIP";

/// The backend of AllocateBackend.
pub(super) fn read_single(params: &Params, cloud: &Cloud) -> Result<Reading, Fault> {
    let cells =
        params.iter().map(|param| (param.name.as_str(), Cell::Text(Cow::Borrowed(param.value.as_str()))));
    cloud.backend.read(&Record {
        prefix: String::new(),
        any_case: false,
        told: false,
        cells: cells.collect(),
    })
}

/// The backends of AllocateBackendBatch, in the order of their numbers.
pub(super) fn read_batch(params: &Params, most: usize, cloud: &Cloud) -> Result<Vec<Reading>, Fault> {
    let fields = if params.filled("ApiVersion").is_some() { 5..=6 } else { 5..=5 };
    let items = numbered(params)?;
    if items.len() > most {
        let detail = format!("there are {} entries, and one call may have {most}", items.len());
        return Err(Fault::of_field(FaultKind::TooManyBackends, BATCH, detail));
    }
    let mut readings: Vec<Reading> = Vec::new();
    for (name, text) in items {
        let values: Vec<&str> = text.split('|').collect();
        if !fields.contains(&values.len()) {
            let detail = format!(
                "`{name}` has {} fields; write `ResourceId|ResourceType|Port|Enabled|PrivateIP`, and with ApiVersion=3 a sixth, IsBackup",
                values.len()
            );
            return Err(Fault::of_field(FaultKind::MalformedBackends, name.to_owned(), detail));
        }
        let reading = cloud.backend.read(&item_record(name, &values, cloud))?;
        if readings.iter().any(|earlier| earlier.backend.same_entry(&reading.backend)) {
            let detail = format!("{} stands there twice; name it once", reading.backend);
            return Err(Fault::of_field(FaultKind::MalformedBackends, name.to_owned(), detail));
        }
        readings.push(reading);
    }
    Ok(readings)
}

fn item_record<'r>(name: &str, values: &[&'r str], cloud: &'r Cloud) -> Record<'r> {
    let cell = |(field, value): (Field, &&'r str)| {
        (cloud.backend.wire_name(field), Cell::Text(Cow::Borrowed(*value)))
    };
    let cells = ITEM.into_iter().zip(values).map(cell).collect();
    Record { prefix: format!("{name}."), any_case: false, told: false, cells }
}

/// `Backends.0`, `Backends.1`, … sorted by number; gaps and a base of 1 are taken.
fn numbered(params: &Params) -> Result<Vec<(&str, &str)>, Fault> {
    let mut items: Vec<(usize, &str, &str)> = Vec::new();
    for param in params {
        let Some(rest) = param.name.strip_prefix(BATCH) else { continue };
        let number = rest.strip_prefix('.').and_then(|number| number.parse().ok()).ok_or_else(|| {
            let detail = format!("an entry is written `{BATCH}.0`, not `{}`", param.name);
            Fault::of_field(FaultKind::MalformedBackends, param.name.clone(), detail)
        })?;
        items.push((number, &param.name, &param.value));
    }
    items.sort_by_key(|(number, _, _)| *number);
    Ok(items.into_iter().map(|(_, name, text)| (name, text)).collect())
}

/// One element of a `BackendSet`. An interface is listed as what its server has attached.
pub(super) fn read_member(item: &Document, cloud: &Cloud) -> Result<Member, Fault> {
    let text = |name: &str| text_of(item, name);
    // The default of a request says nothing of what a reply has left out.
    let port = cloud.backend.wire_name(Field::Port);
    if text(port).is_empty() {
        return Err(Fault::of_field(FaultKind::MissingParameter, port.to_owned(), ""));
    }
    let attached = !text("SubResourceId").is_empty();
    let mut cells = Vec::new();
    let mut cell = |field: Field, text| cells.push((cloud.backend.wire_name(field), Cell::Text(text)));
    let id = text("ResourceId");
    cell(Field::Resource, text(if attached { "SubResourceId" } else { "ResourceId" }));
    cell(Field::Kind, text(if attached { "SubResourceType" } else { "ResourceType" }));
    // A bare address may stand where others have their id.
    let address = Some(text(PRIVATE_IP)).filter(|ip| !ip.is_empty());
    cell(
        Field::Address,
        address.unwrap_or_else(|| if id.parse::<IpAddr>().is_ok() { id.clone() } else { "".into() }),
    );
    for field in [Field::Vpc, Field::Subnet, Field::Port, Field::Weight, Field::Enabled, Field::Standby] {
        cell(field, text(cloud.backend.wire_name(field)));
    }
    let mut backend =
        cloud.backend.read(&Record { prefix: String::new(), any_case: false, told: true, cells })?.backend;
    // The private address of an interface is told, not chosen.
    if let Target::Resource { address, .. } = &mut backend.target {
        *address = None;
    }
    let health = cloud.group.health_of(&text("Status"));
    let beside = ResourceId::new(id).filter(|_| attached);
    let also = beside.map(|id| {
        let kind = cloud.backend.kind_of(&text("ResourceType")).unwrap_or(Kind::Instance);
        Box::new(Target::Resource { kind, id, address: None })
    });
    Ok(Member { backend, id: BackendId::new(text("BackendId")), health, also })
}

/// One element of a `BackendSet`.
pub(super) fn write_member(member: &Member, cloud: &Cloud) -> Result<Document, Fault> {
    let Member { backend, id, health, also: _ } = member;
    let written = cloud.backend.write(backend)?.cells;
    let text = |field: Field| {
        let cell = written.iter().find(|(of, _, _)| *of == field);
        cell.map(|(_, _, text)| text.as_ref().into()).unwrap_or_default()
    };
    let named = |field: Field, value: Document| (cloud.backend.wire_name(field).into(), value);
    let word = |field: Field| named(field, Document::Text(text(field)));
    let number = |field: Field| named(field, Document::Number(text(field)));
    let mut record = vec![
        ("BackendId".into(), id_text(id.as_ref())),
        word(Field::Kind),
        word(Field::Resource),
        (PRIVATE_IP.into(), private_ip(&backend.target)),
        word(Field::Vpc),
        word(Field::Subnet),
        number(Field::Port),
        number(Field::Weight),
        number(Field::Enabled),
        number(Field::Standby),
        ("Status".into(), Document::Number(cloud.group.health_word(*health).into())),
    ];
    for name in ["ResourceName", "SubResourceType", "SubResourceId", "SubResourceName"] {
        record.push((name.into(), Document::text("")));
    }
    Ok(Document::Record(record))
}

/// One element of the `BackendSet` of a policy. Nobody but the cloud itself knows what an `ObjectId` is of.
pub(super) fn write_forwarded(member: &Member) -> Document {
    let Member { backend, id, health: _, also: _ } = member;
    Document::record([
        ("BackendId", id_text(id.as_ref())),
        ("ObjectId", Document::text("")),
        ("ResourceName", Document::text("")),
        (PRIVATE_IP, private_ip(&backend.target)),
        ("Port", Document::number(backend.port.get())),
    ])
}

fn private_ip(target: &Target) -> Document {
    let ip = match target {
        Target::Address { ip, .. } | Target::Resource { address: Some(ip), .. } => ip.to_string(),
        Target::Resource { address: None, .. } => String::new(),
    };
    Document::text(ip)
}

/// One element of the `BackendSet` of AllocateBackendBatch.
pub(super) fn write_batch_member(member: &Member) -> Document {
    let Member {
        backend: Backend { target, port: _, traffic: _, standby: _, description: _ },
        id,
        health: _,
        also: _,
    } = member;
    Document::record([
        ("BackendId", id_text(id.as_ref())),
        ("ResourceId", Document::text(target.to_string())),
    ])
}

pub(super) fn id_text(id: Option<&BackendId>) -> Document {
    Document::text(id.map(BackendId::as_str).unwrap_or_default())
}
