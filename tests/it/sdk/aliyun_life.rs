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

/// A group that was made in an SDK, and what it has to hold by now.
struct Made {
    life: Life,
    /// What is left of an answer when that is taken away which is not known yet.
    known: fn(Value) -> Value,
    group: String,
    there: String,
    name: &'static str,
    /// As answers tell them, in the order in which they came.
    servers: Vec<Value>,
}

impl Made {
    /// Without backends, and with a name.
    fn create(mut life: Life, known: fn(Value) -> Value) -> Self {
        let create = json!({"LoadBalancerId": BALANCER, "VServerGroupName": "web"});
        let made = life.told("CreateVServerGroup", create);
        let group = made["VServerGroupId"].as_str().unwrap().to_owned();
        assert!(group.starts_with("rsp-"), "{group}");
        assert_eq!(made, json!({"VServerGroupId": group, "BackendServers": list(&[])}));
        let there = life.newest();
        let listener = Listener { protocol: Protocol::Tcp, port: Port::new(20000).unwrap() };
        let new = life.group(&there).unwrap();
        assert_eq!(new.listeners, [listener]);
        assert!(new.options.iter().any(|one| one.name == "Method" && one.value == "WeightRoundrobin"));
        assert_eq!(new.id.load_balancer.unwrap().as_str(), "ulb-abc123");
        Self { life, known, group, there, name: "web", servers: Vec::new() }
    }

    /// The answer to a call that is about the group.
    fn told(&mut self, call: &str, mut params: Value) -> Value {
        params["VServerGroupId"] = self.group.clone().into();
        let mut told = self.life.told(call, params);
        assert_eq!(told["VServerGroupId"], self.group);
        told.as_object_mut().unwrap().remove("VServerGroupId");
        told
    }

    /// A read tells what the group holds, and the target holds it.
    fn check(&mut self) {
        let described = json!({"VServerGroupName": self.name, "LoadBalancerId": BALANCER, "CreateTime": CREATED,
                               "Tags": {"Tag": []}, "BackendServers": list(&self.servers)});
        let told = self.told("DescribeVServerGroupAttribute", json!({}));
        assert_eq!((self.known)(told), (self.known)(described));
        let held: Vec<(u16, String, Option<u8>)> = self.servers.iter().map(held).collect();
        let held: Vec<_> = held.iter().map(|(port, id, weight)| (*port, id.as_str(), *weight)).collect();
        assert_eq!(self.life.held(&self.there), holds(&held));
        assert_eq!(self.life.group(&self.there).unwrap().name.unwrap(), self.name);
    }

    fn add(&mut self) {
        let three = json!([
            {"ServerId": "i-bp1example00000001", "Port": 8080, "Weight": 50, "Description": "blue"},
            {"ServerId": "eni-bp1demo01", "Port": "8081", "Weight": "0", "Type": "eni"},
            {"ServerId": "i-bp1example00000002", "Port": 8082},
        ]);
        self.servers = vec![
            told("i-bp1example00000001", 8080, 50, "ecs", "blue"),
            told("eni-bp1demo01", 8081, 0, "eni", ""),
            told("i-bp1example00000002", 8082, 100, "ecs", ""),
        ];
        let added = self.told("AddVServerGroupBackendServers", json!({"BackendServers": three}));
        assert_eq!(added, json!({"BackendServers": list(&self.servers)}));
        self.check();
    }

    /// The answer tells of those that were named, and what is not named of them stays.
    fn weigh(&mut self) {
        let weights = json!([
            {"ServerId": "i-bp1example00000001", "Port": "8080", "Weight": "20"},
            {"ServerId": "i-bp1example00000002", "Port": 8082, "Weight": 30, "Description": "green"},
        ]);
        self.servers[0] = told("i-bp1example00000001", 8080, 20, "ecs", "blue");
        self.servers[2] = told("i-bp1example00000002", 8082, 30, "ecs", "green");
        let named = [self.servers[0].clone(), self.servers[2].clone()];
        let set = self.told("SetVServerGroupAttribute", json!({"BackendServers": weights}));
        assert_eq!(set, json!({"VServerGroupName": "web", "BackendServers": list(&named)}));
        self.check();
    }

    fn drain_and_fill(&mut self) {
        for weight in [0, 20] {
            let weights = json!([{"ServerId": "i-bp1example00000001", "Port": 8080, "Weight": weight}]);
            self.servers[0] = told("i-bp1example00000001", 8080, weight, "ecs", "blue");
            let set = self.told("SetVServerGroupAttribute", json!({"BackendServers": weights}));
            assert_eq!(set["BackendServers"], list(&self.servers[..1]));
            self.check();
        }
    }

    /// Of all, and behind one listener.
    fn ail(&mut self) {
        self.life.house.clouds().ail(self.life.target, "uhost-demo02");
        let health = |server: &Value| {
            let ails = server["ServerId"] == "i-bp1example00000002";
            json!({"ServerId": server["ServerId"], "Port": server["Port"], "ListenerPort": 20000,
                   "Protocol": "tcp", "ServerHealthStatus": if ails { "abnormal" } else { "normal" }})
        };
        let states = list(&self.servers.iter().map(health).collect::<Vec<_>>());
        for (asked, told) in [
            (json!({"LoadBalancerId": BALANCER}), &states),
            (json!({"LoadBalancerId": BALANCER, "ListenerPort": 20000, "ListenerProtocol": "tcp"}), &states),
            (json!({"LoadBalancerId": BALANCER, "ListenerPort": 80}), &list(&[])),
        ] {
            let mut checked = self.life.told("DescribeHealthStatus", asked);
            for server in checked["BackendServers"]["BackendServer"].as_array_mut().unwrap() {
                // Not every SDK hands it on.
                server.as_object_mut().unwrap().remove("Type");
            }
            assert_eq!((self.known)(checked), (self.known)(json!({"BackendServers": told})));
        }
    }

    /// Another server in the place of one, and then another port of it.
    fn swap(&mut self) {
        for (old, new) in [
            (("i-bp1example00000002", 8082), ("i-bp1example00000003", 8082)),
            (("i-bp1example00000003", 8082), ("i-bp1example00000003", 8083)),
        ] {
            let swap = json!({
                "OldBackendServers": [{"ServerId": old.0, "Port": old.1}],
                "NewBackendServers": [{"ServerId": new.0, "Port": new.1, "Weight": 40, "Description": "new"}],
            });
            self.servers[2] = told(new.0, new.1, 40, "ecs", "new");
            let swapped = self.told("ModifyVServerGroupBackendServers", swap);
            assert_eq!(swapped, json!({"BackendServers": list(&self.servers[2..])}));
            self.check();
        }
    }

    /// One that is gone is no fault.
    fn remove(&mut self) {
        self.servers.remove(1);
        let removed = json!({"ServerId": "eni-bp1demo01", "Port": 8081, "Weight": 0, "Type": "eni"});
        for gone in [list(&[removed]), list(&[])] {
            let remove = json!([{"ServerId": "eni-bp1demo01", "Port": 8081, "Type": "eni"}]);
            let told = self.told("RemoveVServerGroupBackendServers", json!({"BackendServers": remove}));
            assert_eq!(told, json!({"BackendServers": gone}));
            self.check();
        }
    }

    /// The groups of the load balancer: the two that have rows, and the new one.
    fn list(&mut self) {
        for (asked, with) in [
            (json!({"LoadBalancerId": BALANCER, "IncludeListener": true}), true),
            (json!({"LoadBalancerId": BALANCER}), false),
        ] {
            let listed = |id: &str, name: &str, count: usize, port: u16, protocol: &str| {
                let listeners = if with { json!([{"Port": port, "Protocol": protocol}]) } else { json!([]) };
                json!({"VServerGroupId": id, "VServerGroupName": name, "ServerCount": count,
                       "CreateTime": CREATED, "Tags": {"Tag": []},
                       "AssociatedObjects": {"Listeners": {"Listener": listeners}, "Rules": {"Rule": []}}})
            };
            let groups = json!({"VServerGroups": {"VServerGroup": [
                listed("rsp-cige6j5e7p", "VServer", 0, 80, "http"),
                listed("rsp-demo2", "VServer", 0, 81, "http"),
                listed(&self.group, self.name, self.servers.len(), 20000, "tcp"),
            ]}});
            let told = self.life.told("DescribeVServerGroups", asked);
            assert_eq!((self.known)(told), (self.known)(groups));
        }
    }

    /// No backend is named, so all of them are told.
    fn rename(&mut self) {
        self.name = "后端 web-2";
        let renamed = json!({"VServerGroupName": self.name, "BackendServers": list(&self.servers)});
        let set = self.told("SetVServerGroupAttribute", json!({"VServerGroupName": self.name}));
        assert_eq!(set, renamed);
        self.check();
    }

    /// Gone, for reads and for every other call.
    fn delete(mut self) {
        let of_group = json!({"VServerGroupId": self.group});
        assert_eq!(self.life.told("DeleteVServerGroup", of_group.clone()), json!({}));
        assert_eq!(self.life.group(&self.there), None);
        let one = json!([{"ServerId": "i-bp1example00000001", "Port": 8080}]);
        for (call, more) in [
            ("DescribeVServerGroupAttribute", json!({})),
            ("SetVServerGroupAttribute", json!({"VServerGroupName": "again"})),
            ("RemoveVServerGroupBackendServers", json!({"BackendServers": one})),
            ("AddVServerGroupBackendServers", json!({"BackendServers": one})),
            ("DeleteVServerGroup", json!({})),
        ] {
            let mut params = more;
            params["VServerGroupId"] = self.group.clone().into();
            check_unknown_group(&self.life.refused(call, params));
        }
        let told = self.life.told("DescribeVServerGroups", json!({"LoadBalancerId": BALANCER}));
        assert_eq!(told["VServerGroups"]["VServerGroup"].as_array().unwrap().len(), 2);
    }
}

/// How the target holds a server of an answer.
fn held(server: &Value) -> (u16, String, Option<u8>) {
    let number = |name: &str| server[name].as_u64().unwrap();
    let id = server["ServerId"].as_str().unwrap();
    let there = match id.strip_prefix("i-bp1example000000") {
        Some(number) => format!("uhost-demo{number}"),
        None => id.replace("eni-bp1", "uni-"),
    };
    let weight = u8::try_from(number("Weight")).unwrap();
    (u16::try_from(number("Port")).unwrap(), there, Some(weight).filter(|weight| *weight > 0))
}

fn a_group_lives_and_dies(sdk: Sdk) {
    a_group_lives_and_dies_in(sdk, House::open(Duration::ZERO), |told| told);
}

fn a_group_lives_and_dies_in(sdk: Sdk, house: House, known: fn(Value) -> Value) {
    let Some(life) = Life::begin(sdk, house) else { return };
    let mut group = Made::create(life, known);
    group.check();
    group.add();
    group.weigh();
    group.drain_and_fill();
    group.ail();
    group.swap();
    group.remove();
    group.list();
    group.rename();
    group.delete();
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

/// Twenty from the start, by one call that becomes twenty-two.
#[test]
fn a_group_is_made_with_what_it_is_to_hold() {
    for sdk in [Sdk::Tea, Sdk::PopCoreGet] {
        let Some(mut life) = Life::begin(sdk, House::open(Duration::ZERO)) else { return };
        let servers: Vec<Value> = (1..=20u16)
            .map(|number| {
                let weight = number % 4 * 10;
                json!({"ServerId": format!("i-bp1example{number:08}"), "Port": 8000 + number, "Weight": weight,
                       "Description": format!("后端 {number}")})
            })
            .collect();
        let told: Vec<Value> = servers
            .iter()
            .cloned()
            .map(|mut server| {
                server["Type"] = "ecs".into();
                server
            })
            .collect();
        let create = json!({"LoadBalancerId": BALANCER, "BackendServers": servers});
        let made = life.told("CreateVServerGroup", create);
        assert_eq!(made["BackendServers"], list(&told));
        let there = life.newest();
        let held: Vec<(u16, String, Option<u8>)> = (1..=20u16)
            .map(|number| {
                let weight = u8::try_from(number % 4 * 10).unwrap();
                (8000 + number, format!("uhost-demo{number:02}"), Some(weight).filter(|weight| *weight > 0))
            })
            .collect();
        let held: Vec<_> =
            held.iter().map(|(port, server, weight)| (*port, server.as_str(), *weight)).collect();
        assert_eq!(life.held(&there), holds(&held));
        let name = json!({"VServerGroupId": made["VServerGroupId"]});
        let read = life.told("DescribeVServerGroupAttribute", name);
        assert_eq!(read["BackendServers"], list(&told));

        // One that cannot be had: no group is left.
        let mut servers = servers;
        servers.push(json!({"ServerId": "i-unknown", "Port": 80}));
        let create = json!({"LoadBalancerId": BALANCER, "BackendServers": servers});
        let error = life.refused("CreateVServerGroup", create);
        assert!(error["message"].as_str().unwrap().contains("i-unknown"), "{error}");
        assert_eq!(life.house.clouds().groups(life.target).len(), 3);
    }
}

/// Whatever the order in which the group has them.
#[test]
fn answers_tell_of_backends_in_the_order_of_the_request() {
    let Some(mut life) = Life::begin(Sdk::Tea, House::open(Duration::ZERO)) else { return };
    let server =
        |number: u16| json!({"ServerId": format!("i-bp1example{number:08}"), "Port": 8080, "Weight": 10});
    let numbers = |told: &Value| -> Vec<String> {
        let servers = told["BackendServers"]["BackendServer"].as_array().unwrap();
        servers.iter().map(|server| server["ServerId"].as_str().unwrap().to_owned()).collect()
    };
    for (call, list, asked) in [
        ("AddVServerGroupBackendServers", "BackendServers", [3, 1, 2]),
        ("SetVServerGroupAttribute", "BackendServers", [2, 3, 1]),
        ("ModifyVServerGroupBackendServers", "NewBackendServers", [5, 4, 6]),
        ("RemoveVServerGroupBackendServers", "BackendServers", [2, 1, 3]),
    ] {
        let servers: Vec<Value> = asked.into_iter().map(server).collect();
        let told = life.told(call, json!({"VServerGroupId": "rsp-cige6j5e7p", list: servers}));
        assert_eq!(numbers(&told), asked.map(|number| format!("i-bp1example{number:08}")), "{call}");
    }
}

/// What one part of a call names wrongly keeps all of it from being done.
#[test]
fn a_change_that_is_refused_changes_nothing() {
    let Some(mut life) = Life::begin(Sdk::Tea, House::open(Duration::ZERO)) else { return };
    let (group, there) = ("rsp-cige6j5e7p", "vserver-def456");
    let server = |number: u16, port: u16, weight: u8| json!({"ServerId": format!("i-bp1example{number:08}"), "Port": port, "Weight": weight});
    let add = json!([server(1, 8080, 10), server(2, 8080, 0)]);
    life.told("AddVServerGroupBackendServers", json!({"VServerGroupId": group, "BackendServers": add}));
    let both = holds(&[(8080, "uhost-demo01", Some(10)), (8080, "uhost-demo02", None)]);
    for (call, params, code) in [
        (
            "SetVServerGroupAttribute",
            json!({"VServerGroupName": "other", "BackendServers": [server(1, 8080, 99), server(3, 8080, 99)]}),
            "InvalidServerId.NotExist",
        ),
        (
            "SetVServerGroupAttribute",
            json!({"BackendServers": [server(1, 8080, 99), server(1, 8081, 99)]}),
            "InvalidServerId.NotExist",
        ),
        (
            "RemoveVServerGroupBackendServers",
            json!({"BackendServers": [server(1, 8080, 10), {"ServerId": "i-unknown", "Port": 80}]}),
            "ObtainIpFail",
        ),
        (
            "ModifyVServerGroupBackendServers",
            json!({"OldBackendServers": [server(1, 8080, 10)],
                   "NewBackendServers": [server(4, 8080, 1), {"ServerId": "i-unknown", "Port": 80}]}),
            "ObtainIpFail",
        ),
        (
            "AddVServerGroupBackendServers",
            json!({"BackendServers": [server(5, 8080, 1), {"ServerId": "i-unknown", "Port": 80}]}),
            "ObtainIpFail",
        ),
    ] {
        let mut asked = params.clone();
        asked["VServerGroupId"] = group.into();
        let error = life.refused(call, asked);
        assert_eq!(
            (&error["code"], &error["status"]),
            (&code.into(), &400.into()),
            "{call} {params}: {error}"
        );
        assert_eq!(life.held(there), both, "{call} {params}");
        assert_eq!(life.group(there).unwrap().name.unwrap(), "VServer", "{call} {params}");
    }
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
