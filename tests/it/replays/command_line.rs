//! The command line of UCloud: `ucloud ulb vserver backend add`, `list`, `update` and `delete`.

use std::time::Duration;

use serde_json::{Value, json};

use super::tools::{Plain, ucloud, ucloud_done, ucloud_json};
use crate::support::house::House;

const ULB: &str = "ulb-abc123";
const VSERVER: &str = "vserver-def456";
const TARGET: &str = "aliyun-simulated";

fn call(house: &House, action: &str, own: &[(&str, &str)]) -> Value {
    ucloud_done(house, Plain::CommandLine, action, own)
}

/// The rows of `list`; the command line says "may not exist" of anything but one VServer.
fn rows(house: &House) -> Vec<Value> {
    let told = call(house, "DescribeVServer", &[("ULBId", ULB), ("VServerId", VSERVER)]);
    assert_eq!(told["DataSet"].as_array().unwrap().len(), 1, "{told}");
    told["DataSet"][0]["BackendSet"].as_array().unwrap().clone()
}

#[test]
fn a_backend() {
    let house = House::open(Duration::ZERO);
    let held = || -> Vec<_> {
        let held = house.clouds().held(TARGET, "rsp-cige6j5e7p");
        held.into_iter().map(|held| (held.port, held.weight)).collect()
    };
    let add = [
        ("ULBId", ULB),
        ("VServerId", VSERVER),
        ("ResourceType", "UHost"),
        ("ResourceId", "uhost-demo01"),
        ("Port", "80"),
        ("Weight", "1"),
        ("Enabled", "1"),
        ("IsBackup", "0"),
    ];
    let id = call(&house, "AllocateBackend", &add)["BackendId"].as_str().unwrap().to_owned();
    let row = |port: u16, enabled: u8, weight: u8| {
        let rows = rows(&house);
        assert_eq!(rows.len(), 1);
        assert_eq!(
            (&rows[0]["BackendId"], &rows[0]["Port"], &rows[0]["Enabled"], &rows[0]["Weight"]),
            (&id.as_str().into(), &port.into(), &enabled.into(), &weight.into()),
            "{rows:?}"
        );
        for name in ["ResourceName", "PrivateIP", "SubResourceType", "VPCId"] {
            assert!(rows[0][name].is_string(), "{name} of {rows:?}");
        }
    };
    row(80, 1, 1);
    assert_eq!(held(), [(80, Some(1))]);

    let update = |name: &str, value: &str| {
        call(&house, "UpdateBackendAttribute", &[("ULBId", ULB), ("BackendId", &id), (name, value)]);
    };
    update("Weight", "40");
    row(80, 1, 40);
    update("Enabled", "0");
    row(80, 0, 40);
    assert_eq!(held(), [(80, None)]);
    update("Enabled", "1");
    update("Port", "81");
    row(81, 1, 40);
    assert_eq!(held(), [(81, Some(40))]);

    // No such backend, which this tool asks for four times.
    for _ in 0..4 {
        let own = [("ULBId", ULB), ("BackendId", "backend-nonsense"), ("Weight", "1")];
        assert_eq!(ucloud(&house, Plain::CommandLine, "UpdateBackendAttribute", &own)["RetCode"], 4093);
    }
    for _ in 0..2 {
        call(&house, "ReleaseBackend", &[("ULBId", ULB), ("BackendId", &id)]);
        assert_eq!(rows(&house), [] as [Value; 0]);
        assert_eq!(held(), []);
    }
}

/// Completion of `--ulb-id` and `--vserver-id`: pages of 50 until there can be no more.
#[test]
fn completion() {
    let house = House::open(Duration::ZERO);
    for (action, own, wanted, expected) in [
        ("DescribeULB", vec![], "ULBId", vec![ULB]),
        ("DescribeVServer", vec![("ULBId", ULB)], "VServerId", vec![VSERVER, "vserver-demo2"]),
    ] {
        let (mut found, mut offset) = (Vec::new(), 0);
        loop {
            let text = offset.to_string();
            let page: Vec<_> = own.iter().copied().chain([("Limit", "50"), ("Offset", &text)]).collect();
            let told = call(&house, action, &page);
            let set = told["DataSet"].as_array().unwrap();
            found.extend(set.iter().map(|item| item[wanted].as_str().unwrap().to_owned()));
            if told["TotalCount"].as_u64().unwrap() < offset + 50 {
                break;
            }
            offset += 50;
        }
        assert_eq!(found, expected, "{action}");
    }
}

/// `ucloud api` and the JavaScript and private Go SDKs send JSON as it is: lists of objects, numbers and truth values.
#[test]
fn a_batch_in_native_json() {
    let house = House::open(Duration::ZERO);
    let add = |port: &str| {
        let own = [
            ("ULBId", ULB),
            ("VServerId", VSERVER),
            ("ResourceType", "UHost"),
            ("ResourceId", "uhost-demo01"),
            ("Port", port),
            ("Weight", "5"),
        ];
        call(&house, "AllocateBackend", &own)["BackendId"].as_str().unwrap().to_owned()
    };
    let (one, two) = (add("80"), add("81"));
    let held = || -> Vec<_> {
        let held = house.clouds().held(TARGET, "rsp-cige6j5e7p");
        held.into_iter().map(|held| (held.port, held.weight)).collect()
    };
    for (attributes, expected) in [
        (
            json!([{"BackendId": one, "Weight": 7, "Enabled": true}, {"BackendId": two, "Enabled": false, "IsBackup": false}]),
            [(80, Some(7)), (81, None)],
        ),
        (
            json!([{"BackendId": two, "Port": 82, "Enabled": 1, "IsBackup": 0}]),
            [(80, Some(7)), (82, Some(5))],
        ),
    ] {
        let body = json!({"Action": "UpdateBackendBatch", "Region": "cn-bj2", "ProjectId": "org-abc123",
                          "ULBId": ULB, "Attributes": attributes});
        let told = ucloud_json(&house, body);
        assert_eq!(told["RetCode"], 0, "{told}");
        let set = told["BackendSet"].as_array().unwrap();
        assert!(set.iter().all(|item| item["SubRetCode"] == 0 && item["SubMessage"].is_string()), "{told}");
        assert_eq!(set.len(), attributes.as_array().unwrap().len());
        assert_eq!(held(), expected, "{attributes}");
    }
}
