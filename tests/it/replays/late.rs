//! Reads between writes, before a target that shows its changes late: a change that is taken back may never be seen
//! again, and nothing that was removed comes back.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::tools::{Stack, aliyun, done, servers};
use crate::support::house::House;

const TARGET: &str = "ucloud-simulated";
const GROUP: &str = "rsp-cige6j5e7p";
/// How late the target shows a change.
const LAG: Duration = Duration::from_secs(1);
/// How far two changes are apart.
const APART: Duration = Duration::from_millis(400);

fn write(house: &House, action: &str, own: &[(&str, &str)]) {
    let own: Vec<_> = [("VServerGroupId", GROUP)].into_iter().chain(own.iter().copied()).collect();
    done(action, aliyun(house, Stack::Go, action, &own));
}

fn read(house: &House) -> Value {
    let own = [("VServerGroupId", GROUP)];
    done("read", aliyun(house, Stack::Go, "DescribeVServerGroupAttribute", &own))
}

/// What every read tells until the target has shown all there is to show.
fn check_all_along<T: PartialEq + std::fmt::Debug>(house: &House, what: fn(&Value) -> T, expected: &T) {
    let begin = Instant::now();
    while begin.elapsed() < LAG + APART {
        assert_eq!(what(&read(house)), *expected, "{:?} after the last change", begin.elapsed());
        sleep(Duration::from_millis(30));
    }
}

fn weights(told: &Value) -> Vec<(u64, u64)> {
    servers(told)
        .iter()
        .map(|server| (server["Port"].as_u64().unwrap(), server["Weight"].as_u64().unwrap()))
        .collect()
}

fn name(told: &Value) -> String {
    told["VServerGroupName"].as_str().unwrap().to_owned()
}

fn server(weight: u8) -> String {
    format!(r#"[{{"ServerId":"i-bp1example00000001","Port":8080,"Weight":{weight}}}]"#)
}

#[test]
fn a_backend_that_was_drained_and_is_not_any_more_stays_so() {
    let house = House::lagging(TARGET, LAG);
    write(&house, "AddVServerGroupBackendServers", &[("BackendServers", &server(20))]);
    check_all_along(&house, weights, &vec![(8080, 20)]);
    for weight in [0, 20] {
        write(&house, "SetVServerGroupAttribute", &[("BackendServers", &server(weight))]);
        assert_eq!(weights(&read(&house)), [(8080, weight.into())]);
        sleep(APART);
    }
    check_all_along(&house, weights, &vec![(8080, 20)]);
}

#[test]
fn a_backend_that_came_and_went_does_not_come_back() {
    let house = House::lagging(TARGET, LAG);
    write(&house, "AddVServerGroupBackendServers", &[("BackendServers", &server(20))]);
    assert_eq!(weights(&read(&house)), [(8080, 20)]);
    sleep(APART);
    write(&house, "RemoveVServerGroupBackendServers", &[("BackendServers", &server(20))]);
    check_all_along(&house, weights, &vec![]);
}

#[test]
fn a_backend_that_went_and_came_stays() {
    let house = House::lagging(TARGET, LAG);
    write(&house, "AddVServerGroupBackendServers", &[("BackendServers", &server(20))]);
    check_all_along(&house, weights, &vec![(8080, 20)]);
    write(&house, "RemoveVServerGroupBackendServers", &[("BackendServers", &server(20))]);
    assert_eq!(weights(&read(&house)), []);
    sleep(APART);
    write(&house, "AddVServerGroupBackendServers", &[("BackendServers", &server(30))]);
    check_all_along(&house, weights, &vec![(8080, 30)]);
}

#[test]
fn a_name_that_is_given_back_stays() {
    let house = House::lagging(TARGET, LAG);
    for called in ["blue", "green", "blue"] {
        write(&house, "SetVServerGroupAttribute", &[("VServerGroupName", called)]);
        assert_eq!(name(&read(&house)), called);
        sleep(APART);
    }
    check_all_along(&house, name, &"blue".to_owned());
    for called in ["green", "blue"] {
        write(&house, "SetVServerGroupAttribute", &[("VServerGroupName", called)]);
        assert_eq!(name(&read(&house)), called);
        sleep(APART);
    }
    check_all_along(&house, name, &"blue".to_owned());
}

/// Every answer of the real cloud has it.
#[test]
fn a_new_group_tells_when_it_was_made() {
    let house = House::lagging(TARGET, LAG);
    let own = [("LoadBalancerId", "lb-bp1b6c719dfa08ex"), ("VServerGroupName", "web")];
    let made = done("create", aliyun(&house, Stack::Go, "CreateVServerGroup", &own));
    let group = made["VServerGroupId"].as_str().unwrap();
    let own = [("VServerGroupId", group)];
    let told = done("read", aliyun(&house, Stack::Go, "DescribeVServerGroupAttribute", &own));
    assert!(told["CreateTime"].is_string(), "{told}");
}

/// A group is a listener there, and the load balancer tells of its listeners.
#[test]
fn a_load_balancer_tells_of_the_listener_that_came_and_of_none_that_went() {
    let house = House::lagging(TARGET, LAG);
    let balancer = [("LoadBalancerId", "lb-bp1b6c719dfa08ex")];
    let ports = || {
        let told = done("read", aliyun(&house, Stack::Go, "DescribeLoadBalancerAttribute", &balancer));
        told["ListenerPorts"]["ListenerPort"].as_array().unwrap().clone()
    };
    let before = ports();
    let made = done("create", aliyun(&house, Stack::Go, "CreateVServerGroup", &balancer));
    let group = made["VServerGroupId"].as_str().unwrap();
    assert_eq!(ports(), [before.as_slice(), &[20_000.into()]].concat());
    done("delete", aliyun(&house, Stack::Go, "DeleteVServerGroup", &[("VServerGroupId", group)]));
    assert_eq!(ports(), before);
}
