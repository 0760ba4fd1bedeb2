//! A target that answers at once, or after so long: both clouds' answers to an add, and to the look before one of many.
//!
//! It knows nothing of the gateway's code, and verifies nothing.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::atomic::{AtomicU64, Ordering},
    thread::{self, sleep},
    time::Duration,
};

use crate::figures::message_end;

/// Serves until the process is stopped, and says on standard output where.
pub(crate) fn run(delay_ms: u64) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("{}", listener.local_addr().unwrap());
    for stream in listener.incoming() {
        // A thread for each connection: whoever is measured has few to its target.
        thread::spawn(move || converse(stream.unwrap(), Duration::from_millis(delay_ms)));
    }
}

fn converse(mut stream: TcpStream, delay: Duration) {
    stream.set_nodelay(true).unwrap();
    let (mut read, mut chunk) = (Vec::new(), [0; 16384]);
    loop {
        while let Some(end) = message_end(&read) {
            let reply = reply(&String::from_utf8_lossy(&read[..end]));
            read.drain(..end);
            if !delay.is_zero() {
                sleep(delay);
            }
            if stream.write_all(reply.as_bytes()).is_err() {
                return;
            }
        }
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return,
            Ok(length) => read.extend_from_slice(&chunk[..length]),
        }
    }
}

static ANSWERED: AtomicU64 = AtomicU64::new(0);

fn reply(request: &str) -> String {
    let number = ANSWERED.fetch_add(1, Ordering::Relaxed);
    let body = if request.contains("DescribeVServer") {
        let group = after(request, "VServerId=");
        format!(
            r#"{{"RetCode":0,"Action":"DescribeVServerResponse","TotalCount":1,"DataSet":[{{"ULBId":"ulb-1","VServerId":"{group}","VServerName":"web","Protocol":"TCP","FrontendPort":80,"Method":"WeightRoundrobin","Status":0,"BackendSet":[]}}]}}"#
        )
    } else if request.contains("AllocateBackend") {
        format!(r#"{{"RetCode":0,"Action":"AllocateBackendResponse","BackendId":"backend-{number:08x}"}}"#)
    } else {
        let servers: Vec<String> = request.split("ServerId%22%3A%22").skip(1).map(server).collect();
        format!(
            r#"{{"RequestId":"9DEC9C28-AB05-4DDF-9A78-{number:012X}","VServerGroupId":"{}","BackendServers":{{"BackendServer":[{}]}}}}"#,
            after(request, "VServerGroupId="),
            servers.join(",")
        )
    };
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// One of the servers that an add asks for, whose text begins behind its `ServerId`.
fn server(asked: &str) -> String {
    let id = asked.split("%22").next().unwrap_or_default();
    let (port, weight) = (figure(asked, "Port"), figure(asked, "Weight"));
    format!(r#"{{"ServerId":"{id}","Port":{port},"Weight":{weight},"Type":"ecs"}}"#)
}

fn figure(asked: &str, name: &str) -> String {
    let value = after(asked, &format!("%22{name}%22%3A"));
    value.trim_start_matches("%22").chars().take_while(char::is_ascii_digit).collect()
}

fn after<'t>(text: &'t str, name: &str) -> &'t str {
    let rest = text.split_once(name).map_or("", |(_, rest)| rest);
    rest.split(['&', ' ', '\r', '\n']).next().unwrap_or_default()
}
