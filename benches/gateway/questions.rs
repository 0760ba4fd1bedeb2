//! The questions, and how their answers are printed.

use std::{
    fs,
    io::{Read, Write},
    net::SocketAddr,
    process::Stdio,
    thread::sleep,
    time::{Duration, Instant},
};

use crate::{
    callers::{Callers, DIALECTS, Dialect},
    contenders::{Contender, Running, free, gateway_command, gateway_config, program, target},
    figures::{MIB, count, median, percentile},
    load::{Outcome, connect, send},
    process::Process,
};

const GATEWAY: Contender = Contender::Gateway("sqlite");

/// How large the program is, how long it takes to be ready, and what it holds before anybody asks.
pub(crate) fn start() {
    println!("\n## Start: binary, cold start, idle memory\n");
    let bytes = u32::try_from(fs::metadata(program()).unwrap().len()).unwrap();
    println!("binary: {:.1} MiB", f64::from(bytes) / MIB);
    let (_target, target) = target(Duration::ZERO);
    for store in ["sqlite", "memory"] {
        let dir = tempfile::tempdir().unwrap();
        let mut times = Vec::new();
        let mut idle = Vec::new();
        for _ in 0..15 {
            let (addr, admin) = (free(), free());
            let config = gateway_config(&dir, addr, target, store);
            let text = fs::read_to_string(&config).unwrap();
            fs::write(&config, format!("admin = \"{admin}\"\n{text}")).unwrap();
            let began = Instant::now();
            let process = Process::spawn(gateway_command(&config).stderr(Stdio::null()));
            while !is_ready(admin) {
                assert!(began.elapsed() < Duration::from_secs(20), "it does not get ready");
            }
            times.push(began.elapsed().as_secs_f64() * 1e3);
            sleep(Duration::from_millis(300));
            idle.push(process.memory());
        }
        let slowest = times.iter().copied().fold(0.0, f64::max);
        let (ready, idle) = (median(times), median(idle));
        println!("{store}: ready after {ready:.1} ms (slowest of 15: {slowest:.1}); idle {idle:.1} MiB");
    }
}

fn is_ready(admin: SocketAddr) -> bool {
    let Ok(mut stream) = connect(admin) else { return false };
    let mut reply = String::new();
    let request = b"GET /readyz HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n";
    stream.write_all(request).is_ok()
        && stream.read_to_string(&mut reply).is_ok()
        && reply.starts_with("HTTP/1.1 200 ")
}

/// What an add of one backend costs, beside bare proxies.
pub(crate) fn load() {
    println!("\n## Load: adds of one backend, over 1, 8 and 32 connections; medians of {ROUNDS} rounds");
    let (_target, target) = target(Duration::ZERO);
    let contenders: Vec<(Contender, Running)> =
        Contender::all().into_iter().map(|contender| (contender, contender.start(target))).collect();
    let mut callers = Callers::new();
    let before: Vec<f64> = contenders.iter().map(|(_, running)| memory(running)).collect();
    for dialect in DIALECTS {
        for (connections, each) in [(1, 8000), (8, 2000), (32, 500)] {
            println!("\n{}, {connections} connections:\n", dialect.name());
            let measured = rounds(&contenders, |_| callers.adds(dialect, 1, connections, each));
            print(&contenders, &measured);
        }
    }
    println!("\nmemory in MiB:\n\n| | idle | the most | after |\n|---|---|---|---|");
    for ((contender, running), idle) in contenders.iter().zip(before) {
        let Some(process) = &running.process else { continue };
        let (most, after) = (process.most_memory(), process.memory());
        println!("| {} | {idle:.1} | {most:.1} | {after:.1} |", contender.name());
    }
}

/// What one run of one contender came to.
struct Measured {
    cpu: f64,
    rate: f64,
    p50: f64,
    p99: f64,
    failures: usize,
}

const ROUNDS: usize = 3;

/// Each contender so many times, all of them in turn: what the machine does beside is shared among them.
fn rounds(
    contenders: &[(Contender, Running)],
    mut requests: impl FnMut(usize) -> Vec<Vec<Vec<u8>>>,
) -> Vec<Vec<Measured>> {
    let mut measured: Vec<Vec<Measured>> = contenders.iter().map(|_| Vec::new()).collect();
    for round in 0..=ROUNDS {
        for ((_, running), measured) in contenders.iter().zip(&mut measured) {
            let outcome = measure(running, requests(round));
            // The first fills caches and pools.
            if round > 0 {
                measured.push(outcome);
            }
        }
    }
    measured
}

fn measure(running: &Running, requests: Vec<Vec<Vec<u8>>>) -> Measured {
    let processor = || running.process.as_ref().map(Process::processor).unwrap_or_default();
    let before = processor();
    let outcome = send(running.addr, requests);
    let cpu = processor().saturating_sub(before);
    if let Some(failure) = &outcome.failure {
        println!("a failure: {failure}");
    }
    let Outcome { took, requests, failures, times, failure: _ } = outcome;
    Measured {
        cpu: cpu.as_secs_f64() * 1e6 / count(requests),
        rate: count(requests) / took.as_secs_f64(),
        p50: percentile(&times, 50),
        p99: percentile(&times, 99),
        failures,
    }
}

fn print(contenders: &[(Contender, Running)], measured: &[Vec<Measured>]) {
    let figure = |of: &[Measured], what: fn(&Measured) -> f64| median(of.iter().map(what).collect());
    let of = |wanted: Contender, what: fn(&Measured) -> f64| {
        let place = contenders.iter().position(|(contender, _)| *contender == wanted);
        place.and_then(|place| measured.get(place)).map_or(f64::NAN, |of| figure(of, what))
    };
    let (direct50, direct99) = (of(Contender::Direct, |m| m.p50), of(Contender::Direct, |m| m.p99));
    let (nginx, hyper) = (of(Contender::Nginx, |m| m.cpu), of(Contender::BareHyper, |m| m.cpu));
    println!(
        "| | CPU µs/request | ÷ nginx | ÷ bare hyper | requests/s | added p50 µs | added p99 µs | failures |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for ((contender, running), of) in contenders.iter().zip(measured) {
        let (rate, p50, p99) = (figure(of, |m| m.rate), figure(of, |m| m.p50), figure(of, |m| m.p99));
        let failures: usize = of.iter().map(|measured| measured.failures).sum();
        if running.process.is_none() {
            println!(
                "| {} | | | | {rate:.0} | ({p50:.0} as a whole) | ({p99:.0} as a whole) | {failures} |",
                contender.name()
            );
            continue;
        }
        let cpu = figure(of, |m| m.cpu);
        println!(
            "| {} | {cpu:.1} | {:.2} | {:.2} | {rate:.0} | {:.0} | {:.0} | {failures} |",
            contender.name(),
            cpu / nginx,
            cpu / hyper,
            p50 - direct50,
            p99 - direct99
        );
    }
}

fn memory(running: &Running) -> f64 {
    running.process.as_ref().map_or(0.0, Process::memory)
}

/// How many round trips an add of twenty servers takes, where the target takes one in a call.
pub(crate) fn fan_out() {
    println!(
        "\n## Fan-out: an Alibaba add of 20 servers to UCloud, 10 calls at once, the target waits for 50 ms\n"
    );
    let (_target, target) = target(Duration::from_millis(50));
    let bare = send(target, Callers::new().adds(Dialect::Ucloud, 1, 1, 21));
    assert_eq!(bare.failures, 0, "{:?}", bare.failure);
    let trip = percentile(&bare.times, 50);
    let gateway = GATEWAY.start(target);
    let outcome = send(gateway.addr, Callers::new().adds(Dialect::AliyunV1, 20, 1, 21));
    assert_eq!(outcome.failures, 0, "{:?}", outcome.failure);
    let (p50, p99) = (percentile(&outcome.times, 50), percentile(&outcome.times, 99));
    println!(
        "a call of its own takes {:.1} ms; the add takes {:.1} ms, {:.2} of them; the slowest of 21: {:.2}",
        trip / 1e3,
        p50 / 1e3,
        p50 / trip,
        p99 / trip
    );
}

/// How what is held and done grows with the connections that are open.
pub(crate) fn connections() {
    println!("\n## Connections: adds over 8 of so many that are open\n");
    println!("| open | CPU µs/request | memory MiB | KiB a connection |\n|---|---|---|---|");
    let (_target, target) = target(Duration::ZERO);
    let (mut callers, mut least) = (Callers::new(), 0.0);
    for open in [1, 100, 1000, 10_000] {
        let gateway = GATEWAY.start(target);
        let mut idle = Vec::new();
        let mut adds = callers.adds(Dialect::AliyunV1, 1, 1, open).remove(0).into_iter();
        for add in adds.by_ref().take(open) {
            let mut stream = connect(gateway.addr).unwrap();
            stream.write_all(&add).unwrap();
            let mut reply = [0; 16];
            stream.read_exact(&mut reply).unwrap();
            assert!(reply.starts_with(b"HTTP/1.1 200"), "{reply:?}");
            idle.push(stream);
        }
        let of: Vec<Measured> =
            (0..3).map(|_| measure(&gateway, callers.adds(Dialect::AliyunV1, 1, 8, 1000))).collect();
        assert_eq!(of.iter().map(|measured| measured.failures).sum::<usize>(), 0);
        let (cpu, held) = (median(of.iter().map(|measured| measured.cpu).collect()), memory(&gateway));
        if open == 1 {
            least = held;
        }
        let each = (held - least) * 1024.0 / count(open);
        println!("| {open} | {cpu:.1} | {held:.1} | {each:.1} |");
    }
}

/// Whether memory grows while it works on and on.
pub(crate) fn soak(seconds: u64) {
    println!("\n## Soak: adds of one backend over 8 connections for {seconds} s\n");
    let (_target, target) = target(Duration::ZERO);
    let gateway = GATEWAY.start(target);
    let (mut callers, began) = (Callers::new(), Instant::now());
    let (mut sent, mut failures, mut told) = (0, 0, 0);
    println!("| s | requests | failures | memory MiB |\n|---|---|---|---|");
    while began.elapsed() < Duration::from_secs(seconds) {
        for dialect in DIALECTS {
            let outcome = send(gateway.addr, callers.adds(dialect, 1, 8, 500));
            (sent, failures) = (sent + outcome.requests, failures + outcome.failures);
        }
        let tenth = began.elapsed().as_secs() * 10 / seconds.max(1);
        if tenth >= told {
            told = tenth + 1;
            println!("| {} | {sent} | {failures} | {:.1} |", began.elapsed().as_secs(), memory(&gateway));
        }
    }
    sleep(Duration::from_secs(5));
    println!("after it: {:.1} MiB", memory(&gateway));
}

/// Keeps the gateway busy, with adds of one kind after another, for somebody who looks at it with a profiler.
pub(crate) fn busy(seconds: u64) {
    let (_target, target) = target(Duration::ZERO);
    let gateway = GATEWAY.start(target);
    let mut callers = Callers::new();
    let each = Duration::from_secs(seconds) / 3;
    for dialect in DIALECTS {
        let (began, mut cpu, mut times) = (Instant::now(), Vec::new(), Vec::new());
        println!("{}: process {}", dialect.name(), gateway.process.as_ref().map_or(0, Process::id));
        while began.elapsed() < each {
            let measured = measure(&gateway, callers.adds(dialect, 1, 8, 1000));
            assert_eq!(measured.failures, 0);
            cpu.push(measured.cpu);
            times.push(measured.p50);
        }
        println!("CPU {:.1} µs/request, {:.0} µs until it is answered", median(cpu), median(times));
    }
}
