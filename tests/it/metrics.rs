//! What `/metrics` tells, and that what reads such things can read it.

use std::{
    collections::BTreeSet,
    io::Write,
    net::TcpStream,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use http::{HeaderValue, Method, header};
use serde_json::{Value, json};
use weighbridge::wire::{Call, read_request};

use crate::{
    sdk::install,
    support::{
        admin::{Admin, value},
        fixture,
        house::Clouds,
        install::are_skipped,
        program::{announce, run},
        served::{PATIENCE, Served, send, weighbridge},
        signer::{ACS3, SHA1, Signer, V1},
        site::{Site, config_of},
    },
};

const RSP: &str = "Action=AddVServerGroupBackendServers&RegionId=cn-hangzhou&VServerGroupId=rsp-cige6j5e7p";
const VSERVER: &str = "Region=cn-bj2&ULBId=ulb-abc123&VServerId=vserver-def456";

/// A gateway that has seen a bit of everything.
struct Life {
    admin: Admin,
    served: Served,
    _clouds: Clouds,
    site: Site,
}

impl Life {
    fn led() -> Self {
        let clouds = Clouds::open(Duration::from_millis(30));
        let text = config_of(&clouds)
            .replace("target = \"aliyun-simulated\"", "target = \"aliyun-simulated\"\non_loss = \"report\"");
        let site = Site::with(&format!("admin = \"127.0.0.1:0\"\nstore = \"memory\"\n{text}"));
        let served = Served::start(&mut weighbridge(&["--log", "json", "serve", "--config", &site.config()]));
        let admin = Admin::of(&served);
        let life = Self { admin, served, _clouds: clouds, site };
        life.ask(
            ACS3,
            &format!(
                "{RSP}&BackendServers=[{{'ServerId':'i-bp1example00000001','Port':80,'Description':'blue'}}]"
            ),
            1,
        );
        life.ask(
            V1,
            &format!("{RSP}&BackendServers=[{{'ServerId':'i-bp1example00000001','Port':81,'Weight':101}}]"),
            1,
        );
        life.ask(Signer { secret: "wrong", ..V1 }, RSP, 1);
        life.ask(V1, "Action=DescribeRegions", 2);
        life.ask(V1, "Action=Frobnicate", 1);
        life.ask(V1, "Action=Frobnicate2", 1);
        life.ask(SHA1, &format!("Action=AllocateBackend&{VSERVER}&ResourceId=uhost-demo02&ResourceType=UHost&Port=80&IsBackup=1"), 1);
        life.ask(
            SHA1,
            &format!("Action=AllocateBackend&{VSERVER}&ResourceId=uhost-nowhere&ResourceType=UHost&Port=80"),
            1,
        );
        send(read_request(&format!("http://{}/robots.txt", life.served.endpoint)).unwrap());
        life
    }

    /// A reload that is refused has a series of its own.
    fn spoil_the_config(&self) {
        self.site.write("weighbridge.toml", "");
        self.served.program.signal("HUP");
        self.admin.wait_for_reloads((0, 1));
    }

    /// Sends one request, so often.
    fn ask(&self, signer: Signer, query: &str, times: usize) {
        let call = read_request(&signer.curl_line(&self.served.endpoint, query)).unwrap();
        for _ in 0..times {
            send(call.clone());
        }
    }
}

#[test]
fn what_happened_is_counted_by_dialect_action_and_outcome() {
    let life = Life::led();
    let scrape = life.admin.text("/metrics");
    let requests = |dialect: &str, action: &str, outcome: &str| {
        format!(
            "weighbridge_requests_total{{dialect=\"{dialect}\",action=\"{action}\",outcome=\"{outcome}\"}}"
        )
    };
    for (series, wanted) in [
        (requests("aliyun", "AddVServerGroupBackendServers", "done"), 1),
        (requests("aliyun", "AddVServerGroupBackendServers", "invalid-weight"), 1),
        (requests("aliyun", "AddVServerGroupBackendServers", "signature-mismatch"), 1),
        (requests("aliyun", "DescribeRegions", "done"), 1),
        (requests("aliyun", "DescribeRegions", "nonce-used"), 1),
        (requests("aliyun", "other", "unknown-action"), 2),
        (requests("ucloud", "AllocateBackend", "done"), 1),
        (requests("ucloud", "AllocateBackend", "unknown-server"), 1),
        (requests("none", "other", "unrecognised"), 1),
        ("weighbridge_replays_refused_total{dialect=\"aliyun\"}".to_owned(), 1),
        ("weighbridge_losses_total{dialect=\"ucloud\",field=\"standby\"}".to_owned(), 1),
        ("weighbridge_upstream_calls_total{target=\"ucloud-simulated\",code=\"ok\"}".to_owned(), 1),
        ("weighbridge_upstream_calls_total{target=\"aliyun-simulated\",code=\"ok\"}".to_owned(), 1),
        ("weighbridge_requests_in_flight".to_owned(), 0),
        ("weighbridge_store_up".to_owned(), 1),
        ("weighbridge_config_good".to_owned(), 1),
        ("weighbridge_request_seconds_count{dialect=\"aliyun\"}".to_owned(), 7),
        ("weighbridge_request_seconds_count{dialect=\"ucloud\"}".to_owned(), 2),
    ] {
        assert_eq!(value(&scrape, &series), Some(wanted), "{series}\n{scrape}");
    }
}

#[test]
fn time_at_the_target_is_not_time_in_the_gateway() {
    let life = Life::led();
    let scrape = life.admin.text("/metrics");
    let sum = |name: &str, label: &str| {
        value::<f64>(&scrape, &format!("weighbridge_{name}_seconds_sum{{{label}}}")).unwrap()
    };
    let upstream = sum("upstream", "target=\"aliyun-simulated\"");
    let (whole, own) = (sum("request", "dialect=\"ucloud\""), sum("gateway", "dialect=\"ucloud\""));
    assert!(upstream >= 0.03, "the target takes 30 ms: {upstream}");
    assert!(own > 0.0 && whole - own >= 0.03, "{whole} is {own} of its own, and the target's");
}

/// Strict: `prometheus_client` refuses what the formats' specifications do not allow.
#[test]
fn both_formats_pass_a_strict_parser() {
    if are_skipped() {
        announce("skipped: the parser of Prometheus metrics, because WEIGHBRIDGE_SKIP_SDK=1 is set");
        return;
    }
    let life = Life::led();
    life.spoil_the_config();
    let openmetrics = "application/openmetrics-text; version=1.0.0";
    for (accept, content_type) in [
        ("text/plain", "text/plain; version=0.0.4; charset=utf-8"),
        (openmetrics, "application/openmetrics-text; version=1.0.0; charset=utf-8"),
    ] {
        let reply = life.admin.get_as("/metrics", accept);
        assert_eq!(reply.header("content-type"), Some(content_type));
        let mut parser = Command::new(install::python());
        parser.arg("-I").arg(fixture("sdk/parse_metrics.py")).arg(if accept == openmetrics {
            "openmetrics"
        } else {
            "text"
        });
        let scrape = String::from_utf8(reply.body.to_vec()).unwrap();
        let ended = run(&mut parser, &scrape, PATIENCE);
        assert_eq!(ended.code, Some(0), "{}\n{scrape}", ended.err);
        let families: Vec<Value> = serde_json::from_str(&ended.out).unwrap();
        let told = include_str!("../../README.md")
            .lines()
            .filter(|line| line.starts_with("| `weighbridge_"))
            .count();
        assert_eq!(families.len(), told, "{}", ended.out);
        let own =
            families.iter().filter(|family| family["name"].as_str().unwrap().starts_with("weighbridge_"));
        assert_eq!(own.count(), families.len());
        let untold = families
            .iter()
            .filter(|family| family["type"] == json!("unknown") || family["help"] == json!(""));
        assert_eq!(untold.count(), 0, "{}", ended.out);
    }
}

/// The families of a scrape, each with the labels of its series.
pub fn families(scrape: &str) -> BTreeSet<(String, BTreeSet<String>)> {
    let names = scrape.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
    let labels = |family: &str| {
        let own = |line: &&str| {
            let name = line.split(['{', ' ']).next().unwrap_or_default();
            [family.to_owned(), format!("{family}_sum")].iter().any(|own| own == name)
        };
        let inside = |line: &str| {
            line.split_once('{')
                .and_then(|(_, rest)| rest.split_once('}'))
                .map(|(inside, _)| inside.to_owned())
        };
        let pairs = scrape.lines().filter(own).filter_map(inside).flat_map(|inside| {
            inside
                .split("\",")
                .map(|pair| pair.split('=').next().unwrap_or_default().to_owned())
                .collect::<Vec<_>>()
        });
        pairs.filter(|label| !label.is_empty()).collect()
    };
    names.map(|name| (name.to_owned(), labels(name))).collect()
}

#[test]
fn every_series_is_in_the_readme_with_its_labels_and_nothing_else_is() {
    let life = Life::led();
    life.spoil_the_config();
    let shown = families(&life.admin.text("/metrics"));
    let readme = include_str!("../../README.md");
    let row = |line: &str| {
        let mut cells = line.strip_prefix("| `weighbridge_")?.split('|');
        let (name, labels) = (cells.next()?.trim().trim_end_matches('`'), cells.next()?);
        let labels = labels.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        Some((format!("weighbridge_{name}"), labels))
    };
    let told: BTreeSet<(String, BTreeSet<String>)> = readme.lines().filter_map(row).collect();
    assert_eq!(shown, told, "the table of the README and /metrics tell the same");
}

#[test]
fn a_request_is_one_line_of_the_log() {
    let life = Life::led();
    // What is only supposed is no request.
    let mut explain = life.admin.call("/explain");
    explain.method = Method::POST;
    explain.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    explain.body = format!(
        "https://slb.aliyuncs.com/?{RSP}&BackendServers=[{{'ServerId':'i-bp1example00000001','Port':80}}]"
    )
    .into();
    assert_eq!(send(explain).status, 200);
    let log = life.served.stop().err;
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|line| line["fields"]["message"] == "request")
        .collect();
    assert_eq!(lines.len(), 10, "one line for each of ten requests\n{log}");
    let add = &lines[0]["fields"];
    for (field, wanted) in [
        ("dialect", json!("aliyun")),
        ("action", json!("AddVServerGroupBackendServers")),
        ("client", json!("demo-aliyun")),
        ("target_name", json!("ucloud-simulated")),
        ("outcome", json!("done")),
        ("status", json!(200)),
        ("losses", json!("")),
    ] {
        assert_eq!(add[field], wanted, "{field}: {add}");
    }
    let times =
        ["took_ms", "gateway_ms", "upstream_ms", "waiting_ms"].map(|name| add[name].as_f64().unwrap());
    assert!((times[0] - times[1] - times[2] - times[3]).abs() < 0.01, "{times:?}");
    assert_eq!(add["id"].as_str().unwrap().len(), 36, "{add}");
    let calls = add["calls"].as_str().unwrap();
    assert!(calls.starts_with("ucloud-simulated AllocateBackend done "), "{calls}");
    assert_eq!(calls.split(' ').nth(3).map(str::len), Some(36), "the target's own id: {calls}");
    let lost = &lines[7]["fields"];
    assert!(lost["losses"].as_str().unwrap().starts_with("standby="), "{lost}");
    assert_eq!(lines[7]["level"], "WARN");
    let refused = &lines[8]["fields"];
    assert_eq!((&refused["outcome"], &refused["status"]), (&json!("unknown-server"), &json!(200)));
    assert!(refused["detail"].as_str().unwrap().contains("uhost-nowhere"), "{refused}");
}

/// Who hangs up stops nothing, so what becomes of it is told all the same.
#[test]
fn a_request_whose_caller_has_hung_up_is_a_line_too() {
    let clouds = Clouds::open(Duration::from_millis(500));
    let site = Site::with(&format!("store = \"memory\"\n{}", config_of(&clouds)));
    let served = Served::start(&mut weighbridge(&["--log", "json", "serve", "--config", &site.config()]));
    let query = format!("{RSP}&BackendServers=[{{'ServerId':'i-bp1example00000001','Port':80}}]");
    let Call { path, query, .. } = read_request(&V1.curl_line(&served.endpoint, &query)).unwrap();
    let mut stream = TcpStream::connect(&served.endpoint).unwrap();
    write!(stream, "POST {path}?{query} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n").unwrap();
    let patience = Instant::now() + PATIENCE;
    while clouds.calls("ucloud-simulated") == 0 {
        assert!(Instant::now() < patience, "the target is asked");
        thread::sleep(Duration::from_millis(5));
    }
    drop(stream);
    let line = |line: &str| {
        serde_json::from_str::<Value>(line).ok().filter(|line| line["fields"]["message"] == "request")
    };
    let told = served.program.hear_err(PATIENCE, |log| log.lines().find_map(line));
    let told = &told["fields"];
    assert_eq!((&told["outcome"], &told["status"]), (&json!("done"), &Value::Null), "{told}");
    assert_eq!(clouds.held("ucloud-simulated", "vserver-def456").len(), 1);
}
