//! `weighbridge explain`: the same code as `serve`, and nothing is sent.

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;
use weighbridge::wire::{Params, read_request};

use super::{ALIBABA_PAGE, RSP, VSERVER, text_of};
use crate::support::{
    house::Clouds,
    program::{Ended, run},
    served::{PATIENCE, Served, ended, send, weighbridge},
    signer::{ACS3, SHA1, Signer, V1},
    site::{Site, config},
    tap::{Tap, Tapped},
};

/// "Request Example" — AllocateBackend. The space after `uhost-XXXX` is the page's.
const UCLOUD_PAGE: &str = "https://api.scloudsg.com/?Action=AllocateBackend
&Region=cn-bj2
&ProjectId=project-XXXXX
&ULBId=ulb-XXXXX
&VServerId=vserver-XXXXX
&ResourceType=UHost
&ResourceId=uhost-XXXX 
&Port=80
&Enabled=1
&Weight=4
&IsBackup=4
&ResourceIP=ELVhVVux
&VPCId=qFbjvNJn
&SubnetId=DKBOyKER
";

#[test]
fn explain_reads_the_alibaba_page_as_printed() {
    let plain = ended(&["explain", ALIBABA_PAGE]);
    assert_eq!(plain.code, Some(0), "{}{}", plain.out, plain.err);
    for said in
        ["AllocateBackend", "ResourceId=uhost-vm231", "Port=70", "Weight=100", "VServerId=vserver-def456"]
    {
        assert!(plain.out.contains(said), "{said}\n{}", plain.out);
    }
    let Ended { code, out, err } = run(&mut weighbridge(&["explain", "--json"]), ALIBABA_PAGE, PATIENCE);
    assert_eq!(code, Some(0), "{err}");
    let explained: Value = serde_json::from_str(&out).unwrap();
    let servers = ["uhost-vm233", "uhost-vm232", "uhost-vm231"];
    let calls = explained["calls"].as_array().unwrap();
    let added = calls.iter().map(|call| &call["params"]["ResourceId"]).filter(|id| !id.is_null());
    assert_eq!(added.collect::<Vec<_>>(), servers);
    assert_eq!(calls.len(), servers.len() + 1, "what was there before is looked up first");
}

#[test]
fn the_examples_of_explains_help_are_explained() {
    let help = ended(&["explain", "--help"]);
    let quoted =
        |line: &str| Some(line.trim().strip_prefix("weighbridge explain '")?.strip_suffix('\'')?.to_owned());
    let examples: Vec<String> = help.out.lines().filter_map(quoted).collect();
    assert_eq!(examples.len(), 2, "{}", help.out);
    for (example, becomes) in examples.iter().zip(["becomes 1 call of UCloud", "becomes 3 calls of Alibaba"])
    {
        let Ended { code, out, err } = ended(&["explain", example]);
        assert_eq!(code, Some(0), "{example}\n{out}{err}");
        assert!(out.contains(becomes), "{example}\n{out}");
    }
}

/// Its IsBackup is 4, which its own table does not allow.
#[test]
fn explain_shows_the_refusal_of_the_ucloud_page_as_printed() {
    let plain = run(&mut weighbridge(&["explain"]), UCLOUD_PAGE, PATIENCE);
    assert_eq!(plain.code, Some(1), "{}{}", plain.out, plain.err);
    assert!(plain.out.contains("RetCode") && plain.out.contains("IsBackup"), "{}", plain.out);
    let Ended { code, out, err } = ended(&["explain", "--json", UCLOUD_PAGE]);
    assert_eq!(code, Some(1), "{err}");
    let explained: Value = serde_json::from_str(&out).unwrap();
    let message = explained["refused"]["body"]["Message"].as_str().unwrap();
    assert!(message.contains("IsBackup"), "{message}");
}

/// A call to a target: its action, and the parameters that are the action's own.
type Sent = (String, BTreeMap<String, String>);

/// Requests of many kinds, all of them good.
fn requests() -> Vec<(Signer, String)> {
    let batch = (1..=20).map(|at| format!("&Backends.{at}=uhost-demo{at:02}|UHost|80|{}|", at % 2));
    let batch: String = batch.chain(["&Backends.21=uni-demo01|UNI|443|1|".to_owned()]).collect();
    vec![
        (
            ACS3,
            format!(
                "{RSP}&BackendServers=[{{'ServerId':'i-bp1example00000001','Port':'80','Weight':0,'Description':'后端 b'}},\
                 {{'ServerId':'eni-bp1demo01','Port':81,'Type':'eni'}},{{'ServerId':'i-bp1metal01','Port':82,'Weight':7}},\
                 {{'ServerId':'i-bp1address01','Port':83}}]"
            ),
        ),
        (
            V1,
            format!(
                "{RSP}&BackendServers.1.ServerId=eci-bp1demo01&BackendServers.1.Port=84&BackendServers.1.Type=eci"
            ),
        ),
        (V1, RSP.to_owned()),
        (SHA1, format!("Action=AllocateBackend&{VSERVER}&ResourceId=uhost-demo01&Weight=50&Enabled=0")),
        (
            SHA1,
            format!(
                "Action=AllocateBackend&{VSERVER}&ResourceType=IP&ResourceIP=10.0.0.5&VPCId=uvnet-demo\
                 &SubnetId=subnet-demo&Port=81"
            ),
        ),
        (SHA1, format!("Action=AllocateBackendBatch&{VSERVER}{batch}")),
    ]
}

#[test]
fn explain_prints_exactly_the_calls_that_serve_sends() {
    for (signer, query) in requests() {
        let clouds = Clouds::open(Duration::ZERO);
        let taps =
            ["aliyun-simulated", "ucloud-simulated"].map(|name| Tap::before(clouds.origin(name), &clouds));
        let [aliyun, ucloud] = taps.each_ref().map(|tap| format!("http://{}", tap.endpoint));
        let site = Site::with(&config(&aliyun, &ucloud));
        let served = Served::by(&site.config());
        let request = signer.curl_line(&served.endpoint, &query);
        let reply = send(read_request(&request).unwrap());
        assert_eq!(reply.status, 200, "{query}\n{}", text_of(&reply.body));
        let mut explained = explained(&site, &request);
        let mut sent: Vec<Sent> = taps.iter().flat_map(Tap::tapped).map(sent).collect();
        sent.sort();
        explained.sort();
        assert!(!sent.is_empty());
        assert_eq!(explained, sent, "{query}");
    }
}

fn explained(site: &Site, request: &str) -> Vec<Sent> {
    let mut explain = weighbridge(&["explain", "--json", "--config", &site.config()]);
    let Ended { code, out, err } = run(&mut explain, request, PATIENCE);
    assert_eq!(code, Some(0), "{request}\n{out}{err}");
    let explained: Value = serde_json::from_str(&out).unwrap();
    let calls = explained["calls"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    calls
        .map(|call| {
            let params = call["params"].as_object().unwrap().iter();
            (text(&call["action"]), params.map(|(name, value)| (name.clone(), text(value))).collect())
        })
        .collect()
}

/// What authenticates a call stands beside the action's own parameters where the scheme has no headers for it.
fn sent(tapped: Tapped) -> Sent {
    let call = tapped.call;
    let mut params: BTreeMap<String, String> = [call.query.as_str(), &text_of(&call.body)]
        .into_iter()
        .flat_map(|text| Params::decode(text).unwrap())
        .map(|param| (param.name.into(), param.value.into()))
        .collect();
    let in_header = call.header("x-acs-action").map(str::to_owned);
    let action = in_header.or_else(|| params.remove("Action")).expect("an action");
    params.retain(|name, _| !["PublicKey", "Signature"].contains(&name.as_str()));
    (action, params)
}

/// Requests that are refused before anything is sent, each for another reason.
fn refused_requests() -> Vec<(Signer, String)> {
    let server =
        |fields: &str| format!("{RSP}&BackendServers=[{{'ServerId':'i-bp1example00000001',{fields}}}]");
    let allocate =
        |fields: &str| format!("Action=AllocateBackend&{VSERVER}&ResourceId=uhost-demo01&{fields}");
    vec![
        (ACS3, server("'Port':80,'Weight':101")),
        (V1, server("'Port':0")),
        (ACS3, server("'Weight':1")),
        (ACS3, format!("{RSP}&BackendServers=[{{'ServerId':'i-unknown','Port':80}}]")),
        (
            V1,
            format!(
                "{RSP}&BackendServers=[{{'ServerId':'eni-bp1demo01','Port':80,'Type':'eni','ServerIp':'10.0.0.9'}}]"
            ),
        ),
        (V1, format!("{RSP}&BackendServers=nonsense")),
        (ACS3, RSP.replace("rsp-cige6j5e7p", "rsp-unknown")),
        (ACS3, RSP.replace("AddVServerGroupBackendServers", "CreateLoadBalancer")),
        (SHA1, allocate("Weight=0")),
        (SHA1, allocate("IsBackup=1")),
        (SHA1, allocate("Weigh=1")),
        (SHA1, allocate("Port=80").replace("uhost-demo01", "uhost-unknown")),
        (SHA1, allocate("Port=80").replace("vserver-def456", "vserver-unknown")),
        (SHA1, allocate("Port=80").replace("AllocateBackend", "DeleteULB")),
    ]
}

#[test]
fn explain_shows_the_refusal_that_serve_answers() {
    let served = Served::embedded();
    for (signer, query) in refused_requests() {
        let request = signer.curl_line(&served.endpoint, &query);
        let reply = send(read_request(&request).unwrap());
        let Ended { code, out, err } = run(&mut weighbridge(&["explain", "--json"]), &request, PATIENCE);
        assert_eq!(code, Some(1), "{query}\n{err}");
        let refused = &serde_json::from_str::<Value>(&out).unwrap()["refused"];
        let answered: Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!(refused["status"], reply.status.as_u16(), "{query}\n{answered}");
        // The rest is the ids of the two requests.
        for name in ["Code", "RetCode", "Action", "Message", "HostId"] {
            assert_eq!(refused["body"][name], answered[name], "{query}");
        }
    }
}

#[test]
fn explain_reads_a_raw_request_from_standard_input() {
    let request = format!(
        "POST / HTTP/1.1\r\nHost: api.ucloud.cn\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n\
         Action=AllocateBackend&{VSERVER}&ResourceId=uhost-demo01"
    );
    let Ended { code, out, err } = run(&mut weighbridge(&["explain"]), &request, PATIENCE);
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("AddVServerGroupBackendServers") && out.contains("i-bp1example00000001"), "{out}");
}

/// Lines of the tables, blanks counted as one: what the caller says, the model's word, what the target gets or why nothing.
fn table_lines() -> Vec<(String, Vec<&'static str>)> {
    let aliyun = |query: &str| format!("https://slb.aliyuncs.com/?{query}");
    let ucloud = |query: &str| format!("https://api.ucloud.cn/?{query}");
    vec![
        (
            aliyun(&format!(
                "{RSP}&BackendServers=[{{'ServerId':'i-bp1example00000001','Port':80,'Description':'blue'}}]"
            )),
            vec![
                "load balancer ULBId=ulb-abc123",
                "group VServerGroupId=rsp-cige6j5e7p VServerId=vserver-def456",
                "region RegionId=cn-hangzhou Region=cn-bj2",
                "project ProjectId=org-abc123",
                "kind Type=ecs (default) ResourceType=UHost",
                "port Port=80 Port=80",
                "weight Weight=100 (default) Weight=100",
                "description Description=blue (no place for it; the gateway remembers it)",
            ],
        ),
        (
            ucloud(&format!("Action=AllocateBackend&{VSERVER}&ResourceId=uhost-demo01&Weight=50&Enabled=0")),
            vec![
                "project ProjectId=org-abc123 (Alibaba Cloud SLB has none)",
                "weight Weight=50 Weight=0 (the gateway remembers 50)",
                "enabled Enabled=0 (Weight=0 says it)",
                "standby IsBackup=0 (default) (nothing to say there)",
            ],
        ),
        (
            aliyun(
                "Action=SetVServerGroupAttribute&VServerGroupId=rsp-cige6j5e7p&VServerGroupName=x&BackendServers=[{'ServerId':'i-bp1example00000001','Port':80,'Weight':5}]",
            ),
            vec![
                "name VServerGroupName=x VServerName=x",
                "i-bp1example00000001 port 80, changed:",
                "resource ServerId=i-bp1example00000001 BackendId=<BackendId of uhost-demo01 port 80>",
                "port Port=80 (the id says it)",
                "weight Weight=5 Weight=5",
            ],
        ),
        (
            ucloud("Action=DescribeVServer&Region=cn-bj2&ULBId=ulb-abc123&VServerId=vserver-def456&Limit=5"),
            vec!["region Region=cn-bj2 RegionId=cn-hangzhou", "Limit=5 (read by the gateway, not passed on)"],
        ),
        (
            ucloud(&format!("Action=AllocateBackend&{VSERVER}&ResourceId=uhost-demo01&IsBackup=1")),
            vec![
                "resource ResourceId=uhost-demo01 ServerId=i-bp1example00000001",
                "standby IsBackup=1 (REFUSED: Alibaba Cloud SLB has no place for the standby of uhost-demo01 port 80; leave `IsBackup` out, or set on_loss = \"report\" for this client to go on without it)",
            ],
        ),
        (
            ucloud(&format!("Action=AllocateBackend&{VSERVER}&ResourceId=uhost-nope")),
            vec![
                "resource ResourceId=uhost-nope (REFUSED: `ResourceId` is `uhost-nope`, which has no row in the gateway's resource map; add a [[server]] for it to the `resources` file)",
            ],
        ),
    ]
}

#[test]
fn the_tables_tell_where_each_thing_went() {
    for (request, lines) in table_lines() {
        let Ended { out, err, .. } = ended(&["explain", &request]);
        let printed: Vec<String> =
            out.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        for line in lines {
            assert!(printed.iter().any(|printed| printed == line), "{line}\n{out}{err}");
        }
    }
}

#[test]
fn of_twenty_backends_what_is_alike_is_printed_once() {
    let servers: Vec<String> = (0..20)
        .map(|at| format!("{{'ServerId':'i-bp1example0000000{}','Port':{}}}", at % 3 + 1, 80 + at))
        .collect();
    let request = format!("https://slb.aliyuncs.com/?{RSP}&BackendServers=[{}]", servers.join(","));
    let Ended { code, out, err } = ended(&["explain", &request]);
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("all 20 backends:"), "{out}");
    assert_eq!(out.matches("Weight=100 (default)").count(), 1, "{out}");
    assert!(out.contains("21. AllocateBackend, as 20 but ResourceId=uhost-demo02 Port=99"), "{out}");
}
