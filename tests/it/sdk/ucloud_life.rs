//! The life of a VServer in the SDK of UCloud ULB, which lives on Alibaba Cloud SLB.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    driver::Sdk,
    life::{Life, holds},
};
use crate::support::house::House;

const ULB: &str = "ulb-abc123";
/// When simulated clouds have made everything: 2026-01-01T00:00:00Z.
const CREATED: u32 = 1_767_225_600;

/// One backend of a VServer: id, type, resource, port, whether it is enabled, weight, and whether it is down.
type Seen = (String, String, String, u64, u64, u64, u64);

/// What an element of a BackendSet tells.
fn seen(backend: &Value) -> Seen {
    let text =
        |name: &str| backend[name].as_str().unwrap_or_else(|| panic!("{name} of {backend}")).to_owned();
    let number = |name: &str| backend[name].as_u64().unwrap_or_else(|| panic!("{name} of {backend}"));
    (
        text("BackendId"),
        text("ResourceType"),
        text("ResourceId"),
        number("Port"),
        number("Enabled"),
        number("Weight"),
        number("Status"),
    )
}

fn backend(id: &str, (word, resource): (&str, &str), port: u64, enabled: u64, weight: u64) -> Seen {
    (id.to_owned(), word.to_owned(), resource.to_owned(), port, enabled, weight, 1)
}

/// The one VServer of an answer.
fn only(told: &Value) -> &Value {
    let set = told["DataSet"].as_array().unwrap();
    assert_eq!((set.len(), &told["TotalCount"]), (1, &1.into()), "{told}");
    &set[0]
}

fn backends(vserver: &Value) -> Vec<Seen> {
    vserver["BackendSet"].as_array().unwrap().iter().map(seen).collect()
}

fn check_code(error: &Value, code: u32) {
    assert_eq!((&error["class"], &error["code"]), (&"RetCodeException".into(), &code.into()), "{error}");
    assert!(error["request_id"].as_str().unwrap().parse::<uuid::Uuid>().is_ok(), "{error}");
}

/// A VServer of its own, and its name at the target.
fn create(life: &mut Life) -> (String, String) {
    let made = life.told(
        "CreateVServer",
        json!({"ULBId": ULB, "VServerName": "web", "Protocol": "TCP", "FrontendPort": 8000,
               "Method": "Leastconn", "ClientTimeout": 30}),
    );
    let group = made["VServerId"].as_str().unwrap().to_owned();
    assert!(group.starts_with("vserver-"), "{group}");
    (group, life.newest())
}

fn allocate(life: &mut Life, group: &str, mut params: Value) -> String {
    params["ULBId"] = ULB.into();
    params["VServerId"] = group.into();
    let told = life.told("AllocateBackend", params);
    let id = told["BackendId"].as_str().unwrap().to_owned();
    assert!(id.starts_with("backend-"), "{id}");
    id
}

fn update(life: &mut Life, id: &str, mut params: Value) {
    params["ULBId"] = ULB.into();
    params["BackendId"] = id.into();
    assert_eq!(life.told("UpdateBackendAttribute", params), json!({}));
}

const FIRST: (&str, &str) = ("UHost", "uhost-demo01");
const SECOND: (&str, &str) = ("UNI", "uni-demo01");
const THIRD: (&str, &str) = ("UHost", "uhost-demo02");

#[test]
fn a_vserver_lives_and_dies() {
    let Some(mut life) = Life::begin(Sdk::Ucloud, House::open(Duration::ZERO)) else { return };
    let (group, there) = create(&mut life);
    let new = life.group(&there).unwrap();
    assert_eq!((new.name.as_deref(), new.listeners.len()), (Some("web"), 0));
    assert_eq!(new.id.load_balancer.unwrap().as_str(), "lb-bp1b6c719dfa08ex");

    // What the target has no place for comes back all the same.
    let of_group = json!({"ULBId": ULB, "VServerId": group});
    let told = life.told("DescribeVServer", of_group.clone());
    for (name, value) in [
        ("VServerId", group.as_str().into()),
        ("ULBId", ULB.into()),
        ("VServerName", "web".into()),
        ("Protocol", "TCP".into()),
        ("FrontendPort", 8000.into()),
        ("Method", "Leastconn".into()),
        ("ClientTimeout", 30.into()),
        ("ListenType", "RequestProxy".into()),
        ("BackendSet", json!([])),
        ("PolicySet", json!([])),
        ("Status", 0.into()),
    ] {
        assert_eq!(only(&told)[name], value, "{name} of {told}");
    }

    let first = allocate(
        &mut life,
        &group,
        json!({"ResourceType": "UHost", "ResourceId": "uhost-demo01", "Port": 8080, "Weight": 50}),
    );
    let second = allocate(
        &mut life,
        &group,
        json!({"ResourceType": "UNI", "ResourceId": "uni-demo01", "Port": 8081, "Weight": 7, "Enabled": 0}),
    );
    let third = allocate(
        &mut life,
        &group,
        json!({"ResourceType": "UHost", "ResourceId": "uhost-demo02", "Port": 8082, "IsBackup": 0}),
    );
    let (interface, last) = ((8081, "eni-bp1demo01", None), (8082, "i-bp1example00000002", Some(1)));
    assert_eq!(life.held(&there), holds(&[(8080, "i-bp1example00000001", Some(50)), interface, last]));
    // No listener sends it anything yet, so nobody has found them up.
    let (two, three) = (backend(&second, SECOND, 8081, 0, 7), backend(&third, THIRD, 8082, 1, 1));
    let all = [backend(&first, FIRST, 8080, 1, 50), two.clone(), three.clone()];
    assert_eq!(backends(only(&life.told("DescribeVServer", of_group.clone()))), all);

    // Weight; off with the weight kept, another weight for the time when it is on again, and on; another port.
    for (change, port, enabled, weight, held) in [
        (json!({"Weight": 20}), 8080, 1, 20, Some(20)),
        (json!({"Enabled": 0}), 8080, 0, 20, None),
        (json!({"Enabled": 1}), 8080, 1, 20, Some(20)),
        (json!({"Enabled": 0, "Weight": 21}), 8080, 0, 21, None),
        (json!({"Weight": 30}), 8080, 0, 30, None),
        (json!({"Enabled": 1}), 8080, 1, 30, Some(30)),
        (json!({"Port": 9090}), 9090, 1, 30, Some(30)),
        (json!({"Weight": 31}), 9090, 1, 31, Some(31)),
        (json!({"Port": 9091, "Weight": 32, "Enabled": 1, "IsBackup": 0}), 9091, 1, 32, Some(32)),
    ] {
        update(&mut life, &first, change.clone());
        let mut held = holds(&[(port, "i-bp1example00000001", held), interface, last]);
        held.sort();
        assert_eq!(life.held(&there), held, "{change}");
        let mut told = backends(only(&life.told("DescribeVServer", of_group.clone())));
        told.sort_by_key(|seen| [&first, &second, &third].into_iter().position(|id| *id == seen.0));
        let one = backend(&first, FIRST, port.into(), enabled, weight);
        assert_eq!(told, [one, two.clone(), three.clone()], "{change}");
    }

    // The port that was left is free for a backend of its own, and neither is taken for the other.
    let again = allocate(
        &mut life,
        &group,
        json!({"ResourceType": "UHost", "ResourceId": "uhost-demo01", "Port": 8080, "Weight": 3}),
    );
    assert_ne!(again, first);
    let (moved, new) = ((9091, "i-bp1example00000001", Some(32)), (8080, "i-bp1example00000001", Some(3)));
    assert_eq!(life.held(&there), holds(&[new, interface, last, moved]));
    let release = |id: &str| json!({"ULBId": ULB, "BackendId": id});
    assert_eq!(life.told("ReleaseBackend", release(&again)), json!({}));
    assert_eq!(life.held(&there), holds(&[interface, last, moved]));

    // Several at once, of which one is not there: it is told of beside the others.
    let attributes = json!([
        {"BackendId": first, "Weight": 5, "Port": 8080},
        {"BackendId": again, "Weight": 9},
        {"BackendId": second, "Enabled": 1},
        {"BackendId": third, "Weight": 6, "Enabled": 0},
        {"BackendId": "backend-nonsense", "Weight": 6},
    ]);
    let told = life.told("UpdateBackendBatch", json!({"ULBId": ULB, "Attributes": attributes}));
    let told: Vec<(&str, u64)> = told["BackendSet"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["BackendId"].as_str().unwrap(), item["SubRetCode"].as_u64().unwrap()))
        .collect();
    assert_eq!(
        told,
        [(&*first, 0), (&*again, 4093), (&*second, 0), (&*third, 0), ("backend-nonsense", 4093)]
    );
    let (one, two, three) = (
        (8080, "i-bp1example00000001", Some(5)),
        (8081, "eni-bp1demo01", Some(7)),
        (8082, "i-bp1example00000002", None),
    );
    assert_eq!(life.held(&there), holds(&[one, two, three]));
    let mut told = backends(only(&life.told("DescribeVServer", of_group.clone())));
    told.sort_by_key(|seen| seen.3);
    let all = [
        backend(&first, FIRST, 8080, 1, 5),
        backend(&second, SECOND, 8081, 1, 7),
        backend(&third, THIRD, 8082, 0, 6),
    ];
    assert_eq!(told, all);

    // A second release finds nothing and is no fault; what was released cannot be changed.
    for _ in 0..2 {
        assert_eq!(life.told("ReleaseBackend", release(&second)), json!({}));
        assert_eq!(life.held(&there), holds(&[one, three]));
    }
    let gone = json!({"ULBId": ULB, "BackendId": second, "Weight": 5});
    check_code(&life.refused("UpdateBackendAttribute", gone), 4093);
    check_code(&life.refused("ReleaseBackend", release("backend-nonsense")), 4093);

    // Another name, and other settings of what is no listener there.
    let mut renamed = of_group.clone();
    renamed["VServerName"] = "后端 web-2".into();
    renamed["Method"] = "Source".into();
    assert_eq!(life.told("UpdateVServerAttribute", renamed), json!({}));
    assert_eq!(life.group(&there).unwrap().name.unwrap(), "后端 web-2");
    let told = life.told("DescribeVServer", of_group.clone());
    let told = only(&told);
    assert_eq!(
        (&told["VServerName"], &told["Method"], &told["ClientTimeout"], &told["FrontendPort"]),
        (&"后端 web-2".into(), &"Source".into(), &30.into(), &8000.into())
    );

    // Gone, for reads and for every other call.
    assert_eq!(life.told("DeleteVServer", of_group.clone()), json!({}));
    assert_eq!(life.group(&there), None);
    check_code(&life.refused("DescribeVServer", of_group.clone()), 4103);
    check_code(&life.refused("DeleteVServer", of_group.clone()), 4088);
    let mut allocate = of_group;
    allocate["ResourceId"] = "uhost-demo01".into();
    allocate["ResourceType"] = "UHost".into();
    check_code(&life.refused("AllocateBackend", allocate), 4088);
}

/// How many pages hold how many; every page tells how many there are in all.
fn sizes(life: &mut Life, call: &str, params: &Value, limit: usize, total: usize) -> Vec<usize> {
    let mut sizes = Vec::new();
    for offset in (0..=total).step_by(limit) {
        let mut asked = params.clone();
        asked["Limit"] = limit.into();
        asked["Offset"] = offset.into();
        let told = life.told(call, asked);
        assert_eq!(told["TotalCount"], total, "{told}");
        sizes.push(told["DataSet"].as_array().unwrap().len());
    }
    sizes
}

#[test]
fn load_balancers_and_their_vservers_are_listed_in_pages() {
    let Some(mut life) = Life::begin(Sdk::Ucloud, House::open(Duration::ZERO)) else { return };
    let (group, _) = create(&mut life);
    let ids = ["vserver-def456", "vserver-demo2", group.as_str()];
    let well = allocate(
        &mut life,
        "vserver-def456",
        json!({"ResourceType": "UHost", "ResourceId": "uhost-demo01", "Port": 8080}),
    );
    let ill = allocate(
        &mut life,
        "vserver-def456",
        json!({"ResourceType": "UHost", "ResourceId": "uhost-demo02", "Port": 8080}),
    );
    life.house.clouds().ail(life.target, "i-bp1example00000002");

    let ulb = life.told("DescribeULB", json!({"ULBId": ULB}));
    assert_eq!(ulb["TotalCount"], 1);
    let ulb = &ulb["DataSet"][0];
    let told = json!([ulb["ULBId"], ulb["ULBType"], ulb["CreateTime"], ulb["ListenType"]]);
    assert_eq!(told, json!([ULB, "OuterMode", CREATED, "RequestProxy"]));
    assert_eq!(ulb["IPSet"][0]["EIP"], "203.0.113.1");
    let vservers = ulb["VServerSet"].as_array().unwrap();
    let listed = |set: &[Value]| set.iter().map(|vserver| vserver["VServerId"].clone()).collect::<Vec<_>>();
    assert_eq!(listed(vservers), ids);
    let status = |vserver: &Value| {
        let set = vserver["BackendSet"].as_array().unwrap();
        set.iter()
            .map(|backend| (backend["BackendId"].clone(), backend["Status"].clone()))
            .collect::<Vec<_>>()
    };
    let states = [(well.into(), 0.into()), (ill.into(), 1.into())];
    assert_eq!((status(&vservers[0]), &vservers[0]["Status"]), (states.to_vec(), &2.into()));

    let simple = life.told("DescribeULBSimple", json!({"ULBId": ULB}));
    assert_eq!((&simple["TotalCount"], &simple["DataSet"][0]["VServerCount"]), (&1.into(), &3.into()));
    assert!(simple["DataSet"][0].get("VServerSet").is_none(), "{simple}");

    let all = life.told("DescribeVServer", json!({"ULBId": ULB}));
    assert_eq!(listed(all["DataSet"].as_array().unwrap()), ids);
    assert_eq!(all["DataSet"][0], vservers[0]);
    assert_eq!(sizes(&mut life, "DescribeVServer", &json!({"ULBId": ULB}), 2, 3), [2, 1]);
    assert_eq!(sizes(&mut life, "DescribeVServer", &json!({"ULBId": ULB}), 1, 3), [1, 1, 1, 0]);
    for call in ["DescribeULB", "DescribeULBSimple"] {
        assert_eq!(sizes(&mut life, call, &json!({}), 1, 1), [1, 0]);
        assert_eq!(sizes(&mut life, call, &json!({}), 100, 1), [1]);
        let none = life.told(call, json!({"ULBId": "ulb-unknown"}));
        assert_eq!(none, json!({"TotalCount": 0, "DataSet": []}), "{call}");
    }
    let (unknown, elsewhere) = ("vserver-unknown", json!({"ULBId": "ulb-unknown"}));
    check_code(&life.refused("DescribeVServer", json!({"ULBId": ULB, "VServerId": unknown})), 4103);
    check_code(&life.refused("DescribeVServer", elsewhere), 4103);
}

/// `ucloud init` asks for both before anything else.
#[test]
fn regions_and_projects_are_told_by_the_gateway() {
    let Some(mut life) = Life::begin(Sdk::Ucloud, House::open(Duration::ZERO)) else { return };
    let regions = life.told("GetRegion", json!({}));
    let found: Vec<&Value> =
        regions["Regions"].as_array().unwrap().iter().filter(|region| region["Region"] == "cn-bj2").collect();
    assert_eq!(found.len(), 1, "{regions}");
    for name in ["Zone", "RegionName"] {
        assert!(found[0][name].is_string(), "{name} of {regions}");
    }
    assert!(found[0]["IsDefault"].is_boolean() && found[0]["RegionId"].is_u64(), "{regions}");
    let defaults = regions["Regions"].as_array().unwrap().iter().filter(|region| region["IsDefault"] == true);
    assert_eq!(defaults.count(), 1, "{regions}");
    let projects = life.told("GetProjectList", json!({}));
    assert_eq!(projects["ProjectCount"], 1);
    let project = &projects["ProjectSet"][0];
    assert_eq!((&project["ProjectId"], &project["IsDefault"]), (&"org-abc123".into(), &true.into()));
    assert_eq!(life.house.clouds().calls(life.target), 0);
}
