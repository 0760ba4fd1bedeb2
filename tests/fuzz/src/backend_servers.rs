//! The readers of lists of backends, whose dialects are many: one text, flattened, between pipes, one backend alone. What
//! is read is within bounds, is what the text says where that is plain JSON, and reads back when it is written.

use std::collections::HashSet;

use http::Method;
use serde_json::{Map, Value};
use weighbridge::{
    dialect::Arrival,
    model::{AddBackends, Operation},
    wire::{Call, Document, Params},
};

use super::{
    clouds,
    entries::{Entry, lists_of},
};

/// Actions that have a list in one text, with the parameters that hold it.
const LISTS: [(&str, &[&str]); 5] = [
    ("AddVServerGroupBackendServers", &["BackendServers"]),
    ("RemoveVServerGroupBackendServers", &["BackendServers"]),
    ("SetVServerGroupAttribute", &["BackendServers"]),
    ("CreateVServerGroup", &["BackendServers"]),
    ("ModifyVServerGroupBackendServers", &["OldBackendServers", "NewBackendServers"]),
];
/// Actions whose backends are parameters of their own.
const FLAT: [(&str, &str); 4] = [
    ("aliyun", "AddVServerGroupBackendServers"),
    ("ucloud", "AllocateBackend"),
    ("ucloud", "AllocateBackendBatch"),
    ("ucloud", "UpdateBackendBatch"),
];
/// Parameters without which nothing else is read.
const USUAL: [(&str, &str, &str); 5] = [
    ("aliyun", "VServerGroupId", "rsp-1"),
    ("aliyun", "LoadBalancerId", "lb-1"),
    ("ucloud", "Region", "cn-bj2"),
    ("ucloud", "ULBId", "ulb-1"),
    ("ucloud", "VServerId", "vserver-1"),
];

pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    loosely(text);
    for (action, lists) in LISTS {
        let given: Vec<_> = lists.iter().map(|list| (*list, text)).collect();
        for entries in read("aliyun", action, &given) {
            as_the_text_says(&entries, text);
        }
    }
    let lines: Vec<(&str, &str)> = text.lines().filter_map(|line| line.split_once('=')).collect();
    for (id, action) in FLAT {
        read(id, action, &lines);
    }
}

/// The lenient reader takes what the strict one takes, and for the same.
fn loosely(text: &str) {
    let loose = Document::from_loose_json(text);
    assert_eq!(loose, Document::from_loose_json(text), "it reads the same twice");
    if let Ok(strict) = Document::from_json(text.as_bytes()) {
        assert_eq!(loose, Ok(strict), "it reads as strict JSON does");
    }
}

/// The lists of a request that can be read.
fn read(id: &str, action: &str, given: &[(&str, &str)]) -> Vec<Vec<Entry>> {
    let (provider, cloud) = clouds::cloud(id);
    let arrival = arrival(id, action, given);
    let Ok(asked) = provider.ingress.read(&arrival, cloud) else { return Vec::new() };
    assert_eq!(provider.ingress.read(&arrival, cloud).ok().as_ref(), Some(&asked), "it reads the same twice");
    if let Operation::AddBackends(add) = &asked.operation {
        distinct(add);
        reads_back(id, add);
    }
    let most = cloud.actions.named(action).expect("an action of the table").max_backends;
    let lists = lists_of(&asked.operation);
    for entries in &lists {
        within_bounds(entries, most);
    }
    lists
}

/// A request of this action. No reader sees a parameter twice: a request that has one is not unpacked.
fn arrival(id: &str, action: &str, given: &[(&str, &str)]) -> Arrival {
    let usual = USUAL.iter().filter(|(of, _, _)| *of == id).map(|(_, name, value)| (*name, *value));
    let pairs = [("Action", action)].into_iter().chain(usual).chain(given.iter().copied());
    let mut names = HashSet::new();
    let once = pairs.filter(|(name, _)| names.insert(*name));
    let params: Params = once.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Arrival { call: Call::new(Method::POST, "", "/", String::new()), params, signed: None }
}

fn within_bounds(entries: &[Entry], most: usize) {
    assert!(entries.len() <= most, "{} entries, and one call may have {most}", entries.len());
    for entry in entries {
        assert!(entry.port.is_none_or(|port| port > 0), "{entry:?}");
        assert!(entry.weight.is_none_or(|weight| (1..=100).contains(&weight)), "{entry:?}");
    }
}

fn distinct(add: &AddBackends) {
    for (at, backend) in add.backends.iter().enumerate() {
        let earlier = &add.backends[..at];
        assert!(!earlier.iter().any(|earlier| earlier.same_entry(backend)), "{backend} stands there twice");
    }
}

/// What has been read is what its own cloud's egress writes, one backend at a time.
fn reads_back(id: &str, add: &AddBackends) {
    let (provider, cloud) = clouds::cloud(id);
    for backend in &add.backends {
        let one = AddBackends { group: add.group.clone(), backends: vec![backend.clone()] };
        let step = Operation::AddBackends(one);
        let written = provider.egress.write_call(&step, cloud).expect("a cloud has words for what it says");
        let pairs: Vec<_> = written.params.iter().map(|param| (&*param.name, &*param.value)).collect();
        let asked = provider.ingress.read(&arrival(id, &written.action, &pairs), cloud);
        assert_eq!(asked.expect("it reads back").operation, step, "it reads back as it was");
    }
}

/// Where the text is plain JSON, nothing of it is left out and nothing added.
fn as_the_text_says(entries: &[Entry], text: &str) {
    let Ok(items) = serde_json::from_str::<Vec<Map<String, Value>>>(text) else { return };
    let ports: Vec<Option<u16>> = items.iter().map(port_of).collect();
    let read: Vec<Option<u16>> = entries.iter().map(|entry| entry.port).collect();
    assert_eq!(read, ports, "{text}");
}

fn port_of(item: &Map<String, Value>) -> Option<u16> {
    let (_, port) = item.iter().find(|(name, _)| name.eq_ignore_ascii_case("Port"))?;
    match port {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => format!("{}", number.as_f64()?).parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}
