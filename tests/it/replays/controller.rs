//! The cloud controller manager of Kubernetes for Alibaba Cloud: what it does when a Service gets a load balancer, when
//! its endpoints change and when it goes.

use std::time::Duration;

use serde_json::{Value, json};
use weighbridge::model::Kind;

use super::tools::{Stack, aliyun, check_gone, done, servers};
use crate::support::house::{Held, House};

const BALANCER: &str = "lb-bp1b6c719dfa08ex";
const TARGET: &str = "ucloud-simulated";
const NAME: &str = "k8s/31000/web/default/c0ffee";

/// Node and port, and the weight of it.
type Node = (u16, u16, u8);

/// A batch as the controller's own structure becomes JSON: keys in lower case, and some that no cloud knows.
fn batch(nodes: &[Node], description: &str) -> String {
    let item = |(number, port, weight): &Node| {
        json!({"IsUserManaged": false, "NodeName": format!("cn-hangzhou.10.0.0.{number}"), "NodeIp": null,
               "description": description, "serverId": format!("i-bp1example{number:08}"), "serverIp": "",
               "weight": weight, "port": port, "type": "ecs", "TargetRef": null, "Invalid": false})
    };
    Value::Array(nodes.iter().map(item).collect()).to_string()
}

/// Port, Service, namespace and cluster: most names of real clusters are longer than the target's 50 characters.
const LONG_NAME: &str = "k8s/31000/checkout-frontend/production/c2f8b4a1e6d94730b5a1c8e7f60d21394";

fn call(house: &House, action: &str, own: &[(&str, &str)]) -> Value {
    done(action, aliyun(house, Stack::Go, action, own))
}

/// The group of the Service's port, by its name; as the controller looks for it at the start of every pass.
fn find(house: &House) -> Option<(String, u64)> {
    let told = call(house, "DescribeVServerGroups", &[("LoadBalancerId", BALANCER)]);
    let groups = told["VServerGroups"]["VServerGroup"].as_array().unwrap();
    let group = groups.iter().find(|group| group["VServerGroupName"] == NAME)?;
    Some((group["VServerGroupId"].as_str().unwrap().to_owned(), group["ServerCount"].as_u64().unwrap()))
}

/// The backends of the group that the controller takes for its own: those with its description.
fn own_backends(house: &House, group: &str, description: &str) -> Vec<Node> {
    let told = call(house, "DescribeVServerGroupAttribute", &[("VServerGroupId", group)]);
    assert_eq!((&told["VServerGroupName"], &told["LoadBalancerId"]), (&NAME.into(), &BALANCER.into()));
    let own = servers(&told).iter().filter(|server| server["Description"] == description);
    let node = |server: &Value| {
        assert_eq!(server["Type"], "ecs");
        let number = |name: &str| server[name].as_u64().unwrap();
        let id = server["ServerId"].as_str().unwrap().strip_prefix("i-bp1example").unwrap();
        (id.parse().unwrap(), number("Port").try_into().unwrap(), number("Weight").try_into().unwrap())
    };
    let mut found: Vec<Node> = own.map(node).collect();
    found.sort_unstable();
    found
}

fn holds(nodes: &[Node]) -> Vec<Held> {
    let held = |(number, port, weight): &Node| Held {
        port: *port,
        server: format!("uhost-demo{number:02}"),
        kind: Kind::Instance,
        weight: Some(*weight).filter(|weight| *weight > 0),
    };
    let mut held: Vec<Held> = nodes.iter().map(held).collect();
    held.sort();
    held
}

fn a_service_is_reconciled(house: &House) {
    assert_eq!(find(house), None);
    let made = call(house, "CreateVServerGroup", &[("LoadBalancerId", BALANCER), ("VServerGroupName", NAME)]);
    let group = made["VServerGroupId"].as_str().unwrap().to_owned();
    assert_eq!(find(house), Some((group.clone(), 0)));
    let there = house.clouds().groups(TARGET).last().unwrap().id.group.to_string();
    let write = |action: &str, nodes: &[Node], description: &str| {
        let told = call(
            house,
            action,
            &[("VServerGroupId", &group), ("BackendServers", &batch(nodes, description))],
        );
        assert_eq!(servers(&told).len(), nodes.len(), "{told}");
    };
    let check = |nodes: &[Node], description: &str| {
        assert_eq!(own_backends(house, &group, description), nodes);
        assert_eq!(house.clouds().held(TARGET, &there), holds(nodes));
        assert_eq!(find(house), Some((group.clone(), nodes.len() as u64)));
    };

    // Twenty nodes on two ports: one batch of 40.
    let forty: Vec<Node> = (1..=20).flat_map(|node| [(node, 31000, 100), (node, 31001, 100)]).collect();
    write("AddVServerGroupBackendServers", &forty, NAME);
    check(&forty, NAME);

    // Pods move: other weights, some of them none, and another description.
    let weighed: Vec<Node> = forty
        .iter()
        .map(|(node, port, _)| (*node, *port, [0, 20, 40, 60, 80][usize::from(*node % 5)]))
        .collect();
    write("SetVServerGroupAttribute", &weighed, "k8s/31000/web/default/other");
    check(&weighed, "k8s/31000/web/default/other");
    // The description alone.
    write("SetVServerGroupAttribute", &weighed, NAME);
    check(&weighed, NAME);

    // Nodes leave and come in one pass.
    let (leaving, staying) = weighed.split_at(12);
    write("RemoveVServerGroupBackendServers", leaving, NAME);
    check(staying, NAME);
    write("AddVServerGroupBackendServers", leaving, NAME);
    check(&weighed, NAME);
    write("RemoveVServerGroupBackendServers", &weighed, NAME);
    check(&[], NAME);

    call(house, "DeleteVServerGroup", &[("VServerGroupId", &group)]);
    assert_eq!(find(house), None);
    check_gone(&aliyun(house, Stack::Go, "DescribeVServerGroupAttribute", &[("VServerGroupId", &group)]));
}

/// The source cloud takes up to 80 characters, and the controller finds its groups by their names.
#[test]
fn a_service_of_a_real_cluster() {
    let house = House::open(Duration::ZERO);
    for name in [LONG_NAME, &"n".repeat(80)] {
        let own = [("LoadBalancerId", BALANCER), ("VServerGroupName", name)];
        let made = call(&house, "CreateVServerGroup", &own);
        let told = call(&house, "DescribeVServerGroups", &[("LoadBalancerId", BALANCER)]);
        let groups = told["VServerGroups"]["VServerGroup"].as_array().unwrap();
        let found = groups
            .iter()
            .find(|group| group["VServerGroupName"] == name)
            .map(|group| &group["VServerGroupId"]);
        assert_eq!(found, Some(&made["VServerGroupId"]), "{told}");
    }
}

#[test]
fn a_service() {
    a_service_is_reconciled(&House::open(Duration::ZERO));
}

#[test]
fn a_service_before_a_target_that_shows_changes_late() {
    a_service_is_reconciled(&House::lagging(TARGET, Duration::from_secs(10)));
}
