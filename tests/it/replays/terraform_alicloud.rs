//! Terraform's provider for Alibaba Cloud: alicloud_slb_server_group and alicloud_slb_server_group_server_attachment.

use std::time::Duration;

use serde_json::Value;
use weighbridge::model::Kind;

use super::tools::{Answered, Stack, aliyun, check_gone, done, servers};
use crate::support::house::{Held, House};

const BALANCER: &str = "lb-bp1b6c719dfa08ex";
const TARGET: &str = "ucloud-simulated";
/// A page has this many servers.
const SEGMENT: usize = 20;

/// One server of a configuration: number, port and weight.
type Server = (u16, u16, u8);

/// The text of a list: single quotes, every value as text, and spaces here and there.
fn text(servers: &[Server]) -> String {
    if servers.is_empty() {
        return String::new();
    }
    let item = |(number, port, weight): &Server| {
        format!("{{'ServerId':'i-bp1example{number:08}','Port':'{port}','Weight':'{weight}', 'Type': 'ecs'}}")
    };
    format!("[{}]", servers.iter().map(item).collect::<Vec<_>>().join(","))
}

/// `len/20 + 1` of them, so that the last one of 20 servers is empty.
fn segments(servers: &[Server]) -> Vec<&[Server]> {
    (0..=servers.len() / SEGMENT)
        .map(|at| &servers[at * SEGMENT..servers.len().min((at + 1) * SEGMENT)])
        .collect()
}

fn several(numbers: impl Iterator<Item = u16>, port: u16, weight: u8) -> Vec<Server> {
    numbers.map(|number| (number, port, weight)).collect()
}

/// How the target holds servers, by port.
fn holds(servers: &[Server]) -> Vec<Held> {
    let held = |(number, port, weight): &Server| Held {
        port: *port,
        server: format!("uhost-demo{number:02}"),
        kind: Kind::Instance,
        weight: Some(*weight).filter(|weight| *weight > 0),
    };
    let mut held: Vec<Held> = servers.iter().map(held).collect();
    held.sort();
    held
}

/// A server group as the provider keeps it.
struct ServerGroup<'h> {
    house: &'h House,
    id: String,
    there: String,
}

impl<'h> ServerGroup<'h> {
    fn create(house: &'h House, name: &str, servers: &[Server]) -> Self {
        let own = [("LoadBalancerId", BALANCER), ("VServerGroupName", name)];
        let made = done("create", aliyun(house, Stack::Go, "CreateVServerGroup", &own));
        let id = made["VServerGroupId"].as_str().unwrap().to_owned();
        let there = house.clouds().groups(TARGET).last().unwrap().id.group.to_string();
        let group = Self { house, id, there };
        group.write("AddVServerGroupBackendServers", servers);
        group
    }

    fn ask(&self, action: &str, own: &[(&str, &str)]) -> Answered {
        let own: Vec<_> =
            [("VServerGroupId", self.id.as_str())].into_iter().chain(own.iter().copied()).collect();
        aliyun(self.house, Stack::Go, action, &own)
    }

    /// Sends the servers segment by segment.
    fn write(&self, action: &str, servers: &[Server]) {
        for segment in segments(servers) {
            let told = done(action, self.ask(action, &[("BackendServers", &text(segment))]));
            assert_eq!(told["VServerGroupId"], self.id);
            let expected = if segment.is_empty() { None } else { Some(segment.len()) };
            let count = super::tools::servers(&told).len();
            assert!(expected.is_none_or(|expected| expected == count), "{action}: {told}");
        }
    }

    /// What a refresh reads: the name, and number, port and weight of each server.
    fn read(&self) -> (String, Vec<Server>) {
        let told = done("read", self.ask("DescribeVServerGroupAttribute", &[]));
        // An empty id stands for a group that is gone.
        assert_eq!(
            (&told["VServerGroupId"], &told["LoadBalancerId"]),
            (&self.id.as_str().into(), &BALANCER.into())
        );
        let server = |server: &Value| {
            assert_eq!(server["Type"], "ecs", "{server}");
            let number = |name: &str| server[name].as_u64().unwrap();
            let id = server["ServerId"].as_str().unwrap().strip_prefix("i-bp1example").unwrap();
            (id.parse().unwrap(), number("Port").try_into().unwrap(), number("Weight").try_into().unwrap())
        };
        let mut found: Vec<Server> = servers(&told).iter().map(server).collect();
        found.sort_unstable();
        (told["VServerGroupName"].as_str().unwrap().to_owned(), found)
    }

    /// A refresh finds nothing to do, and the target holds what was applied.
    fn check(&self, name: &str, servers: &[Server]) {
        assert_eq!(self.read(), (name.to_owned(), servers.to_vec()));
        assert_eq!(self.house.clouds().held(TARGET, &self.there), holds(servers));
    }

    fn delete(&self) {
        done("delete", self.ask("DeleteVServerGroup", &[]));
        check_gone(&self.ask("DescribeVServerGroupAttribute", &[]));
        let groups = self.house.clouds().groups(TARGET);
        assert!(groups.iter().all(|group| group.id.group.as_str() != self.there), "{groups:?}");
    }
}

fn a_server_group_is_applied_changed_and_destroyed(house: &House) {
    let first = several(1..=20, 8080, 100);
    let group = ServerGroup::create(house, "tf-one", &first);
    group.check("tf-one", &first);

    // A plan with another name and other weights: one list of the former, and one of the latter by segments.
    let name = [("VServerGroupName", "tf-two")];
    done("rename", group.ask("SetVServerGroupAttribute", &name));
    let weighed = several(1..=20, 8080, 0);
    group.write("SetVServerGroupAttribute", &weighed);
    group.check("tf-two", &weighed);

    // Half of them go and others come.
    let (gone, stay) = weighed.split_at(10);
    group.write("RemoveVServerGroupBackendServers", gone);
    group.check("tf-two", stay);
    let fresh = several(1..=20, 9090, 7);
    group.write("AddVServerGroupBackendServers", &fresh);
    let mut all = [stay, &fresh].concat();
    all.sort_unstable();
    group.check("tf-two", &all);

    // All of them go, in two segments of which the second is not full, and a repeat finds nothing to do.
    group.write("RemoveVServerGroupBackendServers", &all);
    group.check("tf-two", &[]);
    group.delete();
}

#[test]
fn a_server_group() {
    a_server_group_is_applied_changed_and_destroyed(&House::open(Duration::ZERO));
}

#[test]
fn a_server_group_before_a_target_that_shows_changes_late() {
    a_server_group_is_applied_changed_and_destroyed(&House::lagging(TARGET, Duration::from_secs(10)));
}

/// The provider's own matching: over the list at a path, by the text of server and port.
fn attachment<'b>(body: &'b Value, server: &str, port: &str) -> Option<&'b Value> {
    let found = servers(body)
        .iter()
        .find(|item| item["ServerId"] == server && item["Port"].as_u64() == port.parse().ok())?;
    Some(found)
}

fn an_attachment_comes_and_goes(house: &House) {
    let group = "rsp-cige6j5e7p";
    let there = "vserver-def456";
    let ask = |action: &str, list: &str| {
        let own = [("VServerGroupId", group), ("BackendServers", list)];
        aliyun(house, Stack::Tea, action, &own)
    };
    // With all that the schema has, and with nothing but what it requires.
    let full = r#"[{"Description":"tf attached","Port":8080,"ServerId":"i-bp1example00000001","Type":"ecs","Weight":10}]"#;
    let bare = r#"[{"Port":8081,"ServerId":"i-bp1example00000001"}]"#;
    for (list, port, weight, description) in [(full, "8080", 10, "tf attached"), (bare, "8081", 100, "")] {
        done("add", ask("AddVServerGroupBackendServers", list));
        let told = done("read", ask("DescribeVServerGroupAttribute", ""));
        let found = attachment(&told, "i-bp1example00000001", port).unwrap_or_else(|| panic!("{told}"));
        assert_eq!(
            (&found["Weight"], &found["Type"], &found["Description"]),
            (&weight.into(), &"ecs".into(), &description.into())
        );
    }
    let held = |of: &[(u16, u8)]| {
        let servers: Vec<Server> = of.iter().map(|(port, weight)| (1, *port, *weight)).collect();
        assert_eq!(house.clouds().held(TARGET, there), holds(&servers));
    };
    held(&[(8080, 10), (8081, 100)]);
    // A second apply that does not know of the first.
    done("add", ask("AddVServerGroupBackendServers", full));
    held(&[(8080, 10), (8081, 100)]);

    // What is cut out of the resource's id is text.
    let remove = r#"[{"Port":"8080","ServerId":"i-bp1example00000001","Type":"ecs"}]"#;
    for _ in 0..2 {
        done("remove", ask("RemoveVServerGroupBackendServers", remove));
        let told = done("read", ask("DescribeVServerGroupAttribute", ""));
        assert_eq!(attachment(&told, "i-bp1example00000001", "8080"), None);
        assert!(attachment(&told, "i-bp1example00000001", "8081").is_some(), "{told}");
        held(&[(8081, 100)]);
    }
    let remove = r#"[{"Port":"8081","ServerId":"i-bp1example00000001"}]"#;
    done("remove", ask("RemoveVServerGroupBackendServers", remove));
    // The path is there though nothing is at it.
    assert_eq!(servers(&done("read", ask("DescribeVServerGroupAttribute", ""))), [] as [Value; 0]);
    held(&[]);
}

#[test]
fn an_attachment() {
    an_attachment_comes_and_goes(&House::open(Duration::ZERO));
}

#[test]
fn an_attachment_before_a_target_that_shows_changes_late() {
    an_attachment_comes_and_goes(&House::lagging(TARGET, Duration::from_secs(10)));
}

/// A group that another plan has destroyed: gone, and not an empty one.
#[test]
fn an_attachment_to_a_group_that_is_gone() {
    let house = House::open(Duration::ZERO);
    let group = ServerGroup::create(&house, "tf", &[(1, 8080, 100)]);
    group.delete();
    let own = [("VServerGroupId", group.id.as_str())];
    check_gone(&aliyun(&house, Stack::Tea, "DescribeVServerGroupAttribute", &own));
    check_gone(&aliyun(
        &house,
        Stack::Tea,
        "DescribeVServerGroupAttribute",
        &[("VServerGroupId", "rsp-unknown")],
    ));
    let list = r#"[{"Port":"8080","ServerId":"i-bp1example00000001","Type":"ecs"}]"#;
    let own = [("VServerGroupId", group.id.as_str()), ("BackendServers", list)];
    check_gone(&aliyun(&house, Stack::Tea, "RemoveVServerGroupBackendServers", &own));
}
