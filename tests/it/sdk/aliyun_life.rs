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

/// An answer without what is not known before the target shows a change: when a group was made, and how well it is.
fn timeless(mut told: Value) -> Value {
    let groups = told.pointer_mut("/VServerGroups/VServerGroup").and_then(Value::as_array_mut);
    for group in groups.into_iter().flatten() {
        group.as_object_mut().unwrap().remove("CreateTime");
    }
    let servers = told.pointer_mut("/BackendServers/BackendServer").and_then(Value::as_array_mut);
    for server in servers.into_iter().flatten() {
        server.as_object_mut().unwrap().remove("ServerHealthStatus");
    }
    told.as_object_mut().unwrap().remove("CreateTime");
    told
}

/// The error that this cloud has for a group that is not there.
fn check_unknown_group(error: &Value) {
    assert_eq!((&error["code"], &error["status"]), (&"InvalidParameter".into(), &404.into()), "{error}");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("The specified VServerGroupId does not exist."), "{error}");
}

fn a_group_lives_and_dies(sdk: Sdk) {
    a_group_lives_and_dies_in(sdk, House::open(Duration::ZERO), |told| told);
}

fn a_group_lives_and_dies_in(sdk: Sdk, house: House, known: fn(Value) -> Value) {
    let Some(mut life) = Life::begin(sdk, house) else { return };

    // Nothing that it is to hold, and a name.
    let made =
        life.told("CreateVServerGroup", json!({"LoadBalancerId": BALANCER, "VServerGroupName": "web"}));
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
    let added =
        life.told("AddVServerGroupBackendServers", json!({"VServerGroupId": group, "BackendServers": three}));
    let all = [one.clone(), two.clone(), three_told];
    assert_eq!(added, json!({"VServerGroupId": group, "BackendServers": list(&all)}));
    let (first, interface) = ((8080, "uhost-demo01", Some(50)), (8081, "uni-demo01", None));
    assert_eq!(life.held(&there), holds(&[first, interface, (8082, "uhost-demo02", Some(100))]));

    let described = |name: &str, servers: &[Value]| {
        known(json!({"VServerGroupId": group, "VServerGroupName": name, "LoadBalancerId": BALANCER,
               "CreateTime": CREATED, "Tags": {"Tag": []}, "BackendServers": list(servers)}))
    };
    let of_group = json!({"VServerGroupId": group});
    assert_eq!(
        known(by_port(life.told("DescribeVServerGroupAttribute", of_group.clone()))),
        described("web", &all)
    );

    // The reply tells of those that were named, and what is not named stays.
    let weights = json!([
        {"ServerId": "i-bp1example00000002", "Port": 8082, "Weight": 30, "Description": "green"},
        {"ServerId": "i-bp1example00000001", "Port": "8080", "Weight": "20"},
    ]);
    let (one, three_told) = (
        told("i-bp1example00000001", 8080, 20, "ecs", "blue"),
        told("i-bp1example00000002", 8082, 30, "ecs", "green"),
    );
    let set =
        life.told("SetVServerGroupAttribute", json!({"VServerGroupId": group, "BackendServers": weights}));
    let named = [three_told.clone(), one.clone()];
    assert_eq!(
        set,
        json!({"VServerGroupId": group, "VServerGroupName": "web", "BackendServers": list(&named)})
    );
    let (first, third) = ((8080, "uhost-demo01", Some(20)), (8082, "uhost-demo02", Some(30)));
    assert_eq!(life.held(&there), holds(&[first, interface, third]));
    let all = [one.clone(), two.clone(), three_told.clone()];
    assert_eq!(
        known(by_port(life.told("DescribeVServerGroupAttribute", of_group.clone()))),
        described("web", &all)
    );

    // Drained, and back.
    let weigh = |weight: u8| json!([{"ServerId": "i-bp1example00000001", "Port": 8080, "Weight": weight}]);
    for (weight, held) in [(0, None), (20, Some(20))] {
        let set = json!({"VServerGroupId": group, "BackendServers": weigh(weight)});
        let drained = told("i-bp1example00000001", 8080, weight, "ecs", "blue");
        assert_eq!(
            life.told("SetVServerGroupAttribute", set)["BackendServers"],
            list(std::slice::from_ref(&drained))
        );
        assert_eq!(life.held(&there), holds(&[(8080, "uhost-demo01", held), interface, third]));
        let all = [drained, two.clone(), three_told.clone()];
        assert_eq!(
            known(by_port(life.told("DescribeVServerGroupAttribute", of_group.clone()))),
            described("web", &all)
        );
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
        assert_eq!(known(checked), known(json!({"BackendServers": told})));
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
        assert_eq!(
            told,
            json!({"VServerGroupId": group, "BackendServers": list(std::slice::from_ref(&swapped))})
        );
        assert_eq!(
            life.held(&there),
            holds(&[(8080, "uhost-demo01", Some(20)), interface, (new.1, held, Some(40))])
        );
        let all = [one.clone(), two.clone(), swapped];
        assert_eq!(
            known(by_port(life.told("DescribeVServerGroupAttribute", of_group.clone()))),
            described("web", &all)
        );
    }

    // One that is gone is no fault.
    let removed = json!({"ServerId": "eni-bp1demo01", "Port": 8081, "Weight": 0, "Type": "eni"});
    for told in [list(&[removed]), list(&[])] {
        let remove = json!([{"ServerId": "eni-bp1demo01", "Port": 8081, "Type": "eni"}]);
        let answer = life.told(
            "RemoveVServerGroupBackendServers",
            json!({"VServerGroupId": group, "BackendServers": remove}),
        );
        assert_eq!(answer, json!({"VServerGroupId": group, "BackendServers": told}));
        assert_eq!(
            life.held(&there),
            holds(&[(8080, "uhost-demo01", Some(20)), (8083, "uhost-demo03", Some(40))])
        );
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
        let only = |listeners: &[(u16, &'static str)]| {
            listeners.iter().copied().filter(|_| with).collect::<Vec<_>>()
        };
        known(json!({"VServerGroups": {"VServerGroup": [
            listed("rsp-cige6j5e7p", "VServer", 0, &only(&[(80, "http")])),
            listed("rsp-demo2", "VServer", 0, &only(&[(81, "http")])),
            listed(&group, name, 2, &only(&[(20000, "tcp")])),
        ]}}))
    };
    let asked = json!({"LoadBalancerId": BALANCER, "IncludeListener": true});
    assert_eq!(known(life.told("DescribeVServerGroups", asked)), groups(true, "web"));
    assert_eq!(
        known(life.told("DescribeVServerGroups", json!({"LoadBalancerId": BALANCER}))),
        groups(false, "web")
    );

    // Another name; no backend is named, so all of them are told.
    let swapped = told("i-bp1example00000003", 8083, 40, "ecs", "new");
    let all = [one, swapped];
    let rename = json!({"VServerGroupId": group, "VServerGroupName": "后端 web-2"});
    let set = by_port(life.told("SetVServerGroupAttribute", rename));
    let renamed =
        json!({"VServerGroupId": group, "VServerGroupName": "后端 web-2", "BackendServers": list(&all)});
    assert_eq!(set, renamed);
    assert_eq!(life.group(&there).unwrap().name.unwrap(), "后端 web-2");
    assert_eq!(
        known(by_port(life.told("DescribeVServerGroupAttribute", of_group.clone()))),
        described("后端 web-2", &all)
    );

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

/// The caller reads straight after each write, and the target shows none of them for as long as the sequence takes.
#[test]
fn a_group_lives_and_dies_before_a_target_that_shows_changes_late() {
    a_group_lives_and_dies_in(
        Sdk::Tea,
        House::lagging("ucloud-simulated", Duration::from_secs(10)),
        timeless,
    );
}

#[test]
fn load_balancers_are_listed_and_regions_lead_back_to_the_gateway() {
    for sdk in [Sdk::Tea, Sdk::Classic, Sdk::PopCoreGet] {
        let Some(mut life) = Life::begin(sdk, House::open(Duration::ZERO)) else { return };
        let balancers = |told: &Value| {
            let list = told["LoadBalancers"]["LoadBalancer"].as_array().unwrap();
            list.iter().map(|balancer| balancer["LoadBalancerId"].clone()).collect::<Vec<_>>()
        };
        let region = "cn-hangzhou";
        for (asked, found) in [
            (json!({}), vec![BALANCER]),
            (json!({"LoadBalancerId": BALANCER}), vec![BALANCER]),
            (json!({"LoadBalancerId": format!("lb-unknown,{BALANCER}")}), vec![BALANCER]),
            (json!({"LoadBalancerId": "lb-unknown"}), vec![]),
            (json!({"Address": "203.0.113.1", "AddressType": "internet"}), vec![BALANCER]),
            (json!({"Address": "203.0.113.9"}), vec![]),
            (json!({"AddressType": "intranet"}), vec![]),
            (json!({"LoadBalancerName": "ulb-abc123"}), vec![BALANCER]),
        ] {
            let told = life.told("DescribeLoadBalancers", asked.clone());
            assert_eq!(balancers(&told), found, "{asked}");
            let pages = (&told["PageNumber"], &told["PageSize"], &told["TotalCount"]);
            assert_eq!(pages, (&1.into(), &50.into(), &found.len().into()), "{asked}");
        }
        let second = life.told("DescribeLoadBalancers", json!({"PageNumber": 2, "PageSize": 1}));
        let pages = (&second["PageNumber"], &second["PageSize"], &second["TotalCount"]);
        assert_eq!((balancers(&second), pages), (vec![], (&2.into(), &1.into(), &1.into())));

        let told = life.told("DescribeLoadBalancerAttribute", json!({"LoadBalancerId": BALANCER}));
        assert_eq!(
            (&told["LoadBalancerId"], &told["LoadBalancerStatus"], &told["Address"], &told["RegionId"]),
            (&BALANCER.into(), &"active".into(), &"203.0.113.1".into(), &region.into())
        );
        assert_eq!(told["ListenerPorts"], json!({"ListenerPort": [80, 81]}));
        let error = life.refused("DescribeLoadBalancerAttribute", json!({"LoadBalancerId": "lb-unknown"}));
        assert_eq!(
            (&error["code"], &error["status"]),
            (&"InvalidLoadBalancerId.NotFound".into(), &404.into())
        );

        let calls = life.house.clouds().calls(life.target);
        let regions = life.told("DescribeRegions", json!({}));
        let regions = regions["Regions"]["Region"].as_array().unwrap();
        let own = regions.iter().find(|known| known["RegionId"] == region).unwrap();
        assert_eq!(own["RegionEndpoint"], life.house.endpoint(), "{own}");
        assert_eq!(life.house.clouds().calls(life.target), calls, "the gateway answers by itself");
    }
}
