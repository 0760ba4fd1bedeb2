//! Where groups sit in this cloud's messages: as parameters that name one, and as records of replies.
//!
//! DescribeVServerGroupAttribute and DescribeVServerGroups, "Response parameters".

use super::{
    backends, balancers, envelope,
    listeners::{self, Names},
    values,
};
use crate::{
    mapping::Cloud,
    model::{
        Fault, FaultKind, Field, Group, GroupId, GroupRef, LoadBalancerId, LoadBalancerRef, Page, Place,
    },
    wire::{Document, NamedValue, Params},
};

/// The parameter that asks for the listeners of each group.
pub(super) const WITH_LISTENERS: &str = "IncludeListener";
/// The parameter that asks for the forwarding rules of each group.
pub(super) const WITH_RULES: &str = "IncludeRule";
/// What a caller asks for who cannot ask for a part: this cloud lists the groups of a load balancer whole.
pub(super) const ALL: Page = Page { offset: 0, limit: usize::MAX };

const LIST: &str = "VServerGroups";
const ITEM: &str = "VServerGroup";
const CREATED: &str = "CreateTime";
const COUNT: &str = "ServerCount";
const ASSOCIATED: &str = "AssociatedObjects";
const LISTENERS: &str = "Listeners";
const LISTENER: Names = Names { port: "Port", protocol: "Protocol" };

/// Names a group in the parameters of a call.
pub(super) fn name(params: &mut Params, group: &GroupId, place: &Place, cloud: &Cloud) {
    locate(params, place, cloud);
    params.push(&cloud.group.group, group.as_str());
}

/// Says in the parameters of a call where it is to be carried out.
pub(super) fn locate(params: &mut Params, place: &Place, cloud: &Cloud) {
    if let Some(region) = &place.region {
        params.push(&cloud.group.region, region.as_str());
    }
}

/// The name for people that the parameters of a request give a group.
pub(super) fn read_name(params: &Params, cloud: &Cloud) -> Result<Option<String>, Fault> {
    let (name, (low, high)) = (&cloud.group.name, cloud.group.name_length);
    let Some(text) = params.filled(name) else { return Ok(None) };
    let length = text.chars().count();
    if (low as usize..=high as usize).contains(&length) {
        return Ok(Some(text.to_owned()));
    }
    let detail = format!("`{name}` has to be text of {low} to {high} characters, not of {length}");
    Err(Fault::of_field(FaultKind::InvalidParameter, name.clone(), detail))
}

/// Writes what a group is and holds.
pub(super) fn write_described(
    group: &Group,
    documented: bool,
    cloud: &Cloud,
) -> Result<Vec<NamedValue>, Fault> {
    let mut members = Vec::new();
    if let Some(balancer) = &group.id.load_balancer {
        members.push((balancers::ID.into(), Document::text(balancer.as_str())));
    }
    members.extend(attributes(group, cloud));
    let list = backends::write_members(&group.members, &Field::ALL, documented, &cloud.backend)?;
    members.push((backends::LIST.into(), list));
    Ok(members)
}

/// Reads what a group is and holds.
pub(super) fn read_described(body: &Document, asked: &GroupRef, cloud: &Cloud) -> Result<Group, Fault> {
    if values::told(body, &cloud.group.group).is_none_or(|told| told != asked.group.as_str()) {
        return Err(envelope::lost(cloud, "with another group than the one that was asked for"));
    }
    let members = backends::read_members(body, cloud)?
        .ok_or_else(|| envelope::lost(cloud, "with a group and no list of its backends"))?;
    let load_balancer = values::told(body, balancers::ID).and_then(LoadBalancerId::new);
    let id =
        GroupRef { load_balancer: load_balancer.or_else(|| asked.load_balancer.clone()), ..asked.clone() };
    Ok(Group {
        name: values::told(body, &cloud.group.name),
        created: values::told_moment(body, CREATED),
        ..Group::of(id, members)
    })
}

/// Writes the groups of a load balancer, with their listeners if these were asked for.
pub(super) fn write_list(
    groups: &[Group],
    with_listeners: bool,
    documented: bool,
    cloud: &Cloud,
) -> Vec<NamedValue> {
    let item = |group: &Group| {
        let listener = |listener| Document::Record(listeners::write(listener, LISTENER, documented, cloud));
        let shown = group.listeners.iter().filter(|_| with_listeners).map(listener).collect();
        let associated = Document::record([
            (LISTENERS, envelope::list("Listener", shown)),
            ("Rules", envelope::list("Rule", Vec::new())),
        ]);
        let mut members = vec![(cloud.group.group.as_str().into(), Document::text(group.id.group.as_str()))];
        members.extend(attributes(group, cloud));
        members.push((COUNT.into(), values::number(group.count, documented)));
        members.push((ASSOCIATED.into(), associated));
        Document::Record(members)
    };
    vec![(LIST.into(), envelope::list(ITEM, groups.iter().map(item).collect()))]
}

/// Reads the groups of a load balancer.
pub(super) fn read_list(body: &Document, of: &LoadBalancerRef, cloud: &Cloud) -> Result<Vec<Group>, Fault> {
    let items =
        envelope::items(body, LIST, ITEM).ok_or_else(|| envelope::lost(cloud, "with no list of groups"))?;
    items.iter().map(|item| read_listed(item, of, cloud)).collect()
}

/// Reads one group of a list.
fn read_listed(item: &Document, of: &LoadBalancerRef, cloud: &Cloud) -> Result<Group, Fault> {
    let group = values::told(item, &cloud.group.group)
        .and_then(GroupId::new)
        .ok_or_else(|| envelope::lost(cloud, "with a group that has no id"))?;
    let id = GroupRef { load_balancer: Some(of.id.clone()), group, place: of.place.clone() };
    let listed =
        item.member(ASSOCIATED).and_then(|associated| envelope::items(associated, LISTENERS, "Listener"));
    Ok(Group {
        name: values::told(item, &cloud.group.name),
        listeners: listeners::read_all(listed.unwrap_or_default(), LISTENER, cloud)?,
        created: values::told_moment(item, CREATED),
        // Older replies do not tell it, and whoever needs the backends has to ask for the group anyway.
        count: values::told_number(item, COUNT, cloud)?.unwrap_or_default(),
        ..Group::of(id, Vec::new())
    })
}

/// What both replies tell of a group; what is not known is left out.
fn attributes(group: &Group, cloud: &Cloud) -> Vec<NamedValue> {
    let mut members = Vec::new();
    if let Some(name) = &group.name {
        members.push((cloud.group.name.as_str().into(), Document::text(name)));
    }
    if let Some(created) = group.created {
        members.push((CREATED.into(), values::moment(created)));
    }
    members.push(("Tags".into(), envelope::list("Tag", Vec::new())));
    members
}
