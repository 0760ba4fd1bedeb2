//! What `explain` says of requests that are easily explained wrong.

use std::{path::Path, sync::Arc};

use weighbridge::{
    auth::Stamps,
    config::{Config, Known, load_text},
    gateway::{Refusal, explain},
    mapping::SourceText,
    wire::{Call, Params},
};

const CONFIG: &str = r#"
listen = "127.0.0.1:0"
resources = "given"

[targets.first]
provider = "ucloud"
endpoint = "http://127.0.0.1:1"
key_id = "k"
secret = "s"
region = "cn-bj2"

[targets.second]
provider = "ucloud"
endpoint = "http://127.0.0.1:2"
key_id = "k"
secret = "s"
region = "cn-bj2"

[[clients]]
dialect = "aliyun"
key_id = "one"
secret = "s"
target = "first"

[[clients]]
dialect = "aliyun"
key_id = "two"
secret = "s"
target = "second"
"#;

/// Rows that have no place for the address that a caller may choose, and one that names it.
const RESOURCES: &str = r#"
[[group]]
aliyun = { group = "rsp-1" }
ucloud = { load_balancer = "ulb-1", group = "vserver-1" }

[[server]]
aliyun = { id = "eni-1", type = "eni" }
ucloud = "uhost-1"

[[server]]
aliyun = { id = "eni-2", type = "eni", ip = "10.0.0.9" }
ucloud = { id = "uhost-2", type = "UHost" }

[[server]]
aliyun = { id = "eni-3", type = "eni" }
ucloud = { id = "uhost-3", type = "UHost" }
"#;

fn config() -> Arc<Config> {
    let known = [
        Known { provider: "aliyun", schemes: &["acs3", "v1"] },
        Known { provider: "ucloud", schemes: &["sha1"] },
    ];
    let (config, resources) = (SourceText::new("config", CONFIG), SourceText::new("resources", RESOURCES));
    Arc::new(load_text(&config, Some(&resources), Path::new("."), &|_| None, &known).unwrap())
}

fn add(key_id: &str, backends: &str) -> Call {
    let mut params = Params::default();
    for (name, value) in [
        ("Action", "AddVServerGroupBackendServers"),
        ("AccessKeyId", key_id),
        ("VServerGroupId", "rsp-1"),
        ("BackendServers", backends),
    ] {
        params.push(name, value);
    }
    Call::new(http::Method::GET, "", "/", params.to_query())
}

/// The target's name, or the refusal's text.
fn explained(call: Call) -> Result<String, String> {
    let stamp = Stamps::fixed("2026-01-02T03:04:05Z".parse().unwrap()).next();
    let told = |refusal: Box<Refusal>| String::from_utf8(refusal.reply.body.to_vec()).unwrap();
    let config = config();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let explained = runtime.block_on(explain(&config, call, &stamp));
    explained.map(|explanation| explanation.route.target.name.to_string()).map_err(told)
}

#[test]
fn an_unsigned_request_is_explained_for_the_client_whose_key_it_names() {
    let server = r#"[{"ServerId":"eni-2","Type":"eni","ServerIp":"10.0.0.9","Port":80}]"#;
    assert_eq!(explained(add("two", server)), Ok("second".to_owned()));
    assert_eq!(explained(add("nobody", server)), Ok("first".to_owned()));
}

#[test]
fn an_address_that_the_row_hides_is_a_loss() {
    let refusal =
        explained(add("one", r#"[{"ServerId":"eni-3","Type":"eni","ServerIp":"10.0.0.8","Port":80}]"#));
    assert!(refusal.unwrap_err().contains("ServerIp"));
}

#[test]
fn an_address_that_the_row_names_is_what_the_row_is_about() {
    let named =
        explained(add("one", r#"[{"ServerId":"eni-2","Type":"eni","ServerIp":"10.0.0.9","Port":80}]"#));
    assert_eq!(named, Ok("first".to_owned()));
}
