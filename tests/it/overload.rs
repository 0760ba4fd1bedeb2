//! More than fits: floods from outside, and a caller who does not wait for the answer.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime::Runtime,
    time::{sleep, timeout},
};
use weighbridge::{http::Client, wire::read_request};

use crate::support::{
    house::Clouds,
    served::{PATIENCE, Served},
    signer::ACS3,
    site::{Site, config, config_of},
};

/// Several times what those take who are let in, and a fraction of what all would take who are not.
const ROOM: usize = 24 << 20;

#[test]
fn two_thousand_connections_take_no_more_memory_than_those_that_are_held() {
    let (_site, served) = limited("max_connections = 16\nheader_timeout = \"500ms\"");
    let unfinished = format!("GET /?{} HTTP/1.1\r\nA: {}", "x".repeat(60_000), "x".repeat(60_000));
    let before = peak(&served);
    let answers: Vec<String> = (0..8).flat_map(|_| flood(&served.endpoint, 250, &unfinished)).collect();
    for status in ["HTTP/1.1 408 ", "HTTP/1.1 503 "] {
        assert!(answers.iter().any(|answer| answer.starts_with(status)), "{answers:?}");
    }
    let most = peak(&served);
    assert!(most < before + ROOM, "{before} to {most}");
    let whole = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let found = |answers: &[String]| answers.iter().any(|answer| answer.contains("UnrecognisedRequest"));
    Runtime::new().unwrap().block_on(until(|| found(&flood(&served.endpoint, 1, whole))));
    assert_eq!(served.stop().code, Some(0));
}

#[test]
fn headers_without_end_take_no_more_memory_than_those_that_fit() {
    let (_site, served) = limited("");
    let endless = format!("GET / HTTP/1.1\r\nA: {}", "x".repeat(2_000_000));
    let before = peak(&served);
    let answers: Vec<String> = (0..4).flat_map(|_| flood(&served.endpoint, 50, &endless)).collect();
    assert!(answers.iter().any(|answer| answer.starts_with("HTTP/1.1 431 ")), "{answers:?}");
    let most = peak(&served);
    assert!(most < before + ROOM, "{before} to {most}");
    assert_eq!(served.stop().code, Some(0));
}

#[test]
fn a_caller_who_hangs_up_in_the_middle_of_twenty_leaves_none_of_them_undone() {
    let (clouds, _site, served) = hung_up_in_the_middle();
    clouds.wait(until(|| clouds.held(CLOUD, "vserver-def456").len() == 20));
    assert_eq!(served.stop().code, Some(0));
}

#[test]
fn a_stop_waits_for_what_a_caller_who_hung_up_has_left() {
    let (clouds, _site, served) = hung_up_in_the_middle();
    assert_eq!(served.stop().code, Some(0));
    assert_eq!(clouds.held(CLOUD, "vserver-def456").len(), 20);
}

/// A gateway in the middle of an add of twenty, whose caller has just gone.
fn hung_up_in_the_middle() -> (Clouds, Site, Served) {
    let clouds = Clouds::open(Duration::from_millis(300));
    let site = Site::with(&config_of(&clouds));
    let served = Served::by(&site.config());
    let servers: Vec<String> =
        (1..=20).map(|at| format!("{{'ServerId':'i-bp1example00000001','Port':{}}}", 8000 + at)).collect();
    let query = format!("{ADD}&BackendServers=[{}]", servers.join(","));
    let call = read_request(&ACS3.curl_line(&served.endpoint, &query)).unwrap();
    clouds.wait(async {
        let client = Client::new(None).unwrap();
        tokio::select! {
            reply = client.send(call, PATIENCE, 1 << 20) => panic!("{reply:?} came before the caller hung up"),
            () = until(|| clouds.calls(CLOUD) > 0) => {}
        }
    });
    (clouds, site, served)
}

const ADD: &str = "Action=AddVServerGroupBackendServers&Version=2014-05-15&VServerGroupId=rsp-cige6j5e7p&RegionId=cn-hangzhou";
const CLOUD: &str = "ucloud-simulated";

/// A gateway with these limits before targets that nobody calls.
fn limited(limits: &str) -> (Site, Served) {
    let text = config("http://127.0.0.1:1", "http://127.0.0.1:1");
    let site = Site::with(&format!("{text}\n[limits]\n{limits}\n"));
    let served = Served::by(&site.config());
    (site, served)
}

/// Says this on `count` connections at once; what is answered on each until its end.
fn flood(endpoint: &str, count: usize, said: &str) -> Vec<String> {
    let one = async || {
        let mut stream = TcpStream::connect(endpoint).await.unwrap();
        let mut answer = Vec::new();
        // Whoever is turned away may find the connection closed at either step.
        let _closed = stream.write_all(said.as_bytes()).await;
        let _closed = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    };
    let all = async { timeout(PATIENCE, join_all((0..count).map(|_| one()))).await.unwrap() };
    std::thread::scope(|scope| scope.spawn(|| Runtime::new().unwrap().block_on(all)).join().unwrap())
}

async fn until(done: impl Fn() -> bool) {
    let waiting = async {
        while !done() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, waiting).await.expect("it comes to that");
}

/// The most memory that a process has had so far, in bytes; nothing where the system does not tell.
fn peak(served: &Served) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", served.program.id())).unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    peak.map_or(0, |kib| kib.parse::<usize>().unwrap() * 1024)
}
