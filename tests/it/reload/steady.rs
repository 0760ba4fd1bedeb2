//! A hundred reloads, twenty of them bad, under callers who never stop.

use std::{
    fmt::Write,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use super::Bench;
use crate::{
    sdk::driver::Sdk,
    support::{admin::Admin, demo_config_with, house::Clouds, program::announce, served::Served, site::Site},
};

const RELOADS: usize = 100;
/// Every fifth is bad.
const BAD_EVERY: usize = 5;

/// Two maps of the same ids: what one calls the first group and the first server is the second of both to the other.
fn map(version: usize) -> String {
    let mut text = String::new();
    for (at, there) in [(0, version % 2), (1, 1 - version % 2)] {
        let group = ["vserver-one", "vserver-two"][there];
        let server = ["uhost-one", "uhost-two"][there];
        writeln!(
            text,
            "[[group]]\naliyun = {{ load_balancer = \"lb-a\", group = \"rsp-{at}\", region = \"cn-hangzhou\" }}\n\
             ucloud = {{ load_balancer = \"ulb-u\", group = \"{group}\", project = \"org-abc123\", region = \"cn-bj2\" }}\n\
             [[server]]\naliyun = \"i-{at}\"\nucloud = \"{server}\""
        )
        .unwrap();
    }
    text
}

/// What is wrong with a bad reload: of the config, of the map, of a file that it names, of a mapping.
fn spoil(bench: &Bench, at: usize, version: usize) {
    match at / BAD_EVERY % 4 {
        0 => bench.write(&bench.text().replace("[[clients]]", "[[clients]")),
        1 => drop(bench.site.write("resources.toml", &map(version).replace("uhost-two", "uhost-one"))),
        2 => bench.write(&bench.text().replace("\"demo-aliyun-secret\"", "\"file:nowhere.txt\"")),
        _ => bench.write(&bench.text().replace("admin =", "mappings = \"nowhere\"\nadmin =")),
    }
}

/// Asks until it is told to stop; how often.
fn keep_asking(sdk: Sdk, stop: &AtomicBool, job: impl Fn(usize) -> Value) -> usize {
    let Some(driver) = sdk.driver() else { return 0 };
    let mut session = driver.session();
    let mut asked = 0;
    while !stop.load(Ordering::Relaxed) {
        let job = job(asked);
        let told = session.told(&job);
        assert!(told.is_ok(), "{sdk:?}: {job}: {told:?}");
        asked += 1;
    }
    asked
}

fn reload_often(bench: &Bench, served: &Served, admin: &Admin) {
    let (mut good, mut bad) = (0, 0);
    for at in 1..=RELOADS {
        bench.write(&bench.text());
        bench.site.write("resources.toml", &map(at));
        if at % BAD_EVERY == 0 {
            spoil(bench, at, at);
            bad += 1;
        } else {
            good += 1;
        }
        served.program.signal("HUP");
        wait_for(admin, good, bad);
    }
}

/// At least so many: files that change on their way are seen without being asked for, too.
fn wait_for(admin: &Admin, good: u64, bad: u64) {
    for _ in 0..1500 {
        let reloads = admin.reloads();
        if reloads.0 >= good && reloads.1 >= bad {
            return;
        }
        thread::sleep(Duration::from_millis(20));
    }
    panic!("{:?} are not {good} and {bad}", admin.reloads());
}

#[test]
fn a_hundred_reloads_under_steady_load_fail_no_request_and_show_none_two_versions() {
    let everything = map(0);
    let bench =
        Bench { clouds: Clouds::of(demo_config_with(&everything), Duration::ZERO), site: Site::with("") };
    bench.write(&bench.text());
    bench.site.write("resources.toml", &map(0));
    let (served, admin) = bench.serve();
    let (stop, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
    let endpoint = served.endpoint.clone();
    // A group holds 200 backends, so most of what is asked is a read.
    let change = |at: usize| {
        let mut job = json!({"endpoint": endpoint, "key_id": "demo-aliyun", "secret": "demo-aliyun-secret",
                             "region": "cn-hangzhou", "group": "rsp-0"});
        if at.is_multiple_of(4) && at < 1200 {
            job["backends"] = json!([{"ServerId": "i-0", "Port": 1000 + at, "Weight": 50}]);
        } else {
            job["call"] = "DescribeVServerGroupAttribute".into();
            job["params"] = json!({"VServerGroupId": "rsp-0", "RegionId": "cn-hangzhou"});
        }
        job
    };
    let read = |_| {
        json!({"endpoint": endpoint, "key_id": "demo-ucloud", "secret": "demo-ucloud-secret", "region": "cn-bj2",
               "project": "org-abc123", "call": "DescribeVServer",
               "params": {"ULBId": "ulb-u", "VServerId": "vserver-one"}})
    };
    thread::scope(|scope| {
        let (stop, asked) = (&stop, &asked);
        scope.spawn(move || asked.fetch_add(keep_asking(Sdk::Tea, stop, change), Ordering::Relaxed));
        scope.spawn(move || asked.fetch_add(keep_asking(Sdk::Ucloud, stop, read), Ordering::Relaxed));
        let reloaded =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| reload_often(&bench, &served, &admin)));
        stop.store(true, Ordering::Relaxed);
        reloaded.unwrap();
    });
    let asked = asked.into_inner();
    announce(&format!("{RELOADS} reloads under {asked} requests of the vendors' SDKs"));
    for (group, server) in [("vserver-one", "uhost-one"), ("vserver-two", "uhost-two")] {
        let held = bench.clouds.held("ucloud-simulated", group);
        assert!(asked == 0 || !held.is_empty(), "both versions have served adds");
        for held in held {
            assert_eq!(
                held.server, server,
                "a request saw the groups of one version and the servers of another"
            );
        }
    }
    let scrape = admin.text("/metrics");
    let failed: Vec<&str> = scrape
        .lines()
        .filter(|line| line.starts_with("weighbridge_requests_total{") && !line.contains("outcome=\"done\""))
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
}
