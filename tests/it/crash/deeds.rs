//! The operations that are cut short: what goes before each, what is asked, and what a repeat of it is answered.

use serde_json::Value;

use super::scene::From;
use crate::support::{caller::pairs, signing::Pairs};

const RSP: &str = "rsp-cige6j5e7p";

/// An operation that is cut short.
#[derive(Clone)]
pub struct Deed {
    pub name: &'static str,
    pub from: From,
    /// How many changes its target is asked for.
    pub calls: usize,
    /// Requests that succeed before.
    pub first: Vec<Pairs>,
    /// The request, given what those before were answered.
    pub request: fn(&[Value]) -> Pairs,
    /// A write that waits for the same turn and changes nothing.
    pub harmless: Harmless,
    /// What the same request is answered once more where all of it is there; none where it would make it twice.
    pub again: Option<&'static str>,
}

/// A write that leaves everything as it is.
#[derive(Clone, Copy)]
pub enum Harmless {
    /// To the same group.
    Change(fn(&[Value]) -> Pairs),
    /// Another group is made on the same load balancer, and unmade by what it was answered.
    Group(fn() -> Pairs, fn(&Value) -> Pairs),
}

/// All of them.
pub fn deeds() -> Vec<Deed> {
    let mut deeds = members_from_aliyun();
    deeds.extend(groups());
    deeds.extend(members_from_ucloud());
    deeds
}

/// The one of this name.
pub fn deed(name: &str) -> Deed {
    deeds().into_iter().find(|deed| deed.name == name).expect("a deed")
}

fn members_from_aliyun() -> Vec<Deed> {
    let twenty = || servers(1..=20, 80, 30);
    let plain = Deed {
        name: "AddVServerGroupBackendServers of 20",
        from: From::Aliyun,
        calls: 20,
        first: vec![add(&servers(21..=21, 80, 10))],
        request: |_| add(&servers(1..=20, 80, 30)),
        harmless: Harmless::Change(|_| remove(&servers(1..=1, 7777, 1))),
        again: Some("200 0"),
    };
    vec![
        Deed {
            name: "AddVServerGroupBackendServers of 1, with a Description",
            calls: 1,
            request: |_| add(&servers(1..=1, 80, 30)),
            ..plain.clone()
        },
        Deed {
            name: "RemoveVServerGroupBackendServers of 20",
            first: vec![add(&twenty()), add(&servers(21..=21, 80, 10))],
            request: |_| remove(&servers(1..=20, 80, 30)),
            ..plain.clone()
        },
        Deed {
            name: "SetVServerGroupAttribute of 3 weights and the name",
            calls: 2,
            first: vec![add(&servers(1..=4, 80, 30))],
            request: |_| {
                let (name, servers) = ("blue", &servers(1..=3, 80, 70));
                of_group(
                    RSP,
                    "SetVServerGroupAttribute",
                    &[("VServerGroupName", name), ("BackendServers", servers)],
                )
            },
            ..plain.clone()
        },
        Deed {
            name: "ModifyVServerGroupBackendServers of 2 by 1",
            calls: 3,
            first: vec![add(&servers(1..=4, 80, 30))],
            request: |_| {
                let (old, new) = (servers(1..=2, 80, 30), servers(5..=5, 80, 50));
                let swap = [("OldBackendServers", &*old), ("NewBackendServers", &*new)];
                of_group(RSP, "ModifyVServerGroupBackendServers", &swap)
            },
            ..plain.clone()
        },
        Deed {
            name: "ModifyVServerGroupBackendServers of 3",
            calls: 5,
            first: vec![add(&servers(1..=4, 80, 30))],
            request: |_| {
                let (old, new) = (servers(1..=3, 80, 30), [servers(1..=1, 81, 40), servers(5..=6, 80, 50)]);
                let new = format!("[{}]", new.map(|list| list.trim_matches(['[', ']']).to_owned()).join(","));
                of_group(
                    RSP,
                    "ModifyVServerGroupBackendServers",
                    &[("OldBackendServers", &old), ("NewBackendServers", &new)],
                )
            },
            ..plain.clone()
        },
        plain,
    ]
}

fn groups() -> Vec<Deed> {
    vec![
        Deed {
            name: "CreateVServerGroup of 3",
            from: From::Aliyun,
            calls: 4,
            first: Vec::new(),
            request: |_| [create("green"), pairs(&[("BackendServers", &servers(1..=3, 80, 30))])].concat(),
            harmless: Harmless::Group(
                || create("another"),
                |told| pairs(&[("Action", "DeleteVServerGroup"), ("VServerGroupId", group_id(told))]),
            ),
            again: None,
        },
        Deed {
            name: "CreateVServer",
            from: From::Ucloud,
            calls: 1,
            first: Vec::new(),
            request: |_| listen("green", "8080"),
            harmless: Harmless::Group(
                || listen("another", "8081"),
                |told| of_balancer("DeleteVServer", &[("VServerId", group_id(told))]),
            ),
            again: Some("200 4107"),
        },
    ]
}

fn create(name: &str) -> Pairs {
    let (action, balancer) = (("Action", "CreateVServerGroup"), ("LoadBalancerId", "lb-bp1b6c719dfa08ex"));
    pairs(&[action, balancer, ("VServerGroupName", name)])
}

fn listen(name: &str, port: &str) -> Pairs {
    of_balancer("CreateVServer", &[("VServerName", name), ("Protocol", "TCP"), ("FrontendPort", port)])
}

/// The id of the group that was made, in either language.
fn group_id(told: &Value) -> &str {
    told["VServerGroupId"].as_str().or(told["VServerId"].as_str()).expect("the id of a group")
}

fn members_from_ucloud() -> Vec<Deed> {
    let first = |more: Vec<Pairs>| {
        let stranger = of_vserver("AllocateBackend", &[("ResourceId", "uhost-demo20"), ("Port", "9000")]);
        [vec![stranger], more].concat()
    };
    let plain = Deed {
        name: "AllocateBackendBatch of 40",
        from: From::Ucloud,
        calls: 2,
        first: first(Vec::new()),
        request: |_| {
            let item = |at: usize| format!("uhost-demo{:02}|UHost|{}|1|", at % 20 + 1, 80 + at / 20);
            let items = (0..40).map(|at| (format!("Backends.{at}"), item(at)));
            of_vserver("AllocateBackendBatch", &[]).into_iter().chain(items).collect()
        },
        // Its weight is what it is.
        harmless: Harmless::Change(|told| update(&told[0], &[("Enabled", "1")])),
        again: Some("200 4109"),
    };
    let one = || of_vserver("AllocateBackend", &[("ResourceId", "uhost-demo01"), ("Port", "80")]);
    let other = || of_vserver("AllocateBackend", &[("ResourceId", "uhost-demo02"), ("Port", "80")]);
    vec![
        Deed {
            name: "UpdateBackendAttribute of a port",
            calls: 1,
            first: first(vec![one()]),
            request: |told| update(&told[1], &[("Port", "81")]),
            again: Some("200 0"),
            ..plain.clone()
        },
        Deed {
            name: "UpdateBackendBatch of a port and a weight",
            calls: 2,
            first: first(vec![one(), other()]),
            request: |told| {
                let moved = [("Attributes.0.BackendId", id(&told[1])), ("Attributes.0.Port", "81")];
                let weighed = [("Attributes.1.BackendId", id(&told[2])), ("Attributes.1.Weight", "70")];
                of_balancer("UpdateBackendBatch", &[moved, weighed].concat())
            },
            again: Some("200 0"),
            ..plain.clone()
        },
        Deed {
            name: "ReleaseBackend",
            calls: 1,
            first: first(vec![one()]),
            request: |told| of_balancer("ReleaseBackend", &[("BackendId", id(&told[1]))]),
            again: Some("200 0"),
            ..plain.clone()
        },
        plain,
    ]
}

/// `BackendServers` of these numbers, each with a description.
pub fn servers(numbers: impl IntoIterator<Item = usize>, port: u16, weight: u8) -> String {
    let item = |at: usize| {
        format!(
            r#"{{"ServerId":"i-bp1example{at:08}","Port":"{port}","Weight":"{weight}","Description":"web {at}"}}"#
        )
    };
    format!("[{}]", numbers.into_iter().map(item).collect::<Vec<_>>().join(","))
}

/// An add of `servers` to a group.
pub fn add_to(group: &str, servers: &str) -> Pairs {
    of_group(group, "AddVServerGroupBackendServers", &[("BackendServers", servers)])
}

/// A removal of `servers` from a group.
pub fn remove_from(group: &str, servers: &str) -> Pairs {
    of_group(group, "RemoveVServerGroupBackendServers", &[("BackendServers", servers)])
}

/// A request of Alibaba Cloud's that names a group.
pub fn of_group(group: &str, action: &str, more: &[(&str, &str)]) -> Pairs {
    let group = [("Action", action), ("RegionId", "cn-hangzhou"), ("VServerGroupId", group)];
    [pairs(&group), pairs(more)].concat()
}

fn add(servers: &str) -> Pairs {
    add_to(RSP, servers)
}

fn remove(servers: &str) -> Pairs {
    remove_from(RSP, servers)
}

fn of_balancer(action: &str, more: &[(&str, &str)]) -> Pairs {
    let place = [("Action", action), ("Region", "cn-bj2"), ("ULBId", "ulb-abc123")];
    [pairs(&place), pairs(more)].concat()
}

fn of_vserver(action: &str, more: &[(&str, &str)]) -> Pairs {
    let group = of_balancer(action, &[("VServerId", "vserver-def456")]);
    [group, pairs(more)].concat()
}

fn update(told: &Value, more: &[(&str, &str)]) -> Pairs {
    [of_balancer("UpdateBackendAttribute", &[("BackendId", id(told))]), pairs(more)].concat()
}

/// The id of the backend that an add was answered with.
fn id(told: &Value) -> &str {
    told["BackendId"].as_str().expect("a BackendId")
}
