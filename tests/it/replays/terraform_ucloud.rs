//! Terraform's provider for UCloud: ucloud_lb_attachment, and what ucloud_lb and ucloud_lb_listener read.

use std::time::Duration;

use serde_json::Value;

use super::tools::{Plain, ucloud, ucloud_done};
use crate::support::house::House;

const ULB: &str = "ulb-abc123";
const TARGET: &str = "aliyun-simulated";

/// The one VServer of DescribeVServer.
fn vserver(house: &House, group: &str) -> Value {
    let told = ucloud_done(house, Plain::Go, "DescribeVServer", &[("ULBId", ULB), ("VServerId", group)]);
    assert_eq!((&told["TotalCount"], told["DataSet"].as_array().unwrap().len()), (&1.into(), 1), "{told}");
    told["DataSet"][0].clone()
}

/// The backend of this id in `DataSet[0].BackendSet[]`.
fn backend(house: &House, group: &str, id: &str) -> Option<Value> {
    let vserver = vserver(house, group);
    let set = vserver["BackendSet"].as_array().unwrap();
    set.iter().find(|backend| backend["BackendId"] == id).cloned()
}

/// What a refresh reads of an attachment.
fn check(house: &House, group: &str, id: &str, resource: &str, port: u16) {
    let backend = backend(house, group, id).expect("the attachment");
    assert_eq!(
        (&backend["ResourceId"], &backend["ResourceType"], &backend["Port"], &backend["Status"]),
        (&resource.into(), &"UHost".into(), &port.into(), &0.into()),
        "{backend}"
    );
    assert!(backend["PrivateIP"].is_string(), "{backend}");
}

fn ports(house: &House, group: &str) -> Vec<(u16, String)> {
    house.clouds().held(TARGET, group).into_iter().map(|held| (held.port, held.server)).collect()
}

#[test]
fn an_attachment() {
    let house = House::open(Duration::ZERO);
    let (group, there, server) = ("vserver-def456", "rsp-cige6j5e7p", "i-bp1example00000001".to_owned());

    let allocate = [
        ("ULBId", ULB),
        ("VServerId", group),
        ("ResourceType", "UHost"),
        ("ResourceId", "uhost-demo01"),
        ("Port", "8080"),
    ];
    let told = ucloud_done(&house, Plain::Go, "AllocateBackend", &allocate);
    let id = told["BackendId"].as_str().unwrap().to_owned();
    for _ in 0..2 {
        check(&house, group, &id, "uhost-demo01", 8080);
    }
    assert_eq!(ports(&house, there), [(8080, server.clone())]);

    // Another port, twice: the id of the resource stays what it is.
    for port in ["9090", "9091"] {
        backend(&house, group, &id).expect("the attachment");
        let update = [("ULBId", ULB), ("BackendId", &id), ("Port", port)];
        ucloud_done(&house, Plain::Go, "UpdateBackendAttribute", &update);
        let port = port.parse().unwrap();
        check(&house, group, &id, "uhost-demo01", port);
        assert_eq!(ports(&house, there), [(port, server.clone())]);
    }

    // Import looks for it everywhere.
    let found = pages(&house, 100).into_iter().flat_map(|ulb| ulb["VServerSet"].as_array().unwrap().clone());
    let backends = found.flat_map(|vserver| vserver["BackendSet"].as_array().unwrap().clone());
    assert_eq!(backends.filter(|backend| backend["BackendId"] == id.as_str()).count(), 1);

    for _ in 0..2 {
        backend(&house, group, &id).expect("the attachment");
    }
    ucloud_done(&house, Plain::Go, "ReleaseBackend", &[("ULBId", ULB), ("BackendId", &id)]);
    assert_eq!(backend(&house, group, &id), None);
    assert_eq!(ports(&house, there), []);
}

/// Every ULB, by pages of DescribeULB until one is shorter than the limit.
fn pages(house: &House, limit: usize) -> Vec<Value> {
    let mut found = Vec::new();
    loop {
        let (limit_text, offset) = (limit.to_string(), found.len().to_string());
        let told =
            ucloud_done(house, Plain::Go, "DescribeULB", &[("Limit", &limit_text), ("Offset", &offset)]);
        let page = told["DataSet"].as_array().unwrap().clone();
        assert!(page.len() <= limit, "{told}");
        let is_last = page.len() < limit;
        found.extend(page);
        assert_eq!(told["TotalCount"], 1);
        if is_last {
            return found;
        }
    }
}

#[test]
fn pages_end() {
    let house = House::open(Duration::ZERO);
    for limit in [1, 2, 100] {
        assert_eq!(pages(&house, limit).len(), 1, "{limit}");
    }
}

/// The settings of a listener that a plan compares with what it has written.
#[test]
fn a_listener() {
    let house = House::open(Duration::ZERO);
    let create = [
        ("ULBId", ULB),
        ("VServerName", "tf-lb-listener"),
        ("Protocol", "HTTPS"),
        ("ListenType", "RequestProxy"),
        ("FrontendPort", "8443"),
        ("Method", "WeightRoundrobin"),
        ("ClientTimeout", "100"),
        ("PersistenceType", "UserDefined"),
        ("PersistenceInfo", "a b+c"),
        ("MonitorType", "Path"),
        ("Path", "/healthz"),
        ("Domain", "a.test"),
    ];
    let told = ucloud_done(&house, Plain::Go, "CreateVServer", &create);
    let group = told["VServerId"].as_str().unwrap().to_owned();
    let check = |changed: &[(&str, &str)]| {
        let vserver = vserver(&house, &group);
        for (name, value) in create {
            let value = changed.iter().find(|(known, _)| *known == name).map_or(value, |(_, value)| *value);
            let told = &vserver[name];
            let told = told.as_str().map_or_else(|| told.to_string(), str::to_owned);
            assert_eq!(told, value, "{name} of {vserver}");
        }
    };
    check(&[]);
    let changes = [("VServerName", "tf-two"), ("Method", "Source"), ("ClientTimeout", "0"), ("Path", "/")];
    let of_group = [("ULBId", ULB), ("VServerId", &group)];
    let update: Vec<(&str, &str)> = of_group.into_iter().chain(changes).collect();
    ucloud_done(&house, Plain::Go, "UpdateVServerAttribute", &update);
    check(&changes);

    ucloud_done(&house, Plain::Go, "DeleteVServer", &of_group);
    assert_eq!(ucloud(&house, Plain::Go, "DescribeVServer", &of_group)["RetCode"], 4103);
    assert_eq!(vserver_count(&house), 2);
}

fn vserver_count(house: &House) -> u64 {
    let told = ucloud_done(house, Plain::Go, "DescribeVServer", &[("ULBId", ULB)]);
    let count = told["TotalCount"].as_u64().unwrap();
    assert_eq!(told["DataSet"].as_array().unwrap().len() as u64, count);
    count
}
