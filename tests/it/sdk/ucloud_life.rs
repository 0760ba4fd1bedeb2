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

/// A VServer that was made in the SDK, and the three backends that it has.
struct Made {
    life: Life,
    group: String,
    there: String,
    ids: [String; 3],
    /// One that was there for a while.
    released: String,
}

/// The server of the first at the target, and what that holds of the second and the third, which few changes are about.
const FIRST_THERE: &str = "i-bp1example00000001";
const INTERFACE: (u16, &str, Option<u8>) = (8081, "eni-bp1demo01", None);
const LAST: (u16, &str, Option<u8>) = (8082, "i-bp1example00000002", Some(1));

impl Made {
    /// What the target has no place for comes back all the same.
    fn create(mut life: Life) -> Self {
        let (group, there) = create(&mut life);
        let new = life.group(&there).unwrap();
        assert_eq!((new.name.as_deref(), new.listeners.len()), (Some("web"), 0));
        assert_eq!(new.id.load_balancer.unwrap().as_str(), "lb-bp1b6c719dfa08ex");
        let mut made = Self { life, group, there, ids: Default::default(), released: String::new() };
        let vserver = made.read();
        for (name, value) in [
            ("VServerId", made.group.as_str().into()),
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
            assert_eq!(vserver[name], value, "{name} of {vserver}");
        }
        made
    }

    /// What names the VServer.
    fn name(&self) -> Value {
        json!({"ULBId": ULB, "VServerId": self.group})
    }

    fn read(&mut self) -> Value {
        let name = self.name();
        only(&self.life.told("DescribeVServer", name)).clone()
    }

    /// A read tells of these backends, in the order in which they came as far as the target keeps one, and the target
    /// holds those.
    fn check(&mut self, seen: &[Seen], held: &[(u16, &str, Option<u8>)]) {
        let mut told = backends(&self.read());
        told.sort_by_key(|seen| self.ids.iter().position(|id| *id == seen.0));
        assert_eq!(told, seen);
        let mut held = holds(held);
        held.sort();
        assert_eq!(self.life.held(&self.there), held);
    }

    fn allocate(&mut self) {
        let three = [
            json!({"ResourceType": "UHost", "ResourceId": "uhost-demo01", "Port": 8080, "Weight": 50}),
            json!({"ResourceType": "UNI", "ResourceId": "uni-demo01", "Port": 8081, "Weight": 7, "Enabled": 0}),
            json!({"ResourceType": "UHost", "ResourceId": "uhost-demo02", "Port": 8082, "IsBackup": 0}),
        ];
        self.ids = three.map(|asked| allocate(&mut self.life, &self.group, asked));
        let [one, two, three] = self.rest();
        let all = [one, two, three];
        assert_eq!(backends(&self.read()), all, "the order in which they were added");
        self.check(&all, &[(8080, FIRST_THERE, Some(50)), INTERFACE, LAST]);
    }

    /// The three as they were allocated. No listener sends them anything yet, so nobody has found them up.
    fn rest(&self) -> [Seen; 3] {
        let [one, two, three] = &self.ids;
        [
            backend(one, FIRST, 8080, 1, 50),
            backend(two, SECOND, 8081, 0, 7),
            backend(three, THIRD, 8082, 1, 1),
        ]
    }

    /// Weight; off with the weight kept, another weight for the time when it is on again, and on; another port.
    fn update(&mut self) {
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
            let first = self.ids[0].clone();
            update(&mut self.life, &first, change);
            let [_, two, three] = self.rest();
            let one = backend(&first, FIRST, port.into(), enabled, weight);
            self.check(&[one, two, three], &[(port, FIRST_THERE, held), INTERFACE, LAST]);
        }
    }

    /// The port that was left is free for a backend of its own, and neither is taken for the other. The request is the
    /// first one once more, to the byte.
    fn take_the_port_that_was_left(&mut self) {
        let asked =
            json!({"ResourceType": "UHost", "ResourceId": "uhost-demo01", "Port": 8080, "Weight": 50});
        let first = self.ids[0].clone();
        let again = allocate(&mut self.life, &self.group, asked);
        assert_ne!(again, first);
        let [_, two, three] = self.rest();
        let moved = backend(&first, FIRST, 9091, 1, 32);
        let there = |weight| {
            let (new, moved) = ((8080, FIRST_THERE, Some(weight)), (9091, FIRST_THERE, Some(32)));
            [new, INTERFACE, LAST, moved]
        };
        for weight in [50, 51] {
            update(&mut self.life, &again, json!({"Weight": weight}));
            let new = backend(&again, FIRST, 8080, 1, weight.into());
            self.check(&[new, moved.clone(), two.clone(), three.clone()], &there(weight));
        }
        self.release(&again);
        self.check(&[moved, two, three], &there(0)[1..]);
        self.released = again;
    }

    /// Several at once; those that are not there are told of beside the others.
    fn update_batch(&mut self) {
        let ([first, second, third], again) = (self.ids.clone(), self.released.clone());
        let attributes = json!([
            {"BackendId": first, "Weight": 5, "Port": 8080},
            {"BackendId": again, "Weight": 9},
            {"BackendId": second, "Enabled": 1},
            {"BackendId": third, "Weight": 6, "Enabled": 0},
            {"BackendId": "backend-nonsense", "Weight": 6},
        ]);
        let told = self.life.told("UpdateBackendBatch", json!({"ULBId": ULB, "Attributes": attributes}));
        let told: Vec<(&str, u64)> = told["BackendSet"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| (item["BackendId"].as_str().unwrap(), item["SubRetCode"].as_u64().unwrap()))
            .collect();
        let codes = [(&*first, 0), (&*again, 4093), (&*second, 0), (&*third, 0), ("backend-nonsense", 4093)];
        assert_eq!(told, codes);
        let all = [
            backend(&first, FIRST, 8080, 1, 5),
            backend(&second, SECOND, 8081, 1, 7),
            backend(&third, THIRD, 8082, 0, 6),
        ];
        let interface = (8081, "eni-bp1demo01", Some(7));
        self.check(&all, &[(8080, FIRST_THERE, Some(5)), interface, (8082, "i-bp1example00000002", None)]);
    }

    /// A second release finds nothing and is no fault; what was released cannot be changed.
    fn release_twice(&mut self) {
        let [first, second, third] = self.ids.clone();
        for _ in 0..2 {
            self.release(&second);
            let left = [backend(&first, FIRST, 8080, 1, 5), backend(&third, THIRD, 8082, 0, 6)];
            self.check(&left, &[(8080, FIRST_THERE, Some(5)), (8082, "i-bp1example00000002", None)]);
        }
        let gone = json!({"ULBId": ULB, "BackendId": second, "Weight": 5});
        check_code(&self.life.refused("UpdateBackendAttribute", gone), 4093);
        let nonsense = json!({"ULBId": ULB, "BackendId": "backend-nonsense"});
        check_code(&self.life.refused("ReleaseBackend", nonsense), 4093);
    }

    /// And other settings of what is no listener there.
    fn rename(&mut self) {
        let mut renamed = self.name();
        renamed["VServerName"] = "后端 web-2".into();
        renamed["Method"] = "Source".into();
        assert_eq!(self.life.told("UpdateVServerAttribute", renamed), json!({}));
        assert_eq!(self.life.group(&self.there).unwrap().name.unwrap(), "后端 web-2");
        let told = self.read();
        assert_eq!(
            (&told["VServerName"], &told["Method"], &told["ClientTimeout"], &told["FrontendPort"]),
            (&"后端 web-2".into(), &"Source".into(), &30.into(), &8000.into())
        );
    }

    /// Gone, for reads and for every other call.
    fn delete(mut self) {
        let mut name = self.name();
        assert_eq!(self.life.told("DeleteVServer", name.clone()), json!({}));
        assert_eq!(self.life.group(&self.there), None);
        check_code(&self.life.refused("DescribeVServer", name.clone()), 4103);
        check_code(&self.life.refused("DeleteVServer", name.clone()), 4088);
        name["ResourceType"] = "UHost".into();
        name["ResourceId"] = "uhost-demo01".into();
        check_code(&self.life.refused("AllocateBackend", name), 4088);
    }

    fn release(&mut self, id: &str) {
        assert_eq!(self.life.told("ReleaseBackend", json!({"ULBId": ULB, "BackendId": id})), json!({}));
    }
}

#[test]
fn a_vserver_lives_and_dies() {
    let Some(life) = Life::begin(Sdk::Ucloud, House::open(Duration::ZERO)) else { return };
    let mut vserver = Made::create(life);
    vserver.allocate();
    vserver.update();
    vserver.take_the_port_that_was_left();
    vserver.update_batch();
    vserver.release_twice();
    vserver.rename();
    vserver.delete();
}

/// A request has neither time nor nonce: the same one means something again after each change in between.
#[test]
fn a_backend_comes_and_goes_by_the_same_requests() {
    let Some(mut life) = Life::begin(Sdk::Ucloud, House::open(Duration::ZERO)) else { return };
    let (group, there) = create(&mut life);
    let asked = || json!({"ResourceType": "UHost", "ResourceId": "uhost-demo01", "Port": 8080, "Weight": 50});
    for _ in 0..3 {
        let id = allocate(&mut life, &group, asked());
        assert_eq!(life.held(&there), holds(&[(8080, "i-bp1example00000001", Some(50))]));
        for (enabled, held) in [(0, None), (1, Some(50)), (0, None), (1, Some(50))] {
            update(&mut life, &id, json!({"Enabled": enabled}));
            assert_eq!(life.held(&there), holds(&[(8080, "i-bp1example00000001", held)]));
        }
        let attributes = json!([{"BackendId": id, "Weight": 9}]);
        life.told("UpdateBackendBatch", json!({"ULBId": ULB, "Attributes": attributes}));
        assert_eq!(life.held(&there), holds(&[(8080, "i-bp1example00000001", Some(9))]));
        assert_eq!(life.told("ReleaseBackend", json!({"ULBId": ULB, "BackendId": id})), json!({}));
        assert_eq!(life.held(&there), []);
    }
    // Of a backend that is gone nothing is left for the next one of that name.
    allocate(
        &mut life,
        &group,
        json!({"ResourceType": "UHost", "ResourceId": "uhost-demo01", "Port": 8080, "Enabled": 0}),
    );
    let told = life.told("DescribeVServer", json!({"ULBId": ULB, "VServerId": group}));
    let all = backends(only(&told));
    assert_eq!((all.len(), all[0].4, all[0].5), (1, 0, 1), "{all:?}");
}

/// A second listener on the port of another is refused by the source cloud.
#[test]
fn two_vservers_do_not_share_a_port() {
    let Some(mut life) = Life::begin(Sdk::Ucloud, House::open(Duration::ZERO)) else { return };
    create(&mut life);
    let twin = json!({"ULBId": ULB, "VServerName": "twin", "Protocol": "TCP", "FrontendPort": 8000});
    check_code(&life.refused("CreateVServer", twin), 4107);
    assert_eq!(life.house.clouds().groups(life.target).len(), 3);
}

/// A port that another entry of the same server has is taken.
#[test]
fn a_backend_does_not_move_onto_another() {
    let Some(mut life) = Life::begin(Sdk::Ucloud, House::open(Duration::ZERO)) else { return };
    let (group, there) = create(&mut life);
    let on =
        |port: u16| json!({"ResourceType": "UHost", "ResourceId": "uhost-demo01", "Port": port, "Weight": 5});
    let (one, _) = (allocate(&mut life, &group, on(8080)), allocate(&mut life, &group, on(8081)));
    let both = holds(&[(8080, "i-bp1example00000001", Some(5)), (8081, "i-bp1example00000001", Some(5))]);
    let error = life.refused("UpdateBackendAttribute", json!({"ULBId": ULB, "BackendId": one, "Port": 8081}));
    check_code(&error, 4109);
    assert_eq!(life.held(&there), both);
    for params in
        [json!({"IsBackup": 1}), json!({"Weight": 0}), json!({"Weight": 101}), json!({"Enabled": 2})]
    {
        let mut asked = params.clone();
        asked["ULBId"] = ULB.into();
        asked["BackendId"] = one.clone().into();
        let error = life.refused("UpdateBackendAttribute", asked);
        assert_ne!(error["code"], 0, "{params}");
        assert_eq!(life.held(&there), both, "{params}");
    }
}

/// A load balancer that is not known has no backends, whatever the backend's id says of itself.
#[test]
fn a_backend_is_not_changed_by_way_of_another_load_balancer() {
    let Some(mut life) = Life::begin(Sdk::Ucloud, House::open(Duration::ZERO)) else { return };
    let (made, there) = create(&mut life);
    for (group, there) in [("vserver-def456", "rsp-cige6j5e7p"), (made.as_str(), there.as_str())] {
        let asked = json!({"ResourceType": "UHost", "ResourceId": "uhost-demo01", "Port": 8080, "Weight": 5});
        let id = allocate(&mut life, group, asked);
        for (call, mut params) in [
            ("UpdateBackendAttribute", json!({"Weight": 9})),
            ("UpdateBackendAttribute", json!({"Port": 8081})),
            ("ReleaseBackend", json!({})),
        ] {
            params["ULBId"] = "ulb-unknown".into();
            params["BackendId"] = id.clone().into();
            let error = life.refused(call, params);
            assert_ne!(error["code"], 0, "{call}");
            assert_eq!(life.held(there), holds(&[(8080, "i-bp1example00000001", Some(5))]), "{call}");
        }
        let batch = json!({"ULBId": "ulb-unknown", "Attributes": [{"BackendId": id, "Weight": 9}]});
        assert!(life.ask("UpdateBackendBatch", batch).is_err(), "{group}");
    }
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
    let known = [(well.into(), 0.into()), (ill.into(), 1.into())];
    assert_eq!((status(&vservers[0]), &vservers[0]["Status"]), (known.to_vec(), &2.into()));

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
    for nowhere in [json!({"ULBId": ULB, "VServerId": "vserver-unknown"}), json!({"ULBId": "ulb-unknown"})] {
        check_code(&life.refused("DescribeVServer", nowhere), 4103);
    }
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
