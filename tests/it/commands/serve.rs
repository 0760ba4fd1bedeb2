//! `weighbridge serve`, and `weighbridge sign` for what it is asked.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use weighbridge::wire::{Call, read_request};

use super::{RSP, VSERVER, text_of};
use crate::support::{
    house::Clouds,
    program::{Ended, Program, announce, is_there, run},
    served::{PATIENCE, Served, ended, send, weighbridge, welcome},
    signer::{ACS3, SHA1, V1},
    site::{Site, config, config_of},
};

#[test]
fn what_sign_prints_is_accepted_by_serve() {
    let served = Served::embedded();
    let add = |at: u32| format!("{RSP}&BackendServers=[{{'ServerId':'i-bp1example0000000{at}','Port':80}}]");
    for (signer, query, success) in [
        (ACS3, add(1), "\"VServerGroupId\":\"rsp-cige6j5e7p\""),
        (V1, add(2), "\"VServerGroupId\":\"rsp-cige6j5e7p\""),
        (V1, format!("{}&Format=XML", add(3)), "<VServerGroupId>rsp-cige6j5e7p</VServerGroupId>"),
        (SHA1, format!("Action=AllocateBackend&{VSERVER}&ResourceId=uhost-demo04"), "\"RetCode\":0"),
    ] {
        let answer = pasted(&signer.curl_line(&served.endpoint, &query));
        assert!(answer.contains(success), "{query}\n{answer}");
    }
    assert_eq!(served.stop().code, Some(0));
}

/// The curl command lines of the welcome screen.
fn curl_lines(welcome: &str) -> Vec<&str> {
    let paragraphs = welcome.split("\n\n");
    paragraphs.filter_map(|paragraph| paragraph.find("curl -sS").map(|at| paragraph.split_at(at).1)).collect()
}

#[test]
fn the_welcome_screen_has_curl_lines_that_work_when_pasted() {
    let served = Served::embedded();
    let welcome = welcome(&served);
    assert!(welcome.contains(&served.endpoint), "{welcome}");
    let answers: Vec<String> = curl_lines(&welcome).into_iter().map(pasted).collect();
    let [aliyun, ucloud] = answers.as_slice() else { panic!("a line for each cloud: {welcome}") };
    assert!(aliyun.contains("\"ServerId\":\"i-bp1example00000001\""), "{aliyun}");
    assert!(ucloud.contains("\"RetCode\":0") && ucloud.contains("\"BackendId\":\"backend-"), "{ucloud}");
    let Ended { code, err, .. } = served.stop();
    assert_eq!(code, Some(0), "{err}");
    assert!(err.lines().last().unwrap().ends_with("stopped"), "{err}");
}

/// The body is on its way when the signal comes: `100 Continue` tells that the request is being read.
#[test]
fn a_request_whose_body_is_on_its_way_is_answered_after_sigterm() {
    let served = Served::embedded();
    let welcome = welcome(&served);
    let Call { body, .. } = read_request(curl_lines(&welcome)[1]).unwrap();
    let mut stream = TcpStream::connect(&served.endpoint).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    write!(stream, "{head}Content-Length: {}\r\nExpect: 100-continue\r\n\r\n", body.len()).unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).unwrap();
    assert_eq!(text_of(&interim), "HTTP/1.1 100 Continue\r\n\r\n");
    served.program.terminate();
    served.program.hear_err(PATIENCE, |log| log.contains("stopping").then_some(()));
    stream.write_all(&body).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("\"RetCode\":0"), "{answer}");
    assert_eq!(served.program.end(PATIENCE).code, Some(0));
}

#[test]
fn a_request_that_waits_for_its_target_is_answered_after_sigterm() {
    let clouds = Clouds::open(Duration::from_millis(1500));
    let site = Site::with(&config_of(&clouds));
    let served = Served::by(&site.config());
    let query = format!("{RSP}&BackendServers=[{{'ServerId':'i-bp1example00000001','Port':80}}]");
    let call = read_request(&ACS3.curl_line(&served.endpoint, &query)).unwrap();
    let waiting = thread::spawn(move || send(call));
    wait_until(|| clouds.calls("ucloud-simulated") == 1);
    served.program.terminate();
    served.program.hear_err(PATIENCE, |log| log.contains("stopping").then_some(()));
    assert!(!waiting.is_finished(), "the signal came while the request was at its target");
    let reply = waiting.join().unwrap();
    assert_eq!(reply.status, 200, "{}", text_of(&reply.body));
    assert_eq!(clouds.held("ucloud-simulated", "vserver-def456").len(), 1);
    let refused = TcpStream::connect(&served.endpoint);
    let Ended { code, err, .. } = served.program.end(PATIENCE);
    assert_eq!(code, Some(0), "{err}");
    assert!(refused.is_err(), "no new connection after the signal");
}

fn wait_until(done: impl Fn() -> bool) {
    let patience = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < patience);
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn plain_http_off_loopback_is_warned_of_by_the_name_of_the_listener() {
    for (listen, warned) in [("0.0.0.0:0", true), ("127.0.0.1:0", false)] {
        let mut command = weighbridge(&["serve", "--listen", listen]);
        let program = Program::start(&mut command, "");
        program.hear_err(PATIENCE, |log| log.contains("listening").then_some(()));
        program.terminate();
        let err = program.end(PATIENCE).err;
        let warning = format!("--listen: requests to {listen} travel in clear");
        assert_eq!(err.contains(&warning), warned, "{err}");
    }
}

#[test]
fn sigint_stops_it_too_and_a_json_log_is_json_throughout() {
    let served = Served::start(&mut weighbridge(&["--log", "json", "serve", "--listen", "127.0.0.1:0"]));
    served.program.signal("INT");
    let Ended { code, out: _, err } = served.program.end(PATIENCE);
    assert_eq!(code, Some(0), "{err}");
    for line in err.lines() {
        assert!(serde_json::from_str::<Value>(line).is_ok(), "{line}");
    }
}

#[test]
fn serve_on_a_taken_port_exits_1_and_says_so() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let site =
        Site::with(&config("http://127.0.0.1:1", "http://127.0.0.1:1").replace("127.0.0.1:0", &address));
    for arguments in [&["serve", "--config", &site.config()][..], &["serve", "--listen", &address]] {
        let Ended { code, out, err } = ended(arguments);
        assert_eq!((code, out.as_str()), (Some(1), ""), "{err}");
        assert!(err.contains(&format!("cannot listen on {address}")), "{err}");
    }
}

/// What a curl command line answers when it is pasted into a shell, or, where there is no curl, when it is sent as read.
fn pasted(curl_line: &str) -> String {
    if !is_there("curl") {
        announce("curl is not there: its command line is read and sent by the gateway's own client");
        return text_of(&send(read_request(curl_line).unwrap()).body);
    }
    let mut shell = Command::new("sh");
    shell.args(["-c", curl_line]).env("no_proxy", "127.0.0.1");
    let Ended { code, out, err } = run(&mut shell, "", PATIENCE);
    assert_eq!(code, Some(0), "{curl_line}\n{err}");
    out
}
