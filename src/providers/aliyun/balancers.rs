//! Where load balancers sit in this cloud's messages: as parameters that name or choose them, and as records of
//! replies.
//!
//! DescribeLoadBalancers and DescribeLoadBalancerAttribute, "Request parameters" and "Response parameters".

use super::{
    backends, envelope, groups,
    listeners::{self, Names},
    values,
};
use crate::{
    mapping::Cloud,
    model::{
        Fault, FaultKind, Listener, LoadBalancer, LoadBalancerFilter, LoadBalancerId, LoadBalancerRef, Page,
        Place, Reach, RegionId, SubnetId, VpcId,
    },
    wire::{Document, NamedValue, Params},
};

/// The parameter and the field that name a load balancer.
pub(super) const ID: &str = "LoadBalancerId";
/// The name for people.
pub(super) const NAME: &str = "LoadBalancerName";

const ADDRESS: &str = "Address";
const REACH: &str = "AddressType";
const VPC: &str = "VpcId";
const SUBNET: &str = "VSwitchId";
const PAGE: &str = "PageNumber";
const SIZE: &str = "PageSize";
const TOTAL: &str = "TotalCount";
const CREATED: &str = "CreateTime";
const LIST: &str = "LoadBalancers";
const ITEM: &str = "LoadBalancer";

/// How many ids or names a request may list.
const MOST: usize = 10;
/// How many a page has when the request does not say.
const DEFAULT_SIZE: u32 = 50;
const REACHES: [Reach; 2] = [Reach::Internet, Reach::Intranet];
/// The list of listeners with its item and its fields, and the same once more: the misspelling is real, and clients read
/// it.
const LISTENERS: [(&str, &str, Names); 2] = [
    (
        "ListenerPortsAndProtocal",
        "ListenerPortAndProtocal",
        Names { port: "ListenerPort", protocol: "ListenerProtocal" },
    ),
    (
        "ListenerPortsAndProtocol",
        "ListenerPortAndProtocol",
        Names { port: "ListenerPort", protocol: "ListenerProtocol" },
    ),
];

/// Names a load balancer in the parameters of a call.
pub(super) fn name(params: &mut Params, balancer: &LoadBalancerRef, cloud: &Cloud) {
    groups::locate(params, &balancer.place, cloud);
    params.push(ID, balancer.id.as_str());
}

/// Reads which load balancers a request asks for.
pub(super) fn read_filter(params: &Params) -> Result<LoadBalancerFilter, Fault> {
    let text = |name: &str| params.filled(name).map(str::to_owned);
    let words = || format!("one of {}", REACHES.map(word_of).join(", "));
    Ok(LoadBalancerFilter {
        ids: listed(params, ID)?.into_iter().filter_map(LoadBalancerId::new).collect(),
        names: listed(params, NAME)?,
        address: text(ADDRESS),
        reach: values::one_of(params, REACH, reach_of, words)?,
        vpc: text(VPC).and_then(VpcId::new),
        subnet: text(SUBNET).and_then(SubnetId::new),
    })
}

/// Writes which load balancers a call asks for.
pub(super) fn write_filter(params: &mut Params, filter: &LoadBalancerFilter) {
    let LoadBalancerFilter { ids, names, address, reach, vpc, subnet } = filter;
    let ids: Vec<&str> = ids.iter().map(LoadBalancerId::as_str).collect();
    let ids = Some(ids.join(",")).filter(|ids| !ids.is_empty());
    let names = Some(names.join(",")).filter(|names| !names.is_empty());
    let given = [
        (ID, ids.as_deref()),
        (NAME, names.as_deref()),
        (ADDRESS, address.as_deref()),
        (REACH, reach.map(word_of)),
        (VPC, vpc.as_ref().map(VpcId::as_str)),
        (SUBNET, subnet.as_ref().map(SubnetId::as_str)),
    ];
    for (name, value) in given {
        if let Some(value) = value {
            params.push(name, value);
        }
    }
}

/// Reads which part of the list a request asks for.
pub(super) fn read_page(params: &Params) -> Result<Page, Fault> {
    let whole = |name, most, default: u32| {
        let number = values::whole(params, name, &(1..=most))?.unwrap_or(default);
        Ok(usize::try_from(number).unwrap_or(usize::MAX))
    };
    let page = whole(PAGE, i32::MAX.unsigned_abs(), 1)?;
    let limit = whole(SIZE, 100, DEFAULT_SIZE)?;
    Ok(Page { offset: (page - 1).saturating_mul(limit), limit })
}

/// Writes which part of the list a call asks for.
pub(super) fn write_page(params: &mut Params, page: Page) {
    params.push(PAGE, number_of(page).to_string());
    params.push(SIZE, page.limit.to_string());
}

/// Writes a part of the load balancers, and how many there are in all.
pub(super) fn write_list(
    balancers: &[LoadBalancer],
    page: Page,
    total: usize,
    documented: bool,
    cloud: &Cloud,
) -> Vec<NamedValue> {
    let item = |balancer| Document::Record(attributes(balancer, documented, cloud));
    vec![
        (LIST.into(), envelope::list(ITEM, balancers.iter().map(item).collect())),
        (PAGE.into(), values::number(number_of(page), documented)),
        (SIZE.into(), values::number(page.limit, documented)),
        (TOTAL.into(), values::number(total, documented)),
    ]
}

/// Reads a part of the load balancers, and how many there are in all.
pub(super) fn read_list(
    body: &Document,
    place: &Place,
    cloud: &Cloud,
) -> Result<(Vec<LoadBalancer>, usize), Fault> {
    let items = envelope::items(body, LIST, ITEM)
        .ok_or_else(|| envelope::lost(cloud, "with no list of load balancers"))?;
    let total = values::told_number(body, TOTAL, cloud)?
        .ok_or_else(|| envelope::lost(cloud, "without saying how many load balancers there are"))?;
    let balancers = items.iter().map(|item| read(item, place, cloud)).collect::<Result<_, _>>()?;
    Ok((balancers, total))
}

/// Writes one load balancer. Its default server group is empty: no other cloud has one.
pub(super) fn write_described(balancer: &LoadBalancer, documented: bool, cloud: &Cloud) -> Vec<NamedValue> {
    let mut members = attributes(balancer, documented, cloud);
    let port = |listener: &Listener| values::number(listener.port, documented);
    let ports = balancer.listeners.iter().map(port).collect();
    members.push(("ListenerPorts".into(), envelope::list("ListenerPort", ports)));
    for (list, item, names) in LISTENERS {
        let listener = |listener| Document::Record(listeners::write(listener, names, documented, cloud));
        let all = balancer.listeners.iter().map(listener).collect();
        members.push((list.into(), envelope::list(item, all)));
    }
    members.push((backends::LIST.into(), envelope::list(backends::ITEM, Vec::new())));
    members
}

/// Reads one load balancer.
pub(super) fn read_described(
    body: &Document,
    asked: &LoadBalancerRef,
    cloud: &Cloud,
) -> Result<LoadBalancer, Fault> {
    let balancer = read(body, &asked.place, cloud)?;
    if balancer.id != asked.id {
        return Err(envelope::lost(cloud, "with another load balancer than the one that was asked for"));
    }
    // The right spelling first: who sends both has the misspelt one for old clients.
    let mut lists = LISTENERS.iter().rev();
    let listed = lists.find_map(|(list, item, names)| Some((envelope::items(body, list, item)?, *names)));
    let listeners = match listed {
        Some((items, names)) => listeners::read_all(items, names, cloud)?,
        None => Vec::new(),
    };
    Ok(LoadBalancer { listeners, ..balancer })
}

/// Reads a list of ids or names: commas stand between them.
fn listed(params: &Params, parameter: &'static str) -> Result<Vec<String>, Fault> {
    let text = params.filled(parameter).unwrap_or_default();
    let items: Vec<String> =
        text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect();
    if items.len() > MOST {
        let detail =
            format!("`{parameter}` has to be 1 to {MOST} with commas between them, not {}", items.len());
        return Err(Fault::of_field(FaultKind::InvalidParameter, parameter, detail));
    }
    Ok(items)
}

/// The fields that both replies have; what is not known is left out.
fn attributes(balancer: &LoadBalancer, documented: bool, cloud: &Cloud) -> Vec<NamedValue> {
    let text = |text: &str| Some(Document::text(text));
    let fields = [
        (ID, text(balancer.id.as_str())),
        (NAME, balancer.name.as_deref().and_then(text)),
        ("LoadBalancerStatus", text("active")),
        (ADDRESS, balancer.address.as_deref().and_then(text)),
        (REACH, text(word_of(balancer.reach))),
        (VPC, balancer.vpc.as_ref().and_then(|vpc| text(vpc.as_str()))),
        (SUBNET, balancer.subnet.as_ref().and_then(|subnet| text(subnet.as_str()))),
        (&cloud.group.region, balancer.place.region.as_ref().and_then(|region| text(region.as_str()))),
        ("NetworkType", text("vpc")),
        (CREATED, balancer.created.map(values::moment)),
        (
            "CreateTimeStamp",
            balancer.created.map(|created| values::number(created.as_millisecond(), documented)),
        ),
    ];
    fields.into_iter().filter_map(|(name, value)| Some((name.into(), value?))).collect()
}

/// Reads the fields that both replies have.
fn read(record: &Document, place: &Place, cloud: &Cloud) -> Result<LoadBalancer, Fault> {
    let text = |name: &str| values::told(record, name);
    let id = text(ID).and_then(LoadBalancerId::new);
    let id = id.ok_or_else(|| envelope::lost(cloud, "with a load balancer that has no id"))?;
    let unknown = || envelope::lost(cloud, &format!("with a load balancer of no known `{REACH}`"));
    let reach = match text(REACH) {
        Some(word) => reach_of(&word).ok_or_else(unknown)?,
        None => Reach::Internet,
    };
    let region = text(&cloud.group.region).and_then(RegionId::new).or_else(|| place.region.clone());
    Ok(LoadBalancer {
        id,
        place: Place { region, project: place.project.clone() },
        name: text(NAME),
        address: text(ADDRESS),
        reach,
        vpc: text(VPC).and_then(VpcId::new),
        subnet: text(SUBNET).and_then(SubnetId::new),
        created: values::told_moment(record, CREATED),
        listeners: Vec::new(),
        groups: Vec::new(),
        group_count: 0,
    })
}

/// The number of a page, from 1.
fn number_of(page: Page) -> usize {
    page.offset.checked_div(page.limit).unwrap_or_default().saturating_add(1)
}

/// What a word of this cloud says of where a load balancer is reached from.
fn reach_of(word: &str) -> Option<Reach> {
    // One page prints `Internet`.
    REACHES.into_iter().find(|reach| word.eq_ignore_ascii_case(word_of(*reach)))
}

/// The word of this cloud for where a load balancer is reached from.
const fn word_of(reach: Reach) -> &'static str {
    match reach {
        Reach::Internet => "internet",
        Reach::Intranet => "intranet",
    }
}
