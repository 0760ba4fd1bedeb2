//! Which thing here is which thing there.

use std::collections::HashMap;

use super::rows::{self, Row};
use crate::{
    mapping::{Diagnostic, SourceText, Tables},
    model::{GroupId, GroupRef, Kind, LoadBalancerId, LoadBalancerRef, Target},
};

/// The resource map: one row per group or server, one column per cloud.
#[derive(Debug, Clone, Default)]
pub struct ResourceMap {
    balancers: Vec<Row<LoadBalancerRef>>,
    groups: Vec<Row<GroupRef>>,
    servers: Vec<Row<ServerColumn>>,
    index: HashMap<String, Index>,
}

/// What one cloud calls a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerColumn {
    /// The server, interface, container or address.
    pub target: Target,
    /// The kind, where the row names one; else the kind of `target` is only a stand-in and the caller's counts.
    pub kind: Option<Kind>,
}

/// Where the things of one cloud are.
#[derive(Debug, Clone, Default)]
struct Index {
    /// Load balancers may have groups of the same id.
    groups: HashMap<GroupId, Vec<usize>>,
    servers: HashMap<Target, usize>,
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
    /// an interface stands for all of them.
    #[must_use]
    pub fn server(&self, from: &str, target: &Target, to: &str) -> Option<&ServerColumn> {
        let servers = &self.index.get(from)?.servers;
        let exact = servers.get(&identity(target)).or_else(|| servers.get(&without_address(target)?));
        let place = exact.copied().or_else(|| self.untold_network(from, target))?;
        self.servers.get(place)?.get(to)
    }

    /// The one row of an address whose network is not told.
    fn untold_network(&self, from: &str, target: &Target) -> Option<usize> {
        if !matches!(target, Target::Address { vpc: None, .. } | Target::Address { subnet: None, .. }) {
            return None;
        }
        let fits = |row: &Row<ServerColumn>| row.get(from).is_some_and(|own| own.target.same_as(target));
        let mut rows = self.servers.iter().enumerate().filter(|(_, row)| fits(row));
        match (rows.next(), rows.next()) {
            (Some((place, _)), None) => Some(place),
            (Some(_), Some(_)) | (None, _) => None,
        }
    }

    /// Every group that a cloud has a column for.
    pub fn groups_of(&self, cloud: &str) -> impl Iterator<Item = &GroupRef> {
        self.groups.iter().filter_map(move |row| row.get(cloud))
    }

    /// Every server that a cloud has a column for.
    pub fn servers_of(&self, cloud: &str) -> impl Iterator<Item = &ServerColumn> {
        self.servers.iter().filter_map(move |row| row.get(cloud))
    }

    /// The load balancers of the cloud `to` that stand beside this one of the cloud `from`: in rows of load balancers,
    /// then in rows of groups; each once.
    #[must_use]
    pub fn balancers(&self, from: &str, id: &LoadBalancerId, to: &str) -> Vec<LoadBalancerRef> {
        let pairs = self.balancer_pairs(from, to).filter(|(here, _)| here.id == *id);
        let mut found: Vec<LoadBalancerRef> = Vec::new();
        for (_, there) in pairs {
            if !found.iter().any(|known| known.id == there.id) {
                found.push(there);
            }
        }
        found
    }

    /// The load balancer of the cloud `to` that a row of load balancers puts beside this one: the one on which groups are
    /// made, whatever rows of groups say.
    #[must_use]
    pub fn balancer(&self, from: &str, id: &LoadBalancerId, to: &str) -> Option<&LoadBalancerRef> {
        self.balancers.iter().find(|row| row.get(from).is_some_and(|own| own.id == *id))?.get(to)
    }

    /// Every load balancer that stands in a row of load balancers or of groups, in both clouds' words.
    pub fn balancer_pairs<'m>(
        &'m self,
        from: &'m str,
        to: &'m str,
    ) -> impl Iterator<Item = (LoadBalancerRef, LoadBalancerRef)> + 'm {
        let of_group = |group: &GroupRef| {
            Some(LoadBalancerRef { id: group.load_balancer.clone()?, place: group.place.clone() })
        };
        let own =
            self.balancers.iter().filter_map(|row| Some((row.get(from)?.clone(), row.get(to)?.clone())));
        let of_groups = self
            .groups
            .iter()
            .filter_map(move |row| Some((of_group(row.get(from)?)?, of_group(row.get(to)?)?)));
        own.chain(of_groups)
    }

    /// Every load balancer that a cloud has a column for in a row of load balancers.
    pub fn balancers_of(&self, cloud: &str) -> impl Iterator<Item = &LoadBalancerRef> {
        self.balancers.iter().filter_map(move |row| row.get(cloud))
    }

    fn new(rows: rows::Rows) -> Self {
        let rows::Rows { balancers, groups, servers } = rows;
        let mut index: HashMap<String, Index> = HashMap::new();
        for (place, row) in groups.iter().enumerate() {
            for (cloud, own) in row {
                let groups = &mut index.entry(cloud.clone()).or_default().groups;
                groups.entry(own.group.clone()).or_default().push(place);
            }
        }
        for (place, row) in servers.iter().enumerate() {
            for (cloud, own) in row {
                let servers = &mut index.entry(cloud.clone()).or_default().servers;
                servers.insert(identity(&own.target), place);
            }
        }
        Self { balancers, groups, servers, index }
    }
}

/// A target without its kind: a row and a request may name different ones for the same thing.
pub(super) fn identity(target: &Target) -> Target {
    let mut identity = target.clone();
    match &mut identity {
        Target::Resource { kind, .. } => *kind = Kind::Instance,
        Target::Address { kind, .. } => *kind = Kind::Address,
    }
    identity
}

fn without_address(target: &Target) -> Option<Target> {
    match target {
        Target::Resource { id, address: Some(_), kind: _ } => {
            Some(Target::Resource { kind: Kind::Instance, id: id.clone(), address: None })
        }
        Target::Resource { address: None, .. } | Target::Address { .. } => None,
    }
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
        model::{Place, ResourceId, SubnetId, VpcId},
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
}
