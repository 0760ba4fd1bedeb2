//! What a cloud holds, and what its groups look like through the gateway: as lines that can be compared.

use serde_json::Value;

use super::scene::{From, Scene};
use crate::support::{caller::pairs, house::Clouds};

/// Every group of a target's cloud as it is: in order, without the ids that the cloud gives.
pub fn truth(clouds: &Clouds, target: &str) -> Vec<String> {
    let line = |group: weighbridge::model::Group| {
        let mut members: Vec<String> =
            group.members.iter().map(|member| format!("{:?}", member.backend)).collect();
        members.sort();
        format!("{:?} {:?} {:?}\n  {}", group.name, group.listeners, group.options, members.join("\n  "))
    };
    clouds.groups(target).into_iter().map(line).collect()
}

/// Every group as a caller sees it.
pub fn seen(scene: &Scene, from: From) -> Vec<String> {
    match from {
        From::Aliyun => seen_from_aliyun(scene),
        From::Ucloud => seen_from_ucloud(scene),
    }
}

fn seen_from_aliyun(scene: &Scene) -> Vec<String> {
    let list = [("Action", "DescribeVServerGroups"), ("LoadBalancerId", "lb-bp1b6c719dfa08ex")];
    let list = scene.do_it(From::Aliyun, &pairs(&list));
    let look = |group: &Value| {
        let id = group["VServerGroupId"].as_str().unwrap();
        let look = [("Action", "DescribeVServerGroupAttribute"), ("VServerGroupId", id)];
        let group = scene.do_it(From::Aliyun, &pairs(&look));
        let members = items(&group["BackendServers"]["BackendServer"]);
        line(
            &group["VServerGroupName"],
            members.iter().map(|item| chosen(item, &["ServerId", "Port", "Weight", "Type", "Description"])),
        )
    };
    items(&list["VServerGroups"]["VServerGroup"]).iter().map(look).collect()
}

fn seen_from_ucloud(scene: &Scene) -> Vec<String> {
    let list = [("Action", "DescribeVServer"), ("Region", "cn-bj2"), ("ULBId", "ulb-abc123")];
    let list = scene.do_it(From::Ucloud, &pairs(&list));
    let fields = ["ResourceId", "Port", "Weight", "Enabled", "IsBackup"];
    let look = |group: &Value| {
        let front = chosen(group, &["VServerName", "Protocol", "FrontendPort"]);
        line(&front.into(), items(&group["BackendSet"]).iter().map(|item| chosen(item, &fields)))
    };
    items(&list["DataSet"]).iter().map(look).collect()
}

fn items(list: &Value) -> &[Value] {
    list.as_array().map_or(&[], Vec::as_slice)
}

fn chosen(item: &Value, names: &[&str]) -> String {
    names.iter().map(|name| item[*name].to_string()).collect::<Vec<_>>().join(" ")
}

fn line(front: &Value, members: impl Iterator<Item = String>) -> String {
    let mut members: Vec<String> = members.collect();
    members.sort();
    format!("{front}\n  {}", members.join("\n  "))
}
