//! libcloud and scripts of people: every answer as XML, which says what the JSON says.

use std::time::Duration;

use serde_json::{Value, json};

use super::tools::{Stack, aliyun, aliyun_xml, done};
use crate::support::{house::House, xml::read_xml};

const BALANCER: &str = "lb-bp1b6c719dfa08ex";
const GROUP: &str = "rsp-cige6j5e7p";

/// What XML makes of JSON: every value is a list of what stands there under the name, and every scalar is text.
fn marked_up(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let members: serde_json::Map<String, Value> = members
                .iter()
                .map(|(name, value)| {
                    let each = match value {
                        Value::Array(items) => items.iter().map(marked_up).collect(),
                        other @ (Value::Null
                        | Value::Bool(_)
                        | Value::Number(_)
                        | Value::String(_)
                        | Value::Object(_)) => vec![marked_up(other)],
                    };
                    (name.clone(), Value::Array(each))
                })
                .filter(|(_, each)| *each != json!([]))
                .collect();
            // An element without children is one without text.
            if members.is_empty() { "".into() } else { Value::Object(members) }
        }
        Value::String(text) => text.clone().into(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => value.to_string().into(),
    }
}

#[test]
fn every_read_tells_in_xml_what_it_tells_in_json() {
    let house = House::open(Duration::ZERO);
    let list = r#"[{"ServerId":"i-bp1example00000001","Port":80,"Weight":0,"Description":"a<b>&c"},{"ServerId":"eni-bp1demo01","Port":81,"Type":"eni"}]"#;
    let add = [("VServerGroupId", GROUP), ("BackendServers", list)];
    done("add", aliyun(&house, Stack::Go, "AddVServerGroupBackendServers", &add));
    for (action, own) in [
        ("DescribeVServerGroupAttribute", vec![("VServerGroupId", GROUP)]),
        ("DescribeVServerGroupAttribute", vec![("VServerGroupId", "rsp-demo2")]),
        ("DescribeVServerGroups", vec![("LoadBalancerId", BALANCER), ("IncludeListener", "true")]),
        ("DescribeHealthStatus", vec![("LoadBalancerId", BALANCER)]),
        ("DescribeLoadBalancers", vec![]),
        ("DescribeLoadBalancerAttribute", vec![("LoadBalancerId", BALANCER)]),
        ("DescribeRegions", vec![]),
        ("SetVServerGroupAttribute", vec![("VServerGroupId", GROUP), ("BackendServers", list)]),
        ("RemoveVServerGroupBackendServers", vec![("VServerGroupId", GROUP)]),
        ("DescribeVServerGroupAttribute", vec![("VServerGroupId", "rsp-unknown")]),
    ] {
        let (status, mut json) = aliyun(&house, Stack::Python, action, &own);
        let (xml_status, xml) = aliyun_xml(&house, action, &own);
        assert_eq!(status, xml_status, "{action}: {xml}");
        let root = if status == 200 { format!("{action}Response") } else { "Error".to_owned() };
        let mut read = read_xml(&xml)[&root][0].clone();
        for body in [&mut json, &mut read] {
            let body = body.as_object_mut().unwrap();
            body.remove("RequestId");
            body.remove("Recommend");
        }
        assert_eq!(read, marked_up(&json), "{action}: {xml}");
    }
}
