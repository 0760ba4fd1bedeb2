//! ULB records: the filters of DescribeULB and DescribeULBSimple, and the elements of their `DataSet`.

use super::{
    envelope::{list_of, lost, text_of, whole_number},
    groups,
};
use crate::{
    mapping::Cloud,
    model::{
        Detail, Fault, Group, LoadBalancer, LoadBalancerFilter, LoadBalancerId, Place, Reach, Scope,
        SubnetId, VpcId,
    },
    wire::{Document, NamedValue, Params},
};

const ULB: &str = "ULBId";
const VPC: &str = "VPCId";
const SUBNET: &str = "SubnetId";
const NAME: &str = "Name";
const REACH: &str = "ULBType";
const INTRANET: &str = "InnerMode";
const INTERNET: &str = "OuterMode";
const PRIVATE_IP: &str = "PrivateIP";
const PUBLIC_IPS: &str = "IPSet";
const PUBLIC_IP: &str = "EIP";
const GROUPS: &str = "VServerSet";
const GROUP_COUNT: &str = "VServerCount";

/// Which load balancers a request asks for.
pub(super) fn read_filter(params: &Params) -> LoadBalancerFilter {
    let text = |name: &str| params.filled(name).unwrap_or_default();
    LoadBalancerFilter {
        ids: LoadBalancerId::new(text(ULB)).into_iter().collect(),
        vpc: VpcId::new(text(VPC)),
        subnet: SubnetId::new(text(SUBNET)),
        ..LoadBalancerFilter::default()
    }
}

/// As much of a filter as this cloud's parameters can say; what they cannot is left to whoever gets the list.
pub(super) fn write_filter(params: &mut Params, filter: &LoadBalancerFilter) {
    let LoadBalancerFilter { ids, names: _, address: _, reach: _, vpc, subnet } = filter;
    if let [id] = ids.as_slice() {
        params.push(ULB, id.as_str());
    }
    if let Some(vpc) = vpc {
        params.push(VPC, vpc.as_str());
    }
    if let Some(subnet) = subnet {
        params.push(SUBNET, subnet.as_str());
    }
}

/// Reads a ULB.
pub(super) fn read(item: &Document, place: &Place, cloud: &Cloud) -> Result<LoadBalancer, Fault> {
    let id = LoadBalancerId::new(text_of(item, ULB)).ok_or_else(|| lost(cloud, "a ULB without a ULBId"))?;
    let reach = if text_of(item, REACH) == INTRANET { Reach::Intranet } else { Reach::Internet };
    let private = text_of(item, PRIVATE_IP);
    let address = match reach {
        Reach::Intranet => private,
        Reach::Internet => {
            list_of(item, PUBLIC_IPS, cloud)?.first().map_or(private, |ip| text_of(ip, PUBLIC_IP))
        }
    };
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let asked = Scope { load_balancer: Some(id.clone()), group: None, place: place.clone() };
    let read_group = |group| groups::read(group, &asked, cloud);
    let groups: Vec<Group> =
        list_of(item, GROUPS, cloud)?.iter().map(read_group).collect::<Result<_, _>>()?;
    Ok(LoadBalancer {
        place: place.clone(),
        name: some(&text_of(item, NAME)),
        address: some(&address),
        reach,
        vpc: VpcId::new(text_of(item, VPC)),
        subnet: SubnetId::new(text_of(item, SUBNET)),
        created: groups::created_of(item),
        listeners: groups.iter().flat_map(|group| group.listeners.clone()).collect(),
        group_count: text_of(item, GROUP_COUNT).parse().unwrap_or(groups.len()),
        groups,
        id,
    })
}

/// Writes a ULB.
pub(super) fn write(balancer: &LoadBalancer, detail: Detail, cloud: &Cloud) -> Result<Document, Fault> {
    let LoadBalancer {
        id,
        place: _,
        name,
        address,
        reach,
        vpc,
        subnet,
        created,
        listeners: _,
        groups,
        group_count,
    } = balancer;
    let (word, public, private) = match reach {
        Reach::Internet => (INTERNET, address.as_deref(), ""),
        Reach::Intranet => (INTRANET, None, address.as_deref().unwrap_or_default()),
    };
    let mut record: Vec<NamedValue> = Vec::new();
    let mut tell = |name: &str, value: Document| record.push((name.into(), value));
    tell(ULB, Document::text(id.as_str()));
    tell(NAME, Document::text(name.as_deref().unwrap_or_default()));
    tell("Tag", Document::text("Default"));
    tell("Remark", Document::text(""));
    tell(groups::CREATED, groups::created_text(*created));
    tell(REACH, Document::text(word));
    tell("ListenType", Document::text("RequestProxy"));
    tell(VPC, Document::text(vpc.as_ref().map(VpcId::as_str).unwrap_or_default()));
    tell(SUBNET, Document::text(subnet.as_ref().map(SubnetId::as_str).unwrap_or_default()));
    tell("BusinessId", Document::text(""));
    tell(PRIVATE_IP, Document::text(private));
    tell(PUBLIC_IPS, Document::List(public.map(public_ip).into_iter().collect()));
    tell("Bandwidth", Document::number(0));
    tell("BandwidthType", Document::number(0));
    tell("IPVersion", Document::text("IPv4"));
    tell("SnatIps", Document::List(Vec::new()));
    tell("FirewallSet", Document::List(Vec::new()));
    tell("EnableLog", Document::number(0));
    tell("LogSet", Document::Record(Vec::new()));
    match detail {
        Detail::GroupCount => {
            tell(GROUP_COUNT, whole_number(*group_count));
            tell("WAFMode", Document::text(""));
        }
        Detail::Groups | Detail::Summary => {
            let write_group = |group| groups::write(group, Some(id), cloud);
            tell(GROUPS, Document::List(groups.iter().map(write_group).collect::<Result<_, _>>()?));
        }
    }
    Ok(Document::Record(record))
}

/// An address whose operator and own id nobody has told.
fn public_ip(address: &str) -> Document {
    Document::record([
        ("OperatorName", Document::text("")),
        (PUBLIC_IP, Document::text(address)),
        ("EIPId", Document::text("")),
    ])
}
