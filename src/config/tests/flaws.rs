//! What is said of each thing that may be wrong with a config.

use super::*;

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
