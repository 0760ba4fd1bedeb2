//! How much fits: into a request line, into headers, into a body, into one call.

use serde_json::Value;
use weighbridge::wire::Call;

use crate::support::{
    caller::{aliyun_add, in_form, in_json, in_query, pairs, plain_signed, rpc_signed, told, ucloud_add},
    outpost::Outpost,
    rows::refused,
    signing::{Pairs, encoded},
    target::{Answers, param_of, signature_problem},
};

#[tokio::test]
async fn a_request_line_may_have_65000_bytes() {
    let outpost = Outpost::open(&[], Answers::Yes).await;
    for pad_first in [true, false] {
        let reply = outpost.ask(&aliyun_line(65_000, pad_first)).await;
        assert_eq!(reply.status, 200, "{:?}", reply.body);
        assert_eq!(outpost.target.take_calls().len(), 1);
        for length in [65_001, 65_533, 65_534, 65_535, 65_536, 70_000, 200_000] {
            let reply = outpost.ask(&aliyun_line(length, pad_first)).await;
            refused(&reply, "414 InvalidParameter", &["65000"])
                .unwrap_or_else(|error| panic!("{length}: {error}"));
            let reply = outpost.ask(&ucloud_line(length, pad_first)).await;
            refused(&reply, "200 2*", &["65000"]).unwrap_or_else(|error| panic!("{length}: {error}"));
        }
        assert!(outpost.target.take_calls().is_empty());
    }
}

#[tokio::test]
async fn a_body_may_have_262144_bytes() {
    let outpost = Outpost::open(&[], Answers::Yes).await;
    let reply = outpost.ask(&aliyun_body(262_144)).await;
    assert_eq!(reply.status, 200, "{:?}", reply.body);
    assert_eq!(outpost.target.take_calls().len(), 1);
    for length in [262_145, 1_000_000, 5_000_000] {
        let reply = outpost.ask(&aliyun_body(length)).await;
        refused(&reply, "413 InvalidParameter", &["262144"])
            .unwrap_or_else(|error| panic!("{length}: {error}"));
        let reply = outpost.ask(&ucloud_body(length)).await;
        refused(&reply, "200 2*", &["262144"]).unwrap_or_else(|error| panic!("{length}: {error}"));
    }
    let within = outpost.ask(&ucloud_body(262_144)).await;
    refused(&within, "200 230", &["Pad"]).unwrap();
    assert!(outpost.target.take_calls().is_empty());
}

#[tokio::test]
async fn headers_may_have_65536_bytes() {
    let outpost = Outpost::open(&[], Answers::Yes).await;
    for (length, status) in [(65_536, 200), (65_537, 431), (1_000_000, 431)] {
        let reply = outpost.ask(&aliyun_headers(length)).await;
        assert_eq!(reply.status, status, "{length}: {:?}", reply.body);
        assert_eq!(outpost.target.take_calls().len(), usize::from(status == 200));
    }
}

#[tokio::test]
async fn a_body_that_is_cut_inside_of_a_character_still_says_whose_language_it_is() {
    let outpost = Outpost::open(&[], Answers::Yes).await;
    for shift in ["", "x", "xx"] {
        let body = format!(r#"{{"Action":"AllocateBackend","ProjectId":"{shift}{}""#, "后".repeat(100_000));
        let reply = outpost.ask(&in_json(&body)).await;
        refused(&reply, "200 2*", &["262144"]).unwrap_or_else(|error| panic!("after {shift:?}: {error}"));
    }
}

#[tokio::test]
async fn forty_servers_travel_in_one_url() {
    let outpost = Outpost::open(&[], Answers::Yes).await;
    let description = "后".repeat(80);
    let items: Vec<String> = (0..40)
        .map(|n| {
            format!(
                r#"{{"ServerId":"i-bp1example00000001","Port":{},"Description":"{description}"}}"#,
                8000 + n
            )
        })
        .collect();
    let request = in_query("GET", &rpc_signed("GET", &aliyun_add(&format!("[{}]", items.join(",")))));
    assert!((14_000..39_000).contains(&request.len()), "{}", request.len());
    let reply = outpost.ask(&request).await;
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    let added = body["BackendServers"]["BackendServer"].as_array().unwrap_or_else(|| panic!("{body}"));
    assert!(
        added.len() == 40 && added.iter().all(|server| server["Description"] == description.as_str()),
        "{body}"
    );
    let ports: Vec<String> =
        outpost.target.take_calls().iter().filter_map(|call| param_of(call, "Port")).collect();
    assert_eq!(ports, (8000..8040).map(|port| port.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn forty_servers_of_a_batch_are_two_calls_and_none_is_added_before_the_group_was_looked_at() {
    let outpost = Outpost::open(&[], Answers::Yes).await;
    let mut params = pairs(&[
        ("Action", "AllocateBackendBatch"),
        ("Region", "cn-bj2"),
        ("ULBId", "ulb-abc123"),
        ("VServerId", "vserver-def456"),
    ]);
    params
        .extend((0..40).map(|n| (format!("Backends.{n}"), format!("uhost-a|UHost|{}|1|10.0.0.1", 8000 + n))));
    let reply = outpost.ask(&in_form("", &plain_signed(&params))).await;
    assert_eq!(told(&reply).code, "200 0", "{:?}", reply.body);
    let counts: Vec<usize> = outpost.target.take_calls().iter().map(listed).collect();
    assert_eq!(counts, [0, 20, 20]);
}

#[tokio::test]
async fn a_list_that_is_too_long_for_a_query_reaches_the_target_whole_and_signed() {
    let description = "后".repeat(80);
    let items: Vec<String> = (0..20)
        .map(|n| {
            format!(
                r#"{{"ServerId":"i-1","Port":"{}","Weight":"7","Type":"ecs","Description":"{description}"}}"#,
                8000 + n
            )
        })
        .collect();
    let list = format!("[{}]", items.join(","));
    for scheme in ["acs3", "v1"] {
        let signature = format!("signature   = \"{scheme}\"");
        let changes = [
            ("target  = \"ucloud-prod\"", "target  = \"aliyun-prod\""),
            ("signature   = \"acs3\"", signature.as_str()),
        ];
        let outpost = Outpost::open(&changes, Answers::Yes).await;
        let reply = outpost.ask(&in_query("GET", &rpc_signed("GET", &aliyun_add(&list)))).await;
        assert_eq!(told(&reply).code, "200 0", "{:?}", reply.body);
        let [call] = <[Call; 1]>::try_from(outpost.target.take_calls()).unwrap();
        let document = |text: &str| -> Value { serde_json::from_str(text).unwrap() };
        assert_eq!(document(&param_of(&call, "BackendServers").unwrap()), document(&list));
        assert_eq!(signature_problem(&call), None);
    }
}

/// How many servers a call lists.
fn listed(call: &Call) -> usize {
    let list: Option<Value> =
        param_of(call, "BackendServers").and_then(|list| serde_json::from_str(&list).ok());
    list.and_then(|list| Some(list.as_array()?.len())).unwrap_or_default()
}

/// A signed GET whose request line has `length` bytes, by a parameter that nobody knows.
fn aliyun_line(length: usize, pad_first: bool) -> Vec<u8> {
    let list = r#"[{"ServerId":"i-bp1example00000001","Port":80}]"#;
    line(length, pad_first, &aliyun_add(list), |params| rpc_signed("GET", params))
}

fn ucloud_line(length: usize, pad_first: bool) -> Vec<u8> {
    line(length, pad_first, &ucloud_add(), plain_signed)
}

fn line(length: usize, pad_first: bool, params: &Pairs, sign: impl Fn(&Pairs) -> Pairs) -> Vec<u8> {
    let request = |pad: usize| {
        let pad = ("Pad".to_owned(), "x".repeat(pad));
        let mut signed = sign(&[params.clone(), vec![pad.clone()]].concat());
        signed.retain(|(name, _)| name != "Pad");
        signed.insert(if pad_first { 0 } else { signed.len() }, pad);
        in_query("GET", &signed)
    };
    let line_of = |request: &[u8]| request.iter().position(|byte| *byte == b'\r').unwrap();
    let pad = length - line_of(&request(0));
    // A signature has one length, but not once it is encoded; the next one may fit.
    (0..1000).map(|_| request(pad)).find(|request| line_of(request) == length).expect("a line of this length")
}

/// A signed GET whose headers have `length` bytes, the empty line at their end counted.
fn aliyun_headers(length: usize) -> Vec<u8> {
    let list = r#"[{"ServerId":"i-bp1example00000001","Port":80}]"#;
    let request = in_query("GET", &rpc_signed("GET", &aliyun_add(list)));
    let line_end = request.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let (line, headers) = request.split_at(line_end);
    let pad = format!("Pad: {}\r\n", "x".repeat(length - headers.len() - "Pad: \r\n".len()));
    [line, pad.as_bytes(), headers].concat()
}

/// A signed POST whose form has `length` bytes.
fn aliyun_body(length: usize) -> Vec<u8> {
    let list = r#"[{"ServerId":"i-bp1example00000001","Port":80}]"#;
    let mut form = pairs(&[("Pad", "")]);
    form[0].1 = "x".repeat(length - "Pad=".len());
    let mut query = rpc_signed("POST", &[aliyun_add(list), form.clone()].concat());
    query.retain(|(name, _)| name != "Pad");
    in_form(&encoded(&query), &form)
}

fn ucloud_body(length: usize) -> Vec<u8> {
    let rest = encoded(&plain_signed(&[ucloud_add(), pairs(&[("Pad", "")])].concat())).len();
    let pad = "x".repeat(length - rest);
    in_form("", &plain_signed(&[ucloud_add(), pairs(&[("Pad", &pad)])].concat()))
}
