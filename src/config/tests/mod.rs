//! Whole config files: what the contract's example means, and what is said of each that is wrong.

mod flaws;

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
    assert_eq!((&*aliyun.name, aliyun.scheme.as_str(), &aliyun.ca), ("aliyun-prod", "acs3", &None));
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
