//! What a resource map costs by the number of its rows: the time and the memory of a load, one lookup, and its end.
//!
//! `cargo bench --bench resources`. Each size is loaded by a process of its own, since the peak of memory is a process's.
//! The ratios of one run compare across machines; its times do not. Linux only: memory and the
//! time of the processor are read from `/proc`.
#![expect(clippy::unwrap_used, reason = "a bench that cannot be set up may fail in any way")]
#![expect(clippy::print_stdout, reason = "its figures are what it is for")]

use std::{
    env, fmt::Write as _, fs, hint::black_box, net::IpAddr, path::Path, process::Command, str::FromStr,
    time::Instant,
};

use weighbridge::{
    config::ResourceMap,
    mapping::{SourceText, Sources, Tables},
    model::{GroupId, GroupRef, Kind, LoadBalancerId, Place, ResourceId, Target},
};

const SIZES: [usize; 4] = [1, 1_000, 10_000, 1_000_000];

/// How often each lookup is made.
const LOOKUPS: usize = 1_000_000;

/// Of so many servers one is named by its address; as many stand beside one group, and as many groups on one load
/// balancer.
const SHARE: usize = 100;

fn main() {
    match env::args().nth(1).as_deref() {
        Some("load") => load(Path::new(&env::args().nth(2).unwrap())),
        Some(_) | None => compare(),
    }
}

/// The figures of each size, and how they grow.
fn compare() {
    let folder = tempfile::tempdir_in("target").unwrap();
    let mut found: Vec<(usize, Figures)> = Vec::new();
    println!("{:>9} {}", "rows", NAMES.map(|name| format!("{name:>18}")).concat());
    for rows in SIZES {
        let file = folder.path().join("resources.toml");
        fs::write(&file, text(rows, |row| row)).unwrap();
        let figures = measure(&file);
        println!("{rows:>9} {}", figures.map(|figure| format!("{figure:>18.3}")).concat());
        found.push((rows, figures));
    }
    let of = |wanted: usize| found.iter().find(|(rows, _)| *rows == wanted).unwrap().1;
    let (one, some, all) = (of(1), of(10_000), of(1_000_000));
    println!("\nload a row, 1,000,000 / 10,000: {:.2}", all[1] / 1e6 / (some[1] / 1e4));
    for lookup in 4..NAMES.len() - 1 {
        println!("{}, 1,000,000 / 1: {:.2}", NAMES[lookup], all[lookup] / one[lookup]);
    }

    println!("\n1,000,000 rows that cannot be used");
    let file = folder.path().join("flawed.toml");
    let mut typo = text(1_000_000, |row| row);
    typo.insert_str(typo.find("\n[[server]]").unwrap() + 1, "[[server]]\naliyun = i-bp1\n");
    let mut late = text(1_000_000, |row| row);
    late.push_str("[[server]]\naliyun = i-bp1\n");
    let doubled = text(1_000_000, |row| row.min(990_000));
    for (name, text) in
        [("a typo in the first row", typo), ("a typo in the last", late), ("10,000 doubled ids", doubled)]
    {
        fs::write(&file, text).unwrap();
        let [seconds, busy, peak, ..] = measure(&file);
        println!("{name:>24}: {seconds:.2} s, of it busy {busy:.2} s, peak {peak:.0} MiB");
    }
}

const NAMES: [&str; 9] = [
    "load s",
    "of it busy s",
    "peak MiB",
    "after MiB",
    "server ns",
    "no server ns",
    "address ns",
    "group ns",
    "drop ms",
];

type Figures = [f64; NAMES.len()];

/// The figures of a process that loads `file`.
fn measure(file: &Path) -> Figures {
    let output = Command::new(env::current_exe().unwrap()).arg("load").arg(file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let figures: Vec<f64> = text.split_whitespace().map(|figure| figure.parse().unwrap()).collect();
    figures.try_into().unwrap()
}

/// Loads `file` as a gateway does, and prints its figures.
fn load(file: &Path) {
    let tables = Tables::compile(&Sources::embedded()).unwrap();
    let before = memory("VmRSS");
    let (begun, busy) = (Instant::now(), processor());
    let text = fs::read_to_string(file).unwrap();
    let source = SourceText::new("resources.toml", &text);
    drop(text);
    let read = ResourceMap::read(&source, &tables);
    drop(source);
    let (seconds, busy) = (begun.elapsed().as_secs_f64(), (processor() - busy) / 1e9);
    let (peak, after) = (memory("VmHWM"), memory("VmRSS") - before);
    let lookups = match &read {
        Ok((map, _)) => lookups(map),
        Err(_) => [0.0; 4],
    };
    let begun = Instant::now();
    drop(read);
    let end = begun.elapsed().as_secs_f64() * 1e3;
    let figures = [seconds, busy, peak, after].into_iter().chain(lookups).chain([end]);
    println!("{}", figures.map(|figure| figure.to_string()).collect::<Vec<_>>().join(" "));
}

/// Nanoseconds of one lookup: of a server, of one that has no row, of an address whose network is not told, of a group.
fn lookups(map: &ResourceMap) -> [f64; 4] {
    let rows = map.servers_of("aliyun").count();
    // Far apart from one to the next, as requests are.
    let places = |most: usize| (0..LOOKUPS).map(move |at| at.wrapping_mul(7_368_787) % most.max(1));
    let found: Vec<Target> = places(rows).map(|row| resource(&aliyun(row))).collect();
    let missing: Vec<Target> = places(rows).map(|row| resource(&format!("i-none{row:014}"))).collect();
    let addresses: Vec<Target> = places(rows.div_ceil(SHARE)).map(|at| address(at * SHARE)).collect();
    let groups: Vec<GroupRef> = places(rows.div_ceil(SHARE)).map(group).collect();
    [
        each(&found, |server| map.server("aliyun", server, "ucloud").is_some()),
        each(&missing, |server| map.server("aliyun", server, "ucloud").is_none()),
        each(&addresses, |server| map.server("ucloud", server, "aliyun").is_some()),
        each(&groups, |group| map.group("aliyun", group, "ucloud").is_some()),
    ]
}

fn each<T>(asked: &[T], look: impl Fn(&T) -> bool) -> f64 {
    // Once unmeasured: the first touch of a page is no lookup.
    assert!(asked.iter().all(&look));
    let before = processor();
    for one in asked {
        black_box(look(black_box(one)));
    }
    (processor() - before) / f64::from(u32::try_from(asked.len()).unwrap())
}

/// A map of so many servers; `named` is whose id a row has.
fn text(rows: usize, named: impl Fn(usize) -> usize) -> String {
    let mut text = String::from("# which id here is which id there\n");
    for at in 0..rows.div_ceil(SHARE) {
        let balancer = at / SHARE;
        let GroupRef { group, .. } = group(at);
        let columns = [
            format!(
                "aliyun = {{ load_balancer = \"lb-bp1{balancer:014}\", group = \"{group}\", region = \"cn-hangzhou\" }}"
            ),
            format!(
                "ucloud = {{ load_balancer = \"ulb-{balancer:06}\", group = \"vserver-{at:08}\", region = \"cn-bj2\" }}"
            ),
        ];
        writeln!(text, "\n[[group]]\n{}", columns.join("\n")).unwrap();
    }
    for row in 0..rows {
        let there = match named(row) {
            at if at % SHARE == 0 => {
                format!("{{ ip = \"{}\", vpc = \"uvnet-x\", subnet = \"subnet-y\" }}", ip(at))
            }
            at => format!("\"uhost-{at:08}\""),
        };
        writeln!(text, "\n[[server]]\naliyun = \"{}\"\nucloud = {there}", aliyun(named(row))).unwrap();
    }
    text
}

fn aliyun(row: usize) -> String {
    format!("i-bp1{row:015}")
}

fn resource(id: &str) -> Target {
    Target::Resource { kind: Kind::Instance, id: ResourceId::new(id).unwrap(), address: None }
}

fn ip(row: usize) -> IpAddr {
    IpAddr::from((0x0a00_0000 + u32::try_from(row).unwrap()).to_be_bytes())
}

fn address(row: usize) -> Target {
    Target::Address { kind: Kind::Address, ip: ip(row), vpc: None, subnet: None }
}

fn group(at: usize) -> GroupRef {
    let load_balancer = LoadBalancerId::new(format!("lb-bp1{:014}", at / SHARE));
    GroupRef { load_balancer, group: GroupId::new(format!("rsp-{at:010}")).unwrap(), place: Place::default() }
}

/// For how many nanoseconds the process has had a processor: on a busy machine most of the time is others'.
fn processor() -> f64 {
    let status = fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    status.split(' ').next().and_then(|figure| figure.parse().ok()).unwrap_or_default()
}

/// A line of `/proc/self/status`, in MiB; 0 where there is none.
fn memory(name: &str) -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kib = line.and_then(|line| f64::from_str(line.trim().trim_end_matches(" kB")).ok());
    kib.unwrap_or_default() / 1024.0
}
