//! Whole config files: what the contract's example means, and what is said of each that is wrong.

use std::{fs, net::SocketAddr, os::unix::fs::PermissionsExt, path::Path, time::Duration};

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::{
    mapping::{Severity, SourceText},
    model::Protocol,
};

const KNOWN: &[Known<'_>] = &[
    Known { provider: "aliyun", schemes: &["v1", "acs3"] },
    Known { provider: "ucloud", schemes: &["sha1"] },
    Known { provider: "tableless", schemes: &["any"] },
];

/// The example of the contract, with its one absolute path made relative.
const CONTRACT: &str = r#"
listen = "127.0.0.1:8080"            # one door for clients of either cloud; several addresses as a list
admin  = "127.0.0.1:8081"            # /healthz /readyz /metrics; never on the public listener
tls    = { cert = "server.pem", key = "server.key" }   # optional; reloaded with the rest
mappings  = "mappings"               # optional directory laid over the embedded tables
resources = "resources.toml"         # which id here is which id there
store     = "sqlite:weighbridge.db"  # or "memory", or "postgres://…" for several replicas

[targets.ucloud-prod]
provider = "ucloud"
endpoint = "https://api.ucloud.cn"   # may hold {region}
key_id   = "env:UCLOUD_PUBLIC_KEY"
secret   = "env:UCLOUD_PRIVATE_KEY"  # env:NAME or file:PATH; a literal is accepted and warned about
project  = "org-abc123"
region   = "cn-bj2"                  # used when neither the group's row nor the region table answers
headers  = { "channel-key" = "…" }   # extra static headers on outgoing calls
ca       = "private-ca.pem"          # optional: trust this authority for https, beside the public ones
concurrency = 8                      # calls in flight for one fan-out
unmapped = "refuse"                  # ids without a row: "refuse", or "same" to pass them on as they are

[targets.aliyun-prod]
provider  = "aliyun"
endpoint  = "https://slb.{region}.aliyuncs.com"
key_id    = "env:ALIYUN_KEY_ID"
secret    = "env:ALIYUN_KEY_SECRET"
signature = "acs3"                   # or "v1"

[[clients]]
dialect = "aliyun"                   # the language this caller speaks
key_id  = "LTAI5tExample"
secret  = "env:DEPLOYER_SECRET"
target  = "ucloud-prod"
on_loss = "refuse"                   # or "report": carry on without what the target cannot hold, and say so
replies = "live"                     # or "documented": the older shapes printed on the API pages
untranslated = "refuse"              # or a target name of the same dialect: that cloud gets the call, re-signed

[[clients]]
dialect = "ucloud"
key_id  = "someone@example.com123"
secret  = "file:secrets/ucloud"
target  = "aliyun-prod"

[limits]                             # every one has a default
max_body_bytes = 262144
max_request_line_bytes = 65000       # A's clients put 40 servers into one URL: 14 to 39 kB
max_in_flight = 1024
request_timeout = "30s"
upstream_timeout = "10s"
clock_skew = "15m"
"#;

const RESOURCES: &str = r#"
[[group]]
aliyun = { load_balancer = "lb-bp1b6c719dfa08ex", group = "rsp-cige6j5e7p", region = "cn-hangzhou" }
ucloud = { load_balancer = "ulb-abc123", group = "vserver-def456", project = "org-abc123", region = "cn-bj2" }

[[server]]
aliyun = "i-bp1example00000001"
ucloud = "uhost-ghi789"
"#;

/// A config without a flaw, for the cases to spoil.
const SOUND: &str = r#"listen = "127.0.0.1:8080"

[targets.a]
provider = "aliyun"
endpoint = "https://slb.{region}.aliyuncs.com"
key_id = "gateway"
secret = "env:SECRET"

[targets.u]
provider = "ucloud"
endpoint = "https://api.ucloud.cn"
key_id = "gateway"
secret = "env:SECRET"

[[clients]]
dialect = "aliyun"
key_id = "one"
secret = "file:secrets/ucloud"
target = "u"

[[clients]]
dialect = "ucloud"
key_id = "one"
secret = "env:SECRET"
target = "a"
"#;

/// A directory with every file that the examples name.
fn directory() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    };
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["lb.example".to_owned()]).unwrap();
    write("server.pem", &cert.pem());
    write("private-ca.pem", &cert.pem());
    write("server.key", &signing_key.serialize_pem());
    write("resources.toml", RESOURCES);
    write("mappings/ucloud/backend.toml", "");
    write("secrets/ucloud", "from the file\r\n");
    write("secrets/empty", "\n");
    write("wrong/mappings.toml", "");
    write("weighbridge.toml", CONTRACT);
    directory
}

fn environment(name: &str) -> Option<String> {
    match name {
        "UNSET" => None,
        "EMPTY" => Some(String::new()),
        "BROKEN" => Some("line\nbreak".to_owned()),
        "SPACED" => Some("pasted ".to_owned()),
        name => Some(format!("the {name}")),
    }
}

fn resolve(text: &str, base_dir: &Path) -> Result<Config, Vec<Diagnostic>> {
    load_text(&SourceText::new("gateway.toml", text), None, base_dir, &environment, KNOWN)
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

#[test]
fn the_contracts_example_means_what_it_says() {
    let directory = directory();
    let config = load(&directory.path().join("weighbridge.toml"), &environment, KNOWN).unwrap();
    let path = |name: &str| directory.path().join(name);
    assert_eq!(
        (config.listen, config.admin),
        (vec![address("127.0.0.1:8080")], Some(address("127.0.0.1:8081")))
    );
    assert_eq!(config.tls, Some(TlsFiles { cert: path("server.pem"), key: path("server.key") }));
    assert_eq!(config.limits, Limits::default());
    assert_eq!(config.resources.groups_of("ucloud").count(), 1);
    let mut files: Vec<&Path> = config.files.iter().map(Watched::path).collect();
    files.sort();
    let names = [
        "mappings",
        "private-ca.pem",
        "resources.toml",
        "secrets/ucloud",
        "server.key",
        "server.pem",
        "weighbridge.toml",
    ];
    assert_eq!(files, names.map(path));
    assert_eq!(config.warnings, []);
    assert!(
        matches!(&config.store, StoreAt::Sqlite(file) if *file == path("weighbridge.db")),
        "{:?}",
        config.store
    );
}

#[test]
fn a_store_is_where_the_config_says_or_in_a_file_by_its_own_name() {
    let directory = directory();
    let store = |line: &str| {
        let text = SOUND.replace("8080\"", &format!("8080\"\n{line}"));
        resolve(&text, directory.path()).unwrap().store.to_string()
    };
    let below = |name: &str| format!("sqlite:{}", directory.path().join(name).display());
    assert_eq!(store(""), below("gateway.db"));
    assert_eq!(store("store = \"memory\""), "memory");
    assert_eq!(store("store = \"sqlite:kept/own.db\""), below("kept/own.db"));
    assert_eq!(store("store = \"sqlite:///var/own.db\""), "sqlite:/var/own.db");
    assert_eq!(store("store = \"postgres://me:hidden@host/own\""), "postgres://…");
}

#[test]
fn the_contracts_targets_mean_what_they_say() {
    let directory = directory();
    let config = resolve(CONTRACT, directory.path()).unwrap();
    let [aliyun, ucloud] = config.targets.as_slice() else { panic!("{:?}", config.targets) };
    assert_eq!((aliyun.name.as_str(), aliyun.scheme.as_str(), &aliyun.ca), ("aliyun-prod", "acs3", &None));
    assert_eq!(aliyun.endpoint, "https://slb.{region}.aliyuncs.com");
    assert_eq!((ucloud.provider.as_str(), ucloud.scheme.as_str()), ("ucloud", "sha1"));
    assert_eq!((ucloud.concurrency, ucloud.unmapped), (8, Unmapped::Refuse));
    assert_eq!(ucloud.project, ProjectId::new("org-abc123"));
    assert_eq!(ucloud.region, RegionId::new("cn-bj2"));
    assert_eq!(ucloud.headers["channel-key"].as_bytes(), "…".as_bytes());
    assert_eq!(ucloud.ca, fs::read(directory.path().join("private-ca.pem")).ok());
    assert_eq!(ucloud.credential.key_id, "the UCLOUD_PUBLIC_KEY");
    assert!(ucloud.credential.secret.is("the UCLOUD_PRIVATE_KEY"));
}

#[test]
fn the_contracts_clients_mean_what_they_say() {
    let directory = directory();
    let config = resolve(CONTRACT, directory.path()).unwrap();
    let [first, second] = config.clients.as_slice() else { panic!("{:?}", config.clients) };
    assert_eq!((first.dialect.as_str(), first.target, first.untranslated), ("aliyun", 1, None));
    assert_eq!((first.on_loss, first.replies), (OnLoss::Refuse, Shape::Live));
    assert_eq!((second.dialect.as_str(), second.target), ("ucloud", 0));
    assert_eq!(second.credential.key_id, "someone@example.com123");
    assert!(second.credential.secret.is("from the file"));
}

#[test]
fn every_word_and_every_limit_can_be_set() {
    let text = SOUND
        .replace(
            "listen = \"127.0.0.1:8080\"",
            "listen = [\"127.0.0.1:0\", \"[::1]:8080\"]\nstore = \"memory\"",
        )
        .replace("provider = \"aliyun\"", "provider = \"aliyun\"\nsignature = \"v1\"\nunmapped = \"same\"")
        .replace("key_id = \"one\"", "key_id = \"one\"\ntoken = \"env:TOKEN\"\non_loss = \"report\"")
        .replace("target = \"a\"", "target = \"a\"\nreplies = \"documented\"")
        + "[limits]\nmax_body_bytes = 1_000\nclock_skew = \"1h 30m\"\nrepeat_window = \"500ms\"\n"
        + "max_connections = 8\nmax_header_bytes = 2000\nheader_timeout = \"1s\"\nbody_timeout = \"5s\"\nidle_timeout = \"2m\"\n";
    let config = resolve(&text, directory().path()).unwrap();
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    assert_eq!(config.listen, [address("127.0.0.1:0"), address("[::1]:8080")]);
    assert_eq!((config.targets[0].scheme.as_str(), config.targets[0].unmapped), ("v1", Unmapped::Same));
    assert_eq!((config.clients[1].on_loss, config.clients[1].replies), (OnLoss::Report, Shape::Documented));
    assert!(config.clients[0].credential.token.as_ref().unwrap().is("the TOKEN"));
    let limits = Limits {
        door: Bounds {
            max_body_bytes: 1000,
            max_header_bytes: 2000,
            header_timeout: Duration::from_secs(1),
            idle_timeout: Duration::from_mins(2),
            body_timeout: Duration::from_secs(5),
            max_connections: 8,
            ..Bounds::USUAL
        },
        clock_skew: Duration::from_mins(90),
        repeat_window: Duration::from_millis(500),
        ..Limits::default()
    };
    assert_eq!(config.limits, limits);
}

#[test]
fn a_clients_own_template_lies_over_the_clouds() {
    let (none, all) =
        ("{}", "{ protocol = \"udp\", ports = [30000, 30010], options = { MonitorType = \"Ping\" } }");
    let one = "{ ports = [80, 80], options = { Method = \"Source\" } }";
    let cases = [
        (none, (Protocol::Tcp, 20_000, 29_999, "Method=WeightRoundrobin")),
        (all, (Protocol::Udp, 30_000, 30_010, "Method=WeightRoundrobin MonitorType=Ping")),
        (one, (Protocol::Tcp, 80, 80, "Method=Source")),
    ];
    for (template, wanted) in cases {
        let text = SOUND.replace("target = \"u\"", &format!("target = \"u\"\ntemplate = {template}"));
        let config = resolve(&text, directory().path()).unwrap();
        let GroupTemplate { protocol, ports: (first, last), options } =
            config.clients[0].template.as_ref().unwrap();
        let options = options.iter().map(|option| format!("{}={}", option.name, option.value));
        let found = options.collect::<Vec<_>>().join(" ");
        assert_eq!((*protocol, first.get(), last.get(), found.as_str()), wanted, "{template}");
        assert_eq!(config.clients[1].template, None);
    }
}

#[test]
fn what_is_not_translated_may_go_to_a_target_of_the_clients_own_cloud() {
    for (named, wanted) in [("a", Some(0)), ("refuse", None)] {
        let text = SOUND.replace("target = \"u\"", &format!("target = \"u\"\nuntranslated = \"{named}\""));
        let config = resolve(&text, directory().path()).unwrap();
        assert_eq!((config.clients[0].untranslated, config.clients[0].target), (wanted, 1), "{named}");
        assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    }
}

/// Spoils [`SOUND`] once a line: `what => by what => problem => problem`, `⏎` for the end of a line, a problem by how
/// it begins.
fn check(severity: Severity, cases: &str) {
    let directory = directory();
    for case in cases.trim().lines() {
        let parts: Vec<String> = case.split(" => ").map(|part| part.trim().replace('⏎', "\n")).collect();
        let [old, new, wanted @ ..] = parts.as_slice() else { panic!("{case}") };
        assert!(SOUND.contains(old), "{case}");
        let result = resolve(&SOUND.replacen(old, new, 1), directory.path());
        let (passes, found) = result.map_or_else(|found| (false, found), |config| (true, config.warnings));
        assert_eq!(passes, severity == Severity::Warning, "{case}: {found:#?}");
        let there = directory.path().display().to_string();
        let found: Vec<String> = found.iter().map(|found| found.to_string().replace(&there, "DIR")).collect();
        let fits = |(found, wanted): (&String, &String)| {
            found.strip_prefix("gateway.toml:").unwrap_or(found).starts_with(wanted)
        };
        let fit = found.len() == wanted.len() && found.iter().zip(wanted).all(fits);
        assert!(fit, "{case}\nfound {found:#?}\nwanted {wanted:#?}");
    }
}

#[test]
fn what_is_not_the_shape_of_a_config_is_reported() {
    check(
        Severity::Error,
        r#"
listen = => listen => 1:8: a key without a value; write KEY = VALUE
listen = => lisen = => 1:1: the config has no `listen`; write listen = "127.0.0.1:8080" => 1:1: the config has no key `lisen`; did you mean `listen`? known here: 
"127.0.0.1:8080" => 8080 => 1:10: `listen` has to be text in quotes, or a list of such texts, not a whole number
"env:SECRET" => 12345678 => 7:10: `secret` has to be text in quotes, not a whole number
[targets.a] => [targets]⏎z = 1⏎[targets.a] => 4:1: `z` is no target; write a header with a name above it, [targets.NAME]
"#,
    );
}

#[test]
fn flaws_of_the_listeners_are_reported() {
    check(
        Severity::Error,
        r#"
"127.0.0.1:8080" => ":8080" => 1:10: `:8080` is no address; write an IP address and a port, such as 127.0.0.1:8080
"127.0.0.1:8080" => [] => 1:10: `listen` is empty
"127.0.0.1:8080" => ["[::1]:1", "[::1]:1"] => 1:22: `[::1]:1` is taken already, by `listen` at [::1]:1; write another port
8080" => 8080"⏎admin = "127.0.0.1:8080" => 2:9: `127.0.0.1:8080` is taken already
8080" => 8080"⏎tls = {} => 2:7: `tls` has no `cert`; write cert = => 2:7: `tls` has no `key`; write key =
8080" => 8080"⏎tls = { cert = "server.key", key = "server.pem" } => 2:16: `DIR/server.key` holds no certificate in PEM form => 2:36: `DIR/server.pem` holds no private key in PEM form
8080" => 8080"⏎store = "redis:" => 2:9: this is no `store`; write "memory", "sqlite:PATH" or "postgres://…"
8080" => 8080"⏎mappings = "nowhere" => 2:12: `DIR/nowhere` is not there; write a path
8080" => 8080"⏎mappings = "wrong" => DIR/wrong/mappings.toml:1:1: nothing reads a mapping file of this name; write one of aliyun/provider.toml, 
8080" => 8080"⏎resources = "nowhere" => 2:13: `DIR/nowhere` is not there; write a path
8080" => 8080"⏎resources = "secrets/ucloud" => DIR/secrets/ucloud:1:6: 
"#,
    );
}

#[test]
fn flaws_of_targets_are_reported() {
    check(
        Severity::Error,
        r#"
aliyun => aliyum => 4:12: `aliyum` is no `provider`; did you mean `aliyun`? known here: aliyun, ucloud, tableless
aliyun => tableless => 4:12: `tableless` has no mapping tables; write one of aliyun, ucloud
"aliyun" => "aliyun"⏎signature = "sha1" => 5:13: `sha1` is no `signature` of this cloud; write one of v1, acs3
https://slb => slb => 5:12: `slb.{region}.aliyuncs.com` has no scheme; write http://HOST or https://HOST
https://slb => https://me:hidden@slb => 5:12: the endpoint has a user name in it
endpoint = "https://api.ucloud.cn" => # gone => 9:1: the target `u` has no `endpoint`; write endpoint = "https://
"gateway" => "gateway"⏎concurrency = 0 => 7:15: `concurrency` is `0`; write 1 to 
"gateway" => "gateway"⏎region = "" => 7:10: `region` is ``; write an id
"gateway" => "gateway"⏎unmapped = "sane" => 7:12: `sane` is no `unmapped`; did you mean `same`? known here: refuse, same
"gateway" => "gateway"⏎headers = { "a b" = "1" } => 7:13: `a b` is no name of a header
"gateway" => "gateway"⏎headers = { a = "1\u0001" } => 7:17: the header `a` has a control character in its value
"gateway" => "gateway"⏎headers = { host = "1" } => 7:13: the header `host` is the transport's to write
"gateway" => "gateway"⏎headers = { a = "1", A = "2" } => 7:13: the header `a` is there already
"gateway" => "gateway"⏎ca = "secrets/ucloud" => 7:6: `DIR/secrets/ucloud` holds no certificate in PEM form
[targets.a] => [targets.refuse] => 3:10: `refuse` is no name for a target => 25:10: `a` is no target; write one of refuse, u
"#,
    );
}

#[test]
fn flaws_of_credentials_are_reported() {
    check(
        Severity::Error,
        r#"
env:SECRET => env:UNSET => 7:10: the environment variable `UNSET` is not set; set it where weighbridge starts, or write file:PATH
env:SECRET => env:EMPTY => 7:10: the environment variable `EMPTY` is empty
env:SECRET => env:BROKEN => 7:10: the `secret` has an illegal character at place 5; write it in printable ASCII
env:SECRET => env:SPACED => 7:10: the `secret` begins or ends with a space
file:secrets/ucloud => file:nowhere => 18:10: `DIR/nowhere` is not there; write a path
file:secrets/ucloud => file:secrets/empty => 18:10: the `secret` in `secrets/empty` is empty
"gateway" => "gätewäy" => 6:10: the `key_id` has an illegal character at place 2
"gateway" => "gateway"⏎token = "env:UNSET" => 7:9: the environment variable `UNSET` is not set
"#,
    );
}

#[test]
fn flaws_of_clients_are_reported() {
    check(
        Severity::Error,
        r#"
"u" => "v" => 19:10: `v` is no target; write one of a, u
dialect = "aliyun" => dialect = "azure" => 16:11: `azure` is no `dialect`; write one of aliyun, ucloud, tableless
dialect = "ucloud" => dialect = "aliyun" => 23:10: the client on line 17 has this key id in this dialect; write another
"u" => "u"⏎untranslated = "u" => 20:16: `u` speaks `ucloud` and this client `aliyun`; write one of refuse, a
"u" => "u"⏎untranslated = "b" => 20:16: `b` is no target
"u" => "u"⏎on_loss = "drop" => 20:11: `drop` is no `on_loss`; write one of refuse, report
"u" => "u"⏎replies = "dead" => 20:11: `dead` is no `replies`; write one of live, documented
target = "u" => # gone => 15:1: a client has no `target`; write target = 
"#,
    );
}

#[test]
fn flaws_of_templates_are_reported() {
    check(
        Severity::Error,
        r#"
"u" => "u"⏎template = "TCP" => 20:12: `template` has to be a table, not text
"u" => "u"⏎template = { port = [1, 2] } => 20:14: `template` has no key `port`; did you mean `ports`?
"u" => "u"⏎template = { protocol = "SCTP" } => 20:25: `SCTP` is no `protocol` of `ucloud`; write one of HTTP, HTTPS, TCP, UDP
"u" => "u"⏎template = { ports = 80 } => 20:22: `ports` has to be a list of whole numbers, not a whole number
"u" => "u"⏎template = { ports = [80] } => 20:22: `ports` is no span of ports; write [first, last], both within 1 to 65535
"u" => "u"⏎template = { ports = [0, 9] } => 20:22: `ports` is no span of ports
"u" => "u"⏎template = { ports = [9, 1] } => 20:22: `ports` is no span of ports
"u" => "u"⏎template = { ports = [1, 65536] } => 20:22: `ports` is no span of ports
"u" => "u"⏎template = { options = { Method = 1 } } => 20:35: `Method` has to be text in quotes, not a whole number
target = "a" => target = "a"⏎template = {} => 26:12: a group of `aliyun` needs no template; leave `template` out
"#,
    );
}

#[test]
fn flaws_of_limits_are_reported() {
    check(
        Severity::Error,
        r#"
[[clients]] => [limits]⏎max_in_flight = 0⏎[[clients]] => 16:17: `max_in_flight` is `0`; write 1 to 
[[clients]] => [limits]⏎max_header_bytes = 0⏎[[clients]] => 16:20: `max_header_bytes` is `0`; write 1 to 
[[clients]] => [limits]⏎header_timeout = "0s"⏎[[clients]] => 16:18: `header_timeout` is `0s`; write a time such as "30s"
[[clients]] => [limits]⏎max_connections = 1_000_000_001⏎[[clients]] => 16:19: `max_connections` is `1_000_000_001`; write 1 to 
[[clients]] => [limits]⏎body_timeout = "-1s"⏎[[clients]] => 16:16: `body_timeout` is `-1s`
[[clients]] => [limits]⏎idle_timeout = 90⏎[[clients]] => 16:16: `idle_timeout` has to be text in quotes, not a whole number
[[clients]] => [limits]⏎max_in_flight = -1⏎[[clients]] => 16:17: `max_in_flight` is `-1`
[[clients]] => [limits]⏎clock_skew = 900⏎[[clients]] => 16:14: `clock_skew` has to be text in quotes, not a whole number
[[clients]] => [limits]⏎clock_skew = "soon"⏎[[clients]] => 16:14: `clock_skew` is `soon`; write a time such as "30s"
[[clients]] => [limits]⏎clock_skew = "0s"⏎[[clients]] => 16:14: `clock_skew` is `0s`
[[clients]] => [limits]⏎clock_skew = "-1s"⏎[[clients]] => 16:14: `clock_skew` is `-1s`
[[clients]] => [limits]⏎clock_skew = "99999h"⏎[[clients]] => 16:14: `clock_skew` is `99999h`
"#,
    );
}

#[test]
fn what_works_and_should_be_looked_at_is_a_warning() {
    check(
        Severity::Warning,
        r#"
env:SECRET => literal => 7:10: warning: the `secret` stands here for every reader; write env:NAME or file:PATH
https://api => http://api => 11:12: warning: calls to this host travel in clear
https://api.ucloud.cn => http://127.0.0.1:1
"aliyun" => "aliyun"⏎project = "x" => 5:11: warning: this cloud has no projects
"#,
    );
}

#[test]
fn every_problem_is_found_at_once() {
    let text = "listen = 1\nport = 2\n[targets.u]\nprovider = \"ucloud\"\nsecret = \"env:UNSET\"\n\n[limits]\nmax_in_flight = 0\n";
    let found = resolve(text, directory().path()).unwrap_err();
    let lines: Vec<usize> = found.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [1, 1, 2, 3, 3, 5, 8], "{found:#?}");
}

#[test]
fn the_embedded_config_resolves() {
    let [config, resources] = ["mappings/demo.toml", "mappings/resources.example.toml"].map(|name| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        SourceText::new(&format!("embedded:{name}"), &fs::read_to_string(path).unwrap())
    });
    let config = load_text(&config, Some(&resources), Path::new(""), &|_| None, KNOWN).unwrap();
    assert_eq!((config.targets.len(), config.clients.len(), config.files.len()), (2, 2, 0));
    assert_eq!(config.resources.servers_of("ucloud").count(), 28);
    assert_eq!(config.resources.balancers_of("ucloud").count(), 1);
    let literal = |warning: &Diagnostic| warning.message.contains("the `secret` stands here");
    assert!(config.warnings.len() == 4 && config.warnings.iter().all(literal), "{:?}", config.warnings);
}

#[test]
fn a_config_without_clients_is_refused() {
    let (head, _) = SOUND.split_once("[[clients]]").unwrap();
    let wanted = [
        (
            head.to_owned(),
            "gateway.toml:1:1: the config has no `clients`; write a table [[clients]] for every caller",
        ),
        (format!("clients = []\n{head}"), "gateway.toml:1:11: `clients` is empty; write a table [[clients]]"),
    ];
    for (text, wanted) in wanted {
        let found = resolve(&text, directory().path()).unwrap_err();
        assert!(found.len() == 1 && found[0].to_string().starts_with(wanted), "{found:#?}");
    }
}

#[test]
fn a_missing_config_file_is_named() {
    let Unsound { problems: found, files } =
        load(Path::new("no/such.toml"), &environment, KNOWN).unwrap_err();
    assert_eq!(files.iter().map(Watched::path).collect::<Vec<_>>(), [Path::new("no/such.toml")]);
    assert!(found[0].to_string().starts_with("no/such.toml:1:1: cannot be read: "), "{found:?}");
}

proptest! {
    #[test]
    fn no_text_panics(config in ".*", resources in ".*") {
        let texts = [config, resources].map(|text| SourceText::new("x", &text));
        let _ = load_text(&texts[0], Some(&texts[1]), Path::new("nowhere"), &environment, KNOWN);
    }

    #[test]
    fn no_slip_of_the_pen_panics(at in 0..CONTRACT.len(), cut in 0..40usize, with in ".{0,6}") {
        let slip = |text: &str| {
            let kept = |end: usize| text.chars().take(end).collect::<String>();
            SourceText::new("x", &(kept(at) + &with + &text.chars().skip(at + cut).collect::<String>()))
        };
        let _ = load_text(&slip(CONTRACT), Some(&slip(RESOURCES)), Path::new("nowhere"), &environment, KNOWN);
    }
}
