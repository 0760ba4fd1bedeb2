//! Ansible's ali_slb_vsg by way of footmark: lists are printed the way Python prints them.

use std::time::Duration;

use serde_json::Value;

use super::tools::{Stack, aliyun, check_gone, done, servers};
use crate::support::house::House;

const BALANCER: &str = "lb-bp1b6c719dfa08ex";
const TARGET: &str = "ucloud-simulated";

fn call(house: &House, action: &str, own: &[(&str, &str)]) -> Value {
    done(action, aliyun(house, Stack::Python, action, own))
}

#[test]
fn a_playbook() {
    let house = House::open(Duration::ZERO);
    let listing = [("LoadBalancerId", BALANCER), ("IncludeListener", "True"), ("IncludeRule", "True")];
    let names = |house: &House| {
        let told = call(house, "DescribeVServerGroups", &listing);
        let groups = told["VServerGroups"]["VServerGroup"].as_array().unwrap().clone();
        groups
            .into_iter()
            .map(|group| {
                // The library walks down both.
                assert!(group["AssociatedObjects"]["Listeners"]["Listener"].is_array(), "{group}");
                assert!(group["AssociatedObjects"]["Rules"]["Rule"].is_array(), "{group}");
                group["VServerGroupName"].as_str().unwrap().to_owned()
            })
            .collect::<Vec<_>>()
    };
    assert!(!names(&house).contains(&"play".to_owned()));

    let list = r#"[{'ServerId': 'i-bp1example00000001', 'Port': 80, 'Weight': 0, 'Type': 'ecs', 'Description': "it's"}, {'server_id': None, 'ServerId': 'i-bp1example00000002', 'Port': '81', 'Weight': None, 'Type': 'ecs', 'Backup': False, 'Primary': True}]"#;
    let create = [("LoadBalancerId", BALANCER), ("VServerGroupName", "play"), ("BackendServers", list)];
    let made = call(&house, "CreateVServerGroup", &create);
    let group = made["VServerGroupId"].as_str().unwrap().to_owned();
    let there = house.clouds().groups(TARGET).last().unwrap().id.group.to_string();
    assert!(names(&house).contains(&"play".to_owned()));

    let of_group = [("VServerGroupId", group.as_str())];
    let with = |list: &'static str| [("VServerGroupId", group.as_str()), ("BackendServers", list)];
    let read = || {
        let told = call(&house, "DescribeVServerGroupAttribute", &of_group);
        let mut found: Vec<_> = servers(&told)
            .iter()
            .map(|server| {
                let text = |name: &str| server[name].as_str().unwrap().to_owned();
                let number = |name: &str| server[name].as_u64().unwrap();
                (number("Port"), text("ServerId"), number("Weight"), text("Description"))
            })
            .collect();
        found.sort();
        found
    };
    let row = |port: u64, server: u32, weight: u64, description: &str| {
        (port, format!("i-bp1example{server:08}"), weight, description.to_owned())
    };
    let held = || -> Vec<_> {
        let held = house.clouds().held(TARGET, &there);
        held.into_iter().map(|held| (held.port, held.server, held.weight)).collect()
    };
    assert_eq!(read(), [row(80, 1, 0, "it's"), row(81, 2, 100, "")]);
    assert_eq!(held(), [(80, "uhost-demo01".to_owned(), None), (81, "uhost-demo02".to_owned(), Some(100))]);

    let list = r#"[{'ServerId': 'i-bp1example00000001', 'Port': 80, 'Weight': 60, 'Type': 'ecs', 'Description': 'a "b"'}]"#;
    call(&house, "SetVServerGroupAttribute", &with(list));
    assert_eq!(read(), [row(80, 1, 60, "a \"b\""), row(81, 2, 100, "")]);

    let swap = [
        ("VServerGroupId", group.as_str()),
        ("OldBackendServers", "[{'ServerId': 'i-bp1example00000002', 'Port': 81}]"),
        ("NewBackendServers", "[{'ServerId': 'i-bp1example00000003', 'Port': 82, 'Weight': 5}]"),
    ];
    call(&house, "ModifyVServerGroupBackendServers", &swap);
    assert_eq!(read(), [row(80, 1, 60, "a \"b\""), row(82, 3, 5, "")]);
    assert_eq!(held(), [(80, "uhost-demo01".to_owned(), Some(60)), (82, "uhost-demo03".to_owned(), Some(5))]);

    let list =
        "[{'ServerId': 'i-bp1example00000003', 'Port': 82}, {'ServerId': 'i-bp1example00000009', 'Port': 1}]";
    let told = call(&house, "RemoveVServerGroupBackendServers", &with(list));
    assert_eq!(servers(&told).len(), 1, "{told}");
    assert_eq!(held(), [(80, "uhost-demo01".to_owned(), Some(60))]);

    call(&house, "DeleteVServerGroup", &of_group);
    check_gone(&aliyun(&house, Stack::Python, "DescribeVServerGroupAttribute", &of_group));
    assert!(!names(&house).contains(&"play".to_owned()));
}
