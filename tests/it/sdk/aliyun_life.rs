//! The life of a group in SDKs of Alibaba Cloud SLB, which lives on UCloud ULB.

use std::time::Duration;

use serde_json::{Value, json};
use weighbridge::model::{Listener, Port, Protocol};

use super::{
    driver::Sdk,
    life::{Life, holds},
};
use crate::support::house::House;

const BALANCER: &str = "lb-bp1b6c719dfa08ex";
/// When simulated clouds have made everything.
const CREATED: &str = "2026-01-01T00:00:00Z";

/// One backend of an answer.
fn told(server: &str, port: u16, weight: u8, word: &str, description: &str) -> Value {
    json!({"ServerId": server, "Port": port, "Weight": weight, "Type": word, "Description": description})
}

/// A list of an answer.
fn list(of: &[Value]) -> Value {
    json!({"BackendServer": of})
}

/// An answer whose backends are listed by port: those of one call travel beside each other, and the target lists them as
/// they come.
fn by_port(mut told: Value) -> Value {
    let servers = told["BackendServers"]["BackendServer"].as_array_mut().unwrap();
    servers.sort_by_key(|server| server["Port"].as_u64());
    told
}

/// The error that this cloud has for a group that is not there.
fn check_unknown_group(error: &Value) {
    assert_eq!((&error["code"], &error["status"]), (&"InvalidParameter".into(), &404.into()), "{error}");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("The specified VServerGroupId does not exist."), "{error}");
}

fn a_group_lives_and_dies(sdk: Sdk) {
    let Some(mut life) = Life::begin(sdk, House::open(Duration::ZERO)) else { return };

    // Nothing that it is to hold, and a name.
    let made = life.told("CreateVServerGroup", json!({"LoadBalancerId": BALANCER, "VServerGroupName": "web"}));
    let group = made["VServerGroupId"].as_str().unwrap().to_owned();
    assert!(group.starts_with("rsp-"), "{group}");
    assert_eq!(made, json!({"VServerGroupId": group, "BackendServers": list(&[])}));
    let there = life.newest();
    let listener = Listener { protocol: Protocol::Tcp, port: Port::new(20000).unwrap() };
    let new = life.group(&there).unwrap();
    assert_eq!((new.name.as_deref(), &new.listeners), (Some("web"), &vec![listener]));
    assert!(new.options.iter().any(|option| option.name == "Method" && option.value == "WeightRoundrobin"));
    assert_eq!(new.id.load_balancer.unwrap().as_str(), "ulb-abc123");

    let three = json!([
        {"ServerId": "i-bp1example00000001", "Port": 8080, "Weight": 50, "Description": "blue"},
        {"ServerId": "eni-bp1demo01", "Port": "8081", "Weight": "0", "Type": "eni"},
        {"ServerId": "i-bp1example00000002", "Port": 8082},
    ]);
    let one = told("i-bp1example00000001", 8080, 50, "ecs", "blue");
    let two = told("eni-bp1demo01", 8081, 0, "eni", "");
    let three_told = told("i-bp1example00000002", 8082, 100, "ecs", "");
    let added = life.told("AddVServerGroupBackendServers", json!({"VServerGroupId": group, "BackendServers": three}));
    let all = [one.clone(), two.clone(), three_told];
    assert_eq!(added, json!({"VServerGroupId": group, "BackendServers": list(&all)}));
    let (first, interface) = ((8080, "uhost-demo01", Some(50)), (8081, "uni-demo01", None));
    assert_eq!(life.held(&there), holds(&[first, interface, (8082, "uhost-demo02", Some(100))]));

    let described = |name: &str, servers: &[Value]| {
        json!({"VServerGroupId": group, "VServerGroupName": name, "LoadBalancerId": BALANCER,
               "CreateTime": CREATED, "Tags": {"Tag": []}, "BackendServers": list(servers)})
    };
    let of_group = json!({"VServerGroupId": group});
    assert_eq!(by_port(life.told("DescribeVServerGroupAttribute", of_group.clone())), described("web", &all));

    // The reply tells of those that were named, and what is not named stays.
    let weights = json!([
        {"ServerId": "i-bp1example00000002", "Port": 8082, "Weight": 30, "Description": "green"},
        {"ServerId": "i-bp1example00000001", "Port": "8080", "Weight": "20"},
    ]);
    let (one, three_told) = (
        told("i-bp1example00000001", 8080, 20, "ecs", "blue"),
        told("i-bp1example00000002", 8082, 30, "ecs", "green"),
    );
    let set = life.told("SetVServerGroupAttribute", json!({"VServerGroupId": group, "BackendServers": weights}));
    let named = [three_told.clone(), one.clone()];
    assert_eq!(set, json!({"VServerGroupId": group, "VServerGroupName": "web", "BackendServers": list(&named)}));
    let (first, third) = ((8080, "uhost-demo01", Some(20)), (8082, "uhost-demo02", Some(30)));
    assert_eq!(life.held(&there), holds(&[first, interface, third]));
    let all = [one.clone(), two.clone(), three_told.clone()];
    assert_eq!(by_port(life.told("DescribeVServerGroupAttribute", of_group.clone())), described("web", &all));

    // Drained, and back.
    let weigh = |weight: u8| json!([{"ServerId": "i-bp1example00000001", "Port": 8080, "Weight": weight}]);
    for (weight, held) in [(0, None), (20, Some(20))] {
        let set = json!({"VServerGroupId": group, "BackendServers": weigh(weight)});
        let drained = told("i-bp1example00000001", 8080, weight, "ecs", "blue");
        assert_eq!(life.told("SetVServerGroupAttribute", set)["BackendServers"], list(std::slice::from_ref(&drained)));
        assert_eq!(life.held(&there), holds(&[(8080, "uhost-demo01", held), interface, third]));
        let all = [drained, two.clone(), three_told.clone()];
        assert_eq!(by_port(life.told("DescribeVServerGroupAttribute", of_group.clone())), described("web", &all));
    }

    // Health, of all and behind one listener.
    life.house.clouds().ail(life.target, "uhost-demo02");
    let health = |server: &str, port: u16, state: &str| {
        json!({"ServerId": server, "Port": port, "ListenerPort": 20000, "Protocol": "tcp",
               "ServerHealthStatus": state})
    };
    let states = list(&[
        health("i-bp1example00000001", 8080, "normal"),
        health("eni-bp1demo01", 8081, "normal"),
        health("i-bp1example00000002", 8082, "abnormal"),
    ]);
    for (asked, told) in [
        (json!({"LoadBalancerId": BALANCER}), &states),
        (json!({"LoadBalancerId": BALANCER, "ListenerPort": 20000, "ListenerProtocol": "tcp"}), &states),
        (json!({"LoadBalancerId": BALANCER, "ListenerPort": 80}), &list(&[])),
    ] {
        let mut checked = by_port(life.told("DescribeHealthStatus", asked));
        for server in checked["BackendServers"]["BackendServer"].as_array_mut().unwrap() {
            // Not every SDK hands it on.
            server.as_object_mut().unwrap().remove("Type");
        }
        assert_eq!(checked, json!({"BackendServers": told}));
    }

    // Another server in the place of one, and then another port of it.
    for (old, new, held) in [
        (("i-bp1example00000002", 8082), ("i-bp1example00000003", 8082), "uhost-demo03"),
        (("i-bp1example00000003", 8082), ("i-bp1example00000003", 8083), "uhost-demo03"),
    ] {
        let swap = json!({
            "VServerGroupId": group,
            "OldBackendServers": [{"ServerId": old.0, "Port": old.1}],
            "NewBackendServers": [{"ServerId": new.0, "Port": new.1, "Weight": 40, "Description": "new"}],
        });
        let swapped = told(new.0, new.1, 40, "ecs", "new");
        let told = life.told("ModifyVServerGroupBackendServers", swap);
        assert_eq!(told, json!({"VServerGroupId": group, "BackendServers": list(std::slice::from_ref(&swapped))}));
        assert_eq!(life.held(&there), holds(&[(8080, "uhost-demo01", Some(20)), interface, (new.1, held, Some(40))]));
        let all = [one.clone(), two.clone(), swapped];
        assert_eq!(by_port(life.told("DescribeVServerGroupAttribute", of_group.clone())), described("web", &all));
    }

    // One that is gone is no fault.
    let removed = json!({"ServerId": "eni-bp1demo01", "Port": 8081, "Weight": 0, "Type": "eni"});
    for told in [list(&[removed]), list(&[])] {
        let remove = json!([{"ServerId": "eni-bp1demo01", "Port": 8081, "Type": "eni"}]);
        let answer =
            life.told("RemoveVServerGroupBackendServers", json!({"VServerGroupId": group, "BackendServers": remove}));
        assert_eq!(answer, json!({"VServerGroupId": group, "BackendServers": told}));
        assert_eq!(life.held(&there), holds(&[(8080, "uhost-demo01", Some(20)), (8083, "uhost-demo03", Some(40))]));
    }

    // The groups of the load balancer: the two that have rows, and the new one.
    let listed = |id: &str, name: &str, count: u8, listeners: &[(u16, &str)]| {
        let listeners: Vec<Value> =
            listeners.iter().map(|(port, protocol)| json!({"Port": port, "Protocol": protocol})).collect();
        json!({"VServerGroupId": id, "VServerGroupName": name, "ServerCount": count, "CreateTime": CREATED,
               "Tags": {"Tag": []},
               "AssociatedObjects": {"Listeners": {"Listener": listeners}, "Rules": {"Rule": []}}})
    };
    let groups = |with: bool, name: &str| {
        let only = |listeners: &[(u16, &'static str)]| listeners.iter().copied().filter(|_| with).collect::<Vec<_>>();
        json!({"VServerGroups": {"VServerGroup": [
            listed("rsp-cige6j5e7p", "VServer", 0, &only(&[(80, "http")])),
            listed("rsp-demo2", "VServer", 0, &only(&[(81, "http")])),
            listed(&group, name, 2, &only(&[(20000, "tcp")])),
        ]}})
    };
    let asked = json!({"LoadBalancerId": BALANCER, "IncludeListener": true});
    assert_eq!(life.told("DescribeVServerGroups", asked), groups(true, "web"));
    assert_eq!(life.told("DescribeVServerGroups", json!({"LoadBalancerId": BALANCER})), groups(false, "web"));

    // Another name; no backend is named, so all of them are told.
    let swapped = told("i-bp1example00000003", 8083, 40, "ecs", "new");
    let all = [one, swapped];
    let rename = json!({"VServerGroupId": group, "VServerGroupName": "后端 web-2"});
    let set = by_port(life.told("SetVServerGroupAttribute", rename));
    let renamed = json!({"VServerGroupId": group, "VServerGroupName": "后端 web-2", "BackendServers": list(&all)});
    assert_eq!(set, renamed);
    assert_eq!(life.group(&there).unwrap().name.unwrap(), "后端 web-2");
    assert_eq!(by_port(life.told("DescribeVServerGroupAttribute", of_group.clone())), described("后端 web-2", &all));

    // Gone, for reads and for every other call.
    assert_eq!(life.told("DeleteVServerGroup", of_group.clone()), json!({}));
    assert_eq!(life.group(&there), None);
    let remove = json!({"VServerGroupId": group, "BackendServers": [{"ServerId": "i-bp1example00000001", "Port": 8080}]});
    for (call, params) in [
        ("DescribeVServerGroupAttribute", of_group.clone()),
        ("SetVServerGroupAttribute", json!({"VServerGroupId": group, "VServerGroupName": "again"})),
        ("RemoveVServerGroupBackendServers", remove.clone()),
        ("AddVServerGroupBackendServers", remove),
        ("DeleteVServerGroup", of_group),
    ] {
        check_unknown_group(&life.refused(call, params));
    }
    let told = life.told("DescribeVServerGroups", json!({"LoadBalancerId": BALANCER}));
    assert_eq!(told["VServerGroups"]["VServerGroup"].as_array().unwrap().len(), 2);
}

#[test]
fn a_group_lives_and_dies_in_tea_with_acs3() {
    a_group_lives_and_dies(Sdk::Tea);
}

#[test]
fn a_group_lives_and_dies_in_tea_with_signature_1_0() {
    a_group_lives_and_dies(Sdk::TeaV1);
}

#[test]
fn a_group_lives_and_dies_in_the_classic_sdk() {
    a_group_lives_and_dies(Sdk::Classic);
}

#[test]
fn a_group_lives_and_dies_in_pop_core() {
    a_group_lives_and_dies(Sdk::PopCoreGet);
    a_group_lives_and_dies(Sdk::PopCorePost);
}
