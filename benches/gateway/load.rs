//! Load: so many connections, each of which sends a request as soon as it has the reply to the one before.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

use crate::figures::message_end;

/// What came of it.
pub(crate) struct Outcome {
    pub(crate) took: Duration,
    pub(crate) requests: usize,
    pub(crate) failures: usize,
    /// What the first failure looked like.
    pub(crate) failure: Option<String>,
    /// How long each reply took to come, the shortest first.
    pub(crate) times: Vec<Duration>,
}

/// Sends `requests`, those of each connection one after the other.
pub(crate) fn send(to: SocketAddr, requests: Vec<Vec<Vec<u8>>>) -> Outcome {
    let began = Instant::now();
    let connections: Vec<_> =
        requests.into_iter().map(|own| thread::spawn(move || converse(to, &own))).collect();
    let ends: Vec<(Vec<Duration>, Vec<String>)> =
        connections.into_iter().map(|connection| connection.join().unwrap()).collect();
    let took = began.elapsed();
    let mut times: Vec<Duration> = ends.iter().flat_map(|(times, _)| times).copied().collect();
    times.sort_unstable();
    let failures: Vec<&String> = ends.iter().flat_map(|(_, failures)| failures).collect();
    Outcome {
        took,
        requests: times.len() + failures.len(),
        failures: failures.len(),
        failure: failures.first().map(ToString::to_string),
        times,
    }
}

/// How long each reply took to come, and what was wrong with those that were no success.
fn converse(to: SocketAddr, requests: &[Vec<u8>]) -> (Vec<Duration>, Vec<String>) {
    let (mut times, mut failures) = (Vec::with_capacity(requests.len()), Vec::new());
    let mut connection = None;
    for request in requests {
        let began = Instant::now();
        match exchange(&mut connection, to, request) {
            Ok(reply) if is_success(&reply) => times.push(began.elapsed()),
            Ok(reply) => failures.push(reply),
            Err(error) => {
                connection = None;
                failures.push(error.to_string());
            }
        }
    }
    (times, failures)
}

fn exchange(connection: &mut Option<TcpStream>, to: SocketAddr, request: &[u8]) -> std::io::Result<String> {
    let stream = match connection {
        Some(stream) => stream,
        None => connection.insert(connect(to)?),
    };
    stream.write_all(request)?;
    let (mut read, mut chunk) = (Vec::new(), [0; 16384]);
    loop {
        let length = stream.read(&mut chunk)?;
        if length == 0 {
            return Err(std::io::Error::other("hung up"));
        }
        read.extend_from_slice(&chunk[..length]);
        if message_end(&read).is_some() {
            return Ok(String::from_utf8_lossy(&read).into_owned());
        }
    }
}

pub(crate) fn connect(to: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(to)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_mins(1)))?;
    Ok(stream)
}

/// Both clouds say so in the body, one of them in nothing else.
fn is_success(reply: &str) -> bool {
    reply.starts_with("HTTP/1.1 200 ")
        && (reply.contains(r#""RetCode":0"#) || reply.contains(r#""BackendServer":[{"#))
}
