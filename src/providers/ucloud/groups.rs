//! `VServer` records: what the parameters of CreateVServer and UpdateVServerAttribute say, and the elements of a
//! `DataSet` or a `VServerSet`. A VServer is a listener and its group in one.

use jiff::Timestamp;

use super::{
    backends,
    envelope::{list_of, lost, text_of, wrong},
};
use crate::{
    mapping::{Cloud, ListenerNames},
    model::{
        Fault, FaultKind, Group, GroupId, GroupRef, Health, Listener, ListenerOption, LoadBalancerId, Member,
        Port, Protocol, Scope,
    },
    wire::{Document, Params},
};

/// Since when there is a VServer, or a ULB.
pub(super) const CREATED: &str = "CreateTime";

/// The name that a request gives to a group, if any.
pub(super) fn read_name(params: &Params, cloud: &Cloud) -> Result<Option<String>, Fault> {
    let parameter = &cloud.group.name;
    let Some(name) = params.filled(parameter) else { return Ok(None) };
    let (low, high) = cloud.group.name_length;
    let length = name.chars().count();
    if (low as usize..=high as usize).contains(&length) {
        return Ok(Some(name.to_owned()));
    }
    let allowed = format!("text of {low} to {high} characters");
    Err(wrong(FaultKind::InvalidParameter, parameter, &allowed, &format!("{length} characters")))
}

/// The listener that a new group is to be.
pub(super) fn read_listener(params: &Params, cloud: &Cloud) -> Result<Option<Listener>, Fault> {
    let Some(names) = &cloud.group.listener else { return Ok(None) };
    let protocol = match params.filled(&names.protocol) {
        None => names.default_protocol,
        Some(word) => cloud.group.protocol_of(word).ok_or_else(|| {
            let allowed = format!("one of {}", cloud.group.protocol_words());
            wrong(FaultKind::InvalidParameter, &names.protocol, &allowed, word)
        })?,
    };
    let port = match params.filled(&names.port) {
        None => names.default_port,
        Some(text) => whole(text).and_then(Port::new).ok_or_else(|| {
            wrong(FaultKind::InvalidPort, &names.port, "a whole number from 1 to 65535", text)
        })?,
    };
    Ok(Some(Listener { protocol, port }))
}

/// The further settings that a request gives, in the order of the table.
pub(super) fn read_options(params: &Params, cloud: &Cloud) -> Result<Vec<ListenerOption>, Fault> {
    let mut options = Vec::new();
    for row in &cloud.group.options {
        let Some(value) = params.filled(&row.wire) else { continue };
        if let Some(allowed) = row.allowed_instead(value) {
            return Err(wrong(FaultKind::InvalidParameter, &row.wire, &allowed, value));
        }
        options.push(ListenerOption { name: row.wire.clone(), value: value.to_owned() });
    }
    Ok(options)
}

/// The parameters of a new group's listener.
pub(super) fn write_listener(params: &mut Params, listener: &Listener, names: &ListenerNames, cloud: &Cloud) {
    params.push(&names.protocol, cloud.group.protocol_word(listener.protocol));
    params.push(&names.port, listener.port.to_string());
}

/// The parameters of further settings.
pub(super) fn write_options(params: &mut Params, options: &[ListenerOption]) {
    for ListenerOption { name, value } in options {
        params.push(name, value);
    }
}

/// A whole number that is not negative, written in digits alone.
pub(super) fn whole(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// Reads a VServer. What it does not say of its own name, `asked` does.
pub(super) fn read(item: &Document, asked: &Scope, cloud: &Cloud) -> Result<Group, Fault> {
    let named = GroupId::new(text_of(item, &cloud.group.group));
    let group = named.or_else(|| asked.group.clone());
    let group = group.ok_or_else(|| lost(cloud, "a VServer without a VServerId"))?;
    let load_balancer = cloud.group.load_balancer.as_ref();
    let load_balancer = load_balancer.and_then(|name| LoadBalancerId::new(text_of(item, name)));
    let load_balancer = load_balancer.or_else(|| asked.load_balancer.clone());
    let unreadable = |fault| lost(cloud, "a list of backends that cannot be read").caused_by(fault);
    let backends = list_of(item, backends::SET, cloud)?;
    let members: Vec<Member> = backends
        .iter()
        .map(|backend| backends::read_member(backend, cloud).map_err(unreadable))
        .collect::<Result<_, _>>()?;
    let listener = cloud.group.listener.as_ref().and_then(|names| listener_of(item, names, cloud));
    Ok(Group {
        id: GroupRef { load_balancer, group, place: asked.place.clone() },
        name: Some(text_of(item, &cloud.group.name).into_owned()).filter(|name| !name.is_empty()),
        listeners: listener.into_iter().collect(),
        options: options_of(item, cloud),
        created: created_of(item),
        count: members.len(),
        members,
    })
}

/// None for what is no listener that the table has words for: a group can be used without.
fn listener_of(item: &Document, names: &ListenerNames, cloud: &Cloud) -> Option<Listener> {
    let protocol = cloud.group.protocol_of(&text_of(item, &names.protocol))?;
    let port = whole(&text_of(item, &names.port)).and_then(Port::new)?;
    Some(Listener { protocol, port })
}

fn options_of(item: &Document, cloud: &Cloud) -> Vec<ListenerOption> {
    let told = |name: &String| {
        let value = item.member(name)?.scalar()?.into_owned();
        Some(ListenerOption { name: name.clone(), value })
    };
    cloud.group.options.iter().filter_map(|row| told(&row.wire)).collect()
}

/// Writes a VServer; `within` is its load balancer where the group does not say.
pub(super) fn write(
    group: &Group,
    within: Option<&LoadBalancerId>,
    cloud: &Cloud,
) -> Result<Document, Fault> {
    let Group { id, name, listeners, options, created, members, count: _ } = group;
    let GroupRef { load_balancer, group, place: _ } = id;
    let mut record = Vec::new();
    let mut tell = |name: &str, value: Document| record.push((name.into(), value));
    if let Some(name) = &cloud.group.load_balancer {
        let load_balancer = load_balancer.as_ref().or(within);
        tell(name, Document::text(load_balancer.map(LoadBalancerId::as_str).unwrap_or_default()));
    }
    tell(&cloud.group.group, Document::text(group.as_str()));
    tell(&cloud.group.name, Document::text(name.as_deref().unwrap_or_default()));
    if let Some(names) = &cloud.group.listener {
        let listener = listeners.first();
        let word = |protocol: Protocol| cloud.group.protocol_word(protocol);
        tell(&names.protocol, Document::text(listener.map_or("", |listener| word(listener.protocol))));
        let port = listener.map_or(0, |listener| i64::from(listener.port.get()));
        tell(&names.port, Document::number(port));
    }
    for row in &cloud.group.options {
        let set = options.iter().find(|option| option.name == row.wire).map(|option| option.value.as_str());
        tell(
            &row.wire,
            if row.number {
                let set = set.filter(|value| whole(value).is_some());
                Document::Number(set.unwrap_or(&row.default).into())
            } else {
                Document::text(set.unwrap_or(&row.default))
            },
        );
    }
    tell("Status", Document::number(status(members, cloud)));
    tell(CREATED, created_text(*created));
    tell("SSLSet", Document::List(Vec::new()));
    tell("SecurityPolicy", Document::Record(Vec::new()));
    tell("PolicySet", policies(group, members));
    let set = members.iter().map(|member| backends::write_member(member, cloud)).collect::<Result<_, _>>()?;
    tell(backends::SET, Document::List(set));
    Ok(Document::Record(record))
}

/// "0: all of them run normally, 1: none does, 2: some do not."
fn status(members: &[Member], cloud: &Cloud) -> i64 {
    let healthy = cloud.group.health_word(Health::Healthy);
    let is_well = |member: &&Member| cloud.group.health_word(member.health) == healthy;
    match members.iter().filter(is_well).count() {
        well if well == members.len() => 0,
        0 => 1,
        _ => 2,
    }
}

/// The policy by which whatever no other matches is forwarded: to all backends. It is listed though nobody made it.
fn policies(group: &GroupId, members: &[Member]) -> Document {
    if members.is_empty() {
        return Document::List(Vec::new());
    }
    let set = members.iter().map(backends::write_forwarded).collect();
    let count = i64::try_from(members.len()).unwrap_or(i64::MAX);
    let policy = Document::record([
        ("PolicyId", Document::text("")),
        ("PolicyType", Document::text("Default")),
        ("Type", Document::text("")),
        ("Match", Document::text("")),
        ("PolicyPriority", Document::number(0)),
        ("TotalCount", Document::number(count)),
        ("VServerId", Document::text(group.as_str())),
        (backends::SET, Document::List(set)),
    ]);
    Document::List(vec![policy])
}

/// The moment at which something was made, in whole seconds; 0 says that it is not known.
pub(super) fn created_text(created: Option<Timestamp>) -> Document {
    Document::number(created.map_or(0, Timestamp::as_second))
}

/// The moment at which something was made.
pub(super) fn created_of(item: &Document) -> Option<Timestamp> {
    let seconds: i64 = text_of(item, CREATED).parse().ok()?;
    Some(seconds).filter(|seconds| *seconds > 0).and_then(|seconds| Timestamp::from_second(seconds).ok())
}
