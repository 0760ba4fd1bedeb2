//! Which thing here is which thing there.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
};

use super::{
    rows::{self, Row, Rows},
    servers::{ServerColumn, Servers},
};
use crate::{
    mapping::{Diagnostic, SourceText, Tables},
    model::{GroupId, GroupRef, LoadBalancerId, LoadBalancerRef, Place, Target},
};

/// The resource map: one row per group or server, one column per cloud. Whatever a request asks of it takes as long with a
/// million rows as with one; only [`Self::groups_of`], [`Self::servers_of`] and [`Self::balancers_of`] walk over rows.
#[derive(Debug, Clone, Default)]
pub struct ResourceMap {
    groups: Vec<Row<GroupRef>>,
    servers: Servers,
    /// The load balancers that stand beside each other, in rows of their own and then in rows of groups; each row once.
    balancers: Vec<Row<LoadBalancerRef>>,
    /// How many of `balancers` have rows of their own.
    own_balancers: usize,
    /// Where those load balancers are, each row once.
    balancer_places: Vec<Row<Place>>,
    index: HashMap<String, Index>,
}

/// Where the things of one cloud are.
#[derive(Debug, Clone, Default)]
struct Index {
    /// Load balancers may have groups of the same id.
    groups: HashMap<GroupId, Vec<usize>>,
    balancers: HashMap<LoadBalancerId, Vec<usize>>,
    /// The places of groups, each once.
    group_places: Vec<Place>,
}

impl ResourceMap {
    /// Reads a resource map over the clouds of `tables`, and what is to be looked at in it.
    ///
    /// # Errors
    /// Every problem of the file, and what would have been to be looked at.
    pub fn read(source: &SourceText, tables: &Tables) -> Result<(Self, Vec<Diagnostic>), Vec<Diagnostic>> {
        let (rows, warnings) = rows::read(source, tables)?;
        Ok((Self::new(rows), warnings))
    }

    /// The group of the cloud `to` in the row in which the cloud `from` has `group`. A load balancer that the request
    /// names has to be the row's; without one, a group id that several load balancers have stands for none.
    #[must_use]
    pub fn group(&self, from: &str, group: &GroupRef, to: &str) -> Option<&GroupRef> {
        let places = self.index.get(from)?.groups.get(&group.group)?;
        let rows = places.iter().filter_map(|place| self.groups.get(*place));
        let mut fitting = rows.filter(|row| row.get(from).is_some_and(|own| may_be(own, group)));
        match (fitting.next(), fitting.next()) {
            (Some(only), None) => only.get(to),
            (Some(_), Some(_)) | (None, _) => None,
        }
    }

    /// The server of the cloud `to` in the row in which the cloud `from` has `target`. A row that names no address of
    /// an interface stands for all of them; an address whose network is not told is that of the one row that has it.
    #[must_use]
    pub fn server(&self, from: &str, target: &Target, to: &str) -> Option<ServerColumn> {
        self.servers.beside(from, target, to)
    }

    /// Every group that a cloud has a column for.
    pub fn groups_of(&self, cloud: &str) -> impl Iterator<Item = &GroupRef> {
        self.groups.iter().filter_map(move |row| row.get(cloud))
    }

    /// Every server that a cloud has a column for.
    pub fn servers_of(&self, cloud: &str) -> impl Iterator<Item = ServerColumn> {
        self.servers.of(cloud)
    }

    /// The places of the groups that a cloud has a column for, each once.
    #[must_use]
    pub fn group_places(&self, cloud: &str) -> &[Place] {
        self.index.get(cloud).map_or(&[], |index| &index.group_places)
    }

    /// The load balancers of the cloud `to` that stand beside this one of the cloud `from`: in rows of load balancers,
    /// then in rows of groups; each once.
    #[must_use]
    pub fn balancers(&self, from: &str, id: &LoadBalancerId, to: &str) -> Vec<LoadBalancerRef> {
        let mut found: Vec<LoadBalancerRef> = Vec::new();
        for there in self.balancer_rows(from, id).filter_map(|(_, row)| row.get(to)) {
            if !found.iter().any(|known| known.id == there.id) {
                found.push(there.clone());
            }
        }
        found
    }

    /// The load balancer of the cloud `to` that a row of load balancers puts beside this one: the one on which groups are
    /// made, whatever rows of groups say.
    #[must_use]
    pub fn balancer(&self, from: &str, id: &LoadBalancerId, to: &str) -> Option<&LoadBalancerRef> {
        self.balancer_rows(from, id).next().filter(|(place, _)| *place < self.own_balancers)?.1.get(to)
    }

    /// Where load balancers that stand beside each other are, in rows of load balancers and then of groups; each pair of
    /// places once in every other cloud's.
    pub fn balancer_places<'m>(
        &'m self,
        from: &'m str,
        to: &'m str,
    ) -> impl Iterator<Item = (&'m Place, &'m Place)> + 'm {
        self.balancer_places.iter().filter_map(move |row| Some((row.get(from)?, row.get(to)?)))
    }

    /// Every load balancer that a cloud has a column for in a row of load balancers.
    pub fn balancers_of(&self, cloud: &str) -> impl Iterator<Item = &LoadBalancerRef> {
        self.balancers.iter().take(self.own_balancers).filter_map(move |row| row.get(cloud))
    }

    fn balancer_rows(
        &self,
        from: &str,
        id: &LoadBalancerId,
    ) -> impl Iterator<Item = (usize, &Row<LoadBalancerRef>)> {
        let places = self.index.get(from).and_then(|index| index.balancers.get(id));
        places.into_iter().flatten().filter_map(|place| Some((*place, self.balancers.get(*place)?)))
    }

    fn new(rows: Rows) -> Self {
        let Rows { balancers, groups, servers } = rows;
        let own_balancers = balancers.len();
        let balancers = each_once(balancers.into_iter().chain(groups.iter().map(balancers_beside)));
        let balancer_places = each_once(balancers.iter().map(places));
        let mut index: HashMap<String, Index> = HashMap::new();
        for (place, row) in groups.iter().enumerate() {
            for (cloud, own) in &row.0 {
                let groups = &mut index.entry(cloud.clone()).or_default().groups;
                groups.entry(own.group.clone()).or_default().push(place);
            }
        }
        for (place, row) in balancers.iter().enumerate() {
            for (cloud, own) in &row.0 {
                let balancers = &mut index.entry(cloud.clone()).or_default().balancers;
                balancers.entry(own.id.clone()).or_default().push(place);
            }
        }
        for (cloud, index) in &mut index {
            let places = groups.iter().filter_map(|row| row.get(cloud)).map(|group| group.place.clone());
            index.group_places = each_once(places);
        }
        Self { groups, servers, balancers, own_balancers, balancer_places, index }
    }
}

fn each_once<T: Clone + Eq + Hash>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = HashSet::new();
    all.filter(|one| seen.insert(one.clone())).collect()
}

/// The load balancers of a row of groups.
fn balancers_beside(row: &Row<GroupRef>) -> Row<LoadBalancerRef> {
    let of_group = |(cloud, group): &(String, GroupRef)| {
        let id = group.load_balancer.clone()?;
        Some((cloud.clone(), LoadBalancerRef { id, place: group.place.clone() }))
    };
    Row(row.0.iter().filter_map(of_group).collect())
}

fn places(row: &Row<LoadBalancerRef>) -> Row<Place> {
    Row(row.0.iter().map(|(cloud, balancer)| (cloud.clone(), balancer.place.clone())).collect())
}

fn may_be(own: &GroupRef, asked: &GroupRef) -> bool {
    match (&own.load_balancer, &asked.load_balancer) {
        (Some(own), Some(asked)) => own == asked,
        (None, _) | (_, None) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        mapping::Sources,
        model::{Kind, RegionId, ResourceId, SubnetId, VpcId},
    };

    const ROWS: &str = r#"
[[group]]
aliyun = { group = "rsp-1" }
ucloud = { load_balancer = "ulb-1", group = "vserver-1", region = "cn-bj2" }

[[group]]
aliyun = { load_balancer = "lb-1", group = "rsp-2" }
ucloud = { load_balancer = "ulb-2", group = "vserver-1" }

[[server]]
aliyun = "i-1"
ucloud = "uhost-1"

[[server]]
aliyun = { id = "eni-1", type = "eni", ip = "10.0.0.1" }
ucloud = { id = "uni-1", type = "UNI" }

[[server]]
aliyun = "i-2"
ucloud = { ip = "10.0.0.5", vpc = "uvnet-x", subnet = "subnet-y" }
"#;

    fn read(text: &str) -> Result<(ResourceMap, Vec<Diagnostic>), Vec<Diagnostic>> {
        let tables = Tables::compile(&Sources::embedded()).unwrap();
        ResourceMap::read(&SourceText::new("resources.toml", text), &tables)
    }

    fn map() -> ResourceMap {
        let (map, warnings) = read(ROWS).unwrap();
        assert!(warnings.is_empty(), "{warnings:?}");
        map
    }

    fn group(load_balancer: Option<&str>, group: &str) -> GroupRef {
        let load_balancer = load_balancer.and_then(LoadBalancerId::new);
        GroupRef { load_balancer, group: GroupId::new(group).unwrap(), place: Place::default() }
    }

    fn resource(kind: Kind, id: &str, address: Option<&str>) -> Target {
        let address = address.map(|address| address.parse().unwrap());
        Target::Resource { kind, id: ResourceId::new(id).unwrap(), address }
    }

    fn address(ip: &str) -> Target {
        let (vpc, subnet) = (VpcId::new("uvnet-x").unwrap(), SubnetId::new("subnet-y").unwrap());
        Target::Address { kind: Kind::Hybrid, ip: ip.parse().unwrap(), vpc: Some(vpc), subnet: Some(subnet) }
    }

    #[test]
    fn a_group_is_found_by_its_id_and_its_load_balancer() {
        let cases = [
            ("aliyun", group(None, "rsp-1"), "ucloud", Some((Some("ulb-1"), "vserver-1"))),
            ("aliyun", group(Some("lb-9"), "rsp-1"), "ucloud", Some((Some("ulb-1"), "vserver-1"))),
            ("aliyun", group(Some("lb-9"), "rsp-2"), "ucloud", None),
            ("ucloud", group(Some("ulb-2"), "vserver-1"), "aliyun", Some((Some("lb-1"), "rsp-2"))),
            ("ucloud", group(Some("ulb-9"), "vserver-1"), "aliyun", None),
            ("ucloud", group(None, "vserver-1"), "aliyun", None),
            ("ucloud", group(Some("ulb-1"), "vserver-1"), "elsewhere", None),
        ];
        let map = map();
        for (from, asked, to, wanted) in cases {
            let found = map.group(from, &asked, to);
            let found = found.map(|found| {
                (found.load_balancer.as_ref().map(LoadBalancerId::as_str), found.group.as_str())
            });
            assert_eq!(found, wanted, "{asked:?}");
        }
    }

    const BALANCERS: &str = r#"
[[load_balancer]]
aliyun = { id = "lb-1", region = "cn-beijing" }
ucloud = { id = "ulb-1", project = "org-1", region = "cn-bj2" }

[[group]]
aliyun = { load_balancer = "lb-1", group = "rsp-1" }
ucloud = { load_balancer = "ulb-1", group = "vserver-1", region = "cn-sh2" }

[[group]]
aliyun = { load_balancer = "lb-1", group = "rsp-2" }
ucloud = { load_balancer = "ulb-2", group = "vserver-2", region = "cn-sh2" }

[[group]]
aliyun = { load_balancer = "lb-2", group = "rsp-3" }
ucloud = { load_balancer = "ulb-2", group = "vserver-3" }

[[group]]
aliyun = { group = "rsp-4" }
ucloud = { load_balancer = "ulb-3", group = "vserver-4" }
"#;

    /// Each as `id/project/region`; a row of its own comes before the rows of groups.
    #[test]
    fn load_balancers_are_found_in_their_own_rows_and_in_those_of_groups() {
        let cases = [
            ("aliyun", "lb-1", "ucloud", "ulb-1/org-1/cn-bj2 ulb-2//cn-sh2"),
            ("aliyun", "lb-2", "ucloud", "ulb-2//"),
            ("aliyun", "lb-3", "ucloud", ""),
            ("aliyun", "lb-1", "elsewhere", ""),
            ("ucloud", "ulb-1", "aliyun", "lb-1//cn-beijing"),
            ("ucloud", "ulb-2", "aliyun", "lb-1// lb-2//"),
            ("ucloud", "ulb-3", "aliyun", ""),
        ];
        let (map, warnings) = read(BALANCERS).unwrap();
        assert!(warnings.is_empty(), "{warnings:?}");
        for (from, id, to, wanted) in cases {
            let found = map.balancers(from, &LoadBalancerId::new(id).unwrap(), to);
            let text = |LoadBalancerRef { id, place: Place { region, project } }: LoadBalancerRef| {
                let (project, region) = (project.map(|id| id.to_string()), region.map(|id| id.to_string()));
                format!("{id}/{}/{}", project.unwrap_or_default(), region.unwrap_or_default())
            };
            assert_eq!(found.into_iter().map(text).collect::<Vec<_>>().join(" "), wanted, "{id}");
        }
        assert_eq!((map.balancers_of("aliyun").count(), map.balancers_of("elsewhere").count()), (1, 0));
    }

    #[test]
    fn a_server_is_found_by_its_id_or_its_address() {
        let cases = [
            ("aliyun", resource(Kind::Instance, "i-1", None), "ucloud", Some(("uhost-1", None))),
            ("aliyun", resource(Kind::Interface, "i-1", Some("10.0.0.9")), "ucloud", Some(("uhost-1", None))),
            (
                "aliyun",
                resource(Kind::Interface, "eni-1", Some("10.0.0.1")),
                "ucloud",
                Some(("uni-1", Some(Kind::Interface))),
            ),
            ("aliyun", resource(Kind::Interface, "eni-1", Some("10.0.0.2")), "ucloud", None),
            ("aliyun", resource(Kind::Interface, "eni-1", None), "ucloud", None),
            (
                "aliyun",
                resource(Kind::Instance, "i-2", None),
                "ucloud",
                Some(("10.0.0.5", Some(Kind::Address))),
            ),
            ("ucloud", address("10.0.0.5"), "aliyun", Some(("i-2", None))),
            ("ucloud", address("10.0.0.6"), "aliyun", None),
            (
                "ucloud",
                resource(Kind::Interface, "uni-1", None),
                "aliyun",
                Some(("eni-1 (10.0.0.1)", Some(Kind::Interface))),
            ),
        ];
        let map = map();
        for (from, asked, to, wanted) in cases {
            let found = map.server(from, &asked, to).map(|found| (found.target.to_string(), found.kind));
            assert_eq!(found, wanted.map(|(text, kind)| (text.to_owned(), kind)), "{asked:?}");
        }
    }

    #[test]
    fn each_of_100_000_servers_is_found_in_both_directions() {
        let row = |row: usize| match row % 4 {
            0 => format!(
                "{{ ip = \"10.0.{}.{}\", vpc = \"uvnet-{row}\", subnet = \"s\" }}",
                row / 256 % 256,
                row % 256
            ),
            1 => format!("{{ id = \"upm-{row}\", type = \"UPM\" }}"),
            _ => format!("\"uhost-{row}\""),
        };
        let rows: Vec<String> = (0..100_000)
            .map(|at| format!("[[server]]\naliyun = \"i-{at}\"\nucloud = {}\n", row(at)))
            .collect();
        let (map, warnings) = read(&rows.concat()).unwrap();
        assert!(warnings.is_empty(), "{warnings:?}");
        for at in 0..100_000 {
            let here = resource(Kind::Instance, &format!("i-{at}"), None);
            let there = map.server("aliyun", &here, "ucloud").unwrap();
            let (kind, id) = match at % 4 {
                0 => (Some(Kind::Address), format!("10.0.{}.{}", at / 256 % 256, at % 256)),
                1 => (Some(Kind::Metal), format!("upm-{at}")),
                _ => (None, format!("uhost-{at}")),
            };
            assert_eq!((there.kind, there.target.to_string()), (kind, id));
            let back = map.server("ucloud", &there.target, "aliyun").unwrap();
            assert_eq!(back, ServerColumn { target: here, kind: None });
        }
        assert_eq!(map.server("aliyun", &resource(Kind::Instance, "i-100000", None), "ucloud"), None);
        assert_eq!((map.servers_of("ucloud").count(), map.servers_of("elsewhere").count()), (100_000, 0));
    }

    #[test]
    fn an_address_whose_network_is_not_told_is_that_of_the_one_row_that_fits() {
        let rows = [
            ("10.0.0.1", "v1", "s1"),
            ("10.0.0.2", "v1", "s1"),
            ("10.0.0.2", "v1", "s2"),
            ("10.0.0.2", "v2", "s3"),
        ];
        let text: Vec<String> = rows
            .iter()
            .enumerate()
            .map(|(at, (ip, vpc, subnet))| {
                format!("[[server]]\naliyun = \"i-{at}\"\nucloud = {{ ip = \"{ip}\", vpc = \"{vpc}\", subnet = \"{subnet}\" }}\n")
            })
            .collect();
        let (map, _) = read(&text.concat()).unwrap();
        let cases = [
            ("10.0.0.1", None, None, Some("i-0")),
            ("10.0.0.1", Some("v2"), None, None),
            ("10.0.0.2", None, None, None),
            ("10.0.0.2", Some("v1"), None, None),
            ("10.0.0.2", Some("v2"), None, Some("i-3")),
            ("10.0.0.2", None, Some("s2"), Some("i-2")),
            ("10.0.0.2", Some("v1"), Some("s1"), Some("i-1")),
            ("10.0.0.3", None, None, None),
        ];
        for (ip, vpc, subnet, wanted) in cases {
            let (vpc, subnet) = (vpc.and_then(VpcId::new), subnet.and_then(SubnetId::new));
            let asked = Target::Address { kind: Kind::Address, ip: ip.parse().unwrap(), vpc, subnet };
            let found = map.server("ucloud", &asked, "aliyun").map(|found| found.target.to_string());
            assert_eq!(found.as_deref(), wanted, "{asked:?}");
        }
    }

    /// Rows of load balancers first; a pair of places that comes again is the same.
    #[test]
    fn places_are_told_each_once() {
        let text = |place: &Place| place.region.as_ref().map_or("", RegionId::as_str).to_owned();
        let (map, _) = read(BALANCERS).unwrap();
        let found: Vec<_> =
            map.balancer_places("ucloud", "aliyun").map(|(here, there)| (text(here), text(there))).collect();
        let wanted = [("cn-bj2", "cn-beijing"), ("cn-sh2", ""), ("", "")];
        assert_eq!(found, wanted.map(|(here, there)| (here.to_owned(), there.to_owned())));
        let groups: Vec<_> = map.group_places("ucloud").iter().map(text).collect();
        assert_eq!(groups, ["cn-sh2", ""]);
        assert_eq!(map.group_places("elsewhere"), []);
    }
}
