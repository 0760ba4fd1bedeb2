//! The changes that callers ask for, what there is before them, and what callers see afterwards.

use serde_json::Value;

use crate::support::{
    caller::pairs,
    scene::{Caller, Scene, lines},
    signing::Pairs,
};

const RSP: &str = "rsp-cige6j5e7p";
const ULB: &str = "ulb-abc123";
const VSERVER: &str = "vserver-def456";
const BALANCER: &str = "lb-bp1b6c719dfa08ex";

/// One change.
#[derive(Clone, Copy)]
pub struct Deed {
    pub caller: Caller,
    pub name: &'static str,
    pub action: &'static str,
    /// What it says besides, given the ids of what there is.
    pub own: fn(&[String]) -> Pairs,
}

/// Every change that either cloud's callers may ask for.
pub const DEEDS: &[Deed] = &[
    aliyun("add of three", "AddVServerGroupBackendServers", |_| {
        servers("BackendServers", &[(4, 80, 40), (5, 80, 50), (6, 80, 60)])
    }),
    aliyun("removal of three", "RemoveVServerGroupBackendServers", |_| {
        servers("BackendServers", &[(1, 80, 0), (2, 80, 0), (3, 80, 0)])
    }),
    aliyun("weights of three", "SetVServerGroupAttribute", |_| {
        servers("BackendServers", &[(1, 80, 0), (2, 80, 77), (3, 80, 88)])
    }),
    aliyun("weight of one and a name", "SetVServerGroupAttribute", |_| {
        let mut own = servers("BackendServers", &[(2, 80, 77)]);
        own.extend(pairs(&[("VServerGroupName", "green")]));
        own
    }),
    aliyun("swap of two", "ModifyVServerGroupBackendServers", |_| {
        let mut own = servers("OldBackendServers", &[(1, 80, 10), (2, 80, 20)]);
        own.extend(servers("NewBackendServers", &[(1, 81, 11), (4, 80, 40)]).into_iter().skip(1));
        own
    }),
    aliyun("group with two", "CreateVServerGroup", |_| {
        let mut own = servers("BackendServers", &[(4, 80, 40), (5, 80, 50)]);
        own.splice(..1, pairs(&[("LoadBalancerId", BALANCER), ("VServerGroupName", "blue")]));
        own
    }),
    aliyun("name", "SetVServerGroupAttribute", |_| {
        pairs(&[("VServerGroupId", RSP), ("VServerGroupName", "green")])
    }),
    aliyun("group unmade", "DeleteVServerGroup", |_| pairs(&[("VServerGroupId", RSP)])),
    ucloud("one backend", "AllocateBackend", |_| {
        pairs(&[
            ("ULBId", ULB),
            ("VServerId", VSERVER),
            ("ResourceType", "UHost"),
            ("ResourceId", "uhost-demo05"),
            ("Port", "80"),
            ("Weight", "50"),
        ])
    }),
    ucloud("batch of three", "AllocateBackendBatch", |_| batch(4..7, 80)),
    ucloud("batch of 22", "AllocateBackendBatch", |_| {
        let mut own = batch(4..16, 80);
        let more = batch(4..14, 81).into_iter().skip(2).enumerate();
        own.extend(more.map(|(at, (_, item))| (format!("Backends.{}", at + 12), item)));
        own
    }),
    ucloud("port of one", "UpdateBackendAttribute", |ids| {
        pairs(&[("ULBId", ULB), ("BackendId", &ids[0]), ("Port", "81"), ("Weight", "33")])
    }),
    ucloud("weights and a port", "UpdateBackendBatch", |ids| {
        pairs(&[
            ("ULBId", ULB),
            ("Attributes.0.BackendId", &ids[0]),
            ("Attributes.0.Weight", "77"),
            ("Attributes.1.BackendId", &ids[1]),
            ("Attributes.1.Enabled", "0"),
            ("Attributes.2.BackendId", &ids[2]),
            ("Attributes.2.Port", "83"),
        ])
    }),
    ucloud("release", "ReleaseBackend", |ids| pairs(&[("ULBId", ULB), ("BackendId", &ids[1])])),
    ucloud("VServer", "CreateVServer", |_| {
        pairs(&[("ULBId", ULB), ("VServerName", "blue"), ("Protocol", "TCP"), ("FrontendPort", "8080")])
    }),
    ucloud("name", "UpdateVServerAttribute", |_| {
        pairs(&[("ULBId", ULB), ("VServerId", VSERVER), ("VServerName", "green")])
    }),
    ucloud("VServer unmade", "DeleteVServer", |ids| pairs(&[("ULBId", ULB), ("VServerId", &ids[3])])),
];

const fn aliyun(name: &'static str, action: &'static str, own: fn(&[String]) -> Pairs) -> Deed {
    Deed { caller: Caller::Aliyun, name, action, own }
}

const fn ucloud(name: &'static str, action: &'static str, own: fn(&[String]) -> Pairs) -> Deed {
    Deed { caller: Caller::Ucloud, name, action, own }
}

/// A list of servers by number, port and weight, and the group that it is of.
fn servers(list: &str, of: &[(u32, u32, u32)]) -> Pairs {
    let item = |(number, port, weight): &(u32, u32, u32)| {
        format!(
            r#"{{"ServerId":"i-bp1example{number:08}","Port":"{port}","Weight":"{weight}","Description":"the {number}."}}"#
        )
    };
    let items: Vec<String> = of.iter().map(item).collect();
    pairs(&[("VServerGroupId", RSP), (list, &format!("[{}]", items.join(",")))])
}

fn batch(numbers: std::ops::Range<usize>, port: u32) -> Pairs {
    let mut own = pairs(&[("ULBId", ULB), ("VServerId", VSERVER)]);
    let item = |number| format!("uhost-demo{number:02}|UHost|{port}|1|10.0.0.{number}");
    own.extend(numbers.enumerate().map(|(at, number)| (format!("Backends.{at}"), item(number))));
    own
}

impl Deed {
    /// Puts three backends there, and for a caller of UCloud a VServer; their ids.
    pub async fn prepare(&self, scene: &Scene) -> Vec<String> {
        match self.caller {
            Caller::Aliyun => {
                let own = servers("BackendServers", &[(1, 80, 10), (2, 80, 20), (3, 80, 30)]);
                scene.ask_all("AddVServerGroupBackendServers", own).await;
                Vec::new()
            }
            Caller::Ucloud => {
                let mut ids = Vec::new();
                for (server, weight) in
                    [("uhost-demo01", "10"), ("uhost-demo02", "20"), ("uhost-demo03", "30")]
                {
                    let own = [
                        ("ULBId", ULB),
                        ("VServerId", VSERVER),
                        ("ResourceType", "UHost"),
                        ("ResourceId", server),
                        ("Port", "80"),
                        ("Weight", weight),
                    ];
                    ids.push(scene.done("AllocateBackend", &own).await["BackendId"].clone());
                }
                let own = [("ULBId", ULB), ("VServerName", "old"), ("FrontendPort", "9090")];
                ids.push(scene.done("CreateVServer", &own).await["VServerId"].clone());
                ids.iter().map(|id| id.as_str().unwrap().to_owned()).collect()
            }
        }
    }
}

/// What a caller sees of everything, but for the ids of groups.
pub async fn seen(caller: Caller, scene: &Scene) -> String {
    match caller {
        Caller::Aliyun => {
            let told = scene.done("DescribeVServerGroups", &[("LoadBalancerId", BALANCER)]).await;
            let mut all = Vec::new();
            for group in told["VServerGroups"]["VServerGroup"].as_array().unwrap() {
                let own = [("VServerGroupId", group["VServerGroupId"].as_str().unwrap())];
                let told = scene.done("DescribeVServerGroupAttribute", &own).await;
                let members = told["BackendServers"]["BackendServer"].as_array().unwrap().iter();
                let members = lines(members.map(|member| format!("    {member}")));
                all.push(format!("{}\n{members}", told["VServerGroupName"]));
            }
            lines(all.into_iter())
        }
        Caller::Ucloud => {
            let told = scene.done("DescribeVServer", &[("ULBId", ULB)]).await;
            lines(told["DataSet"].as_array().unwrap().iter().map(vserver))
        }
    }
}

fn vserver(told: &Value) -> String {
    let members = told["BackendSet"].as_array().unwrap().iter().map(|member| format!("    {member}"));
    format!("{} {} {}\n{}", told["VServerName"], told["Protocol"], told["FrontendPort"], lines(members))
}
