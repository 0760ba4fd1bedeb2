//! Another config under a running gateway: in force as a whole or not at all, and nobody who calls notices.

mod steady;

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use weighbridge::{
    http::Client,
    wire::{Reply, read_request},
};

use crate::support::{
    admin::Admin,
    house::Clouds,
    served::{PATIENCE, Served, send},
    signer::{ACS3, SHA1, Signer},
    site::{Site, config_of},
};

const GROUP: &str = "Action=DescribeVServerGroupAttribute&RegionId=cn-hangzhou&VServerGroupId=rsp-cige6j5e7p";
const SERVERS: &str = "Action=DescribeVServer&Region=cn-bj2&ULBId=ulb-abc123&VServerId=vserver-def456";

/// A gateway by a config that tests write to, before simulated clouds.
struct Bench {
    clouds: Clouds,
    site: Site,
}

impl Bench {
    fn open() -> Self {
        let clouds = Clouds::open(Duration::ZERO);
        let bench = Self { site: Site::with(""), clouds };
        bench.write(&bench.text());
        bench
    }

    /// The config of the embedded default, with an admin listener.
    fn text(&self) -> String {
        format!("admin = \"127.0.0.1:0\"\nstore = \"memory\"\n{}", config_of(&self.clouds))
    }

    fn write(&self, text: &str) {
        self.site.write("weighbridge.toml", text);
    }

    fn serve(&self) -> (Served, Admin) {
        let served = Served::by(&self.site.config());
        let admin = Admin::of(&served);
        (served, admin)
    }
}

fn ask(signer: Signer, served: &Served, query: &str) -> Reply {
    send(read_request(&signer.curl_line(&served.endpoint, query)).unwrap())
}

fn code_of(reply: &Reply) -> Value {
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    if body["Code"].is_null() { body["RetCode"].clone() } else { body["Code"].clone() }
}

#[test]
fn a_changed_file_is_in_force_without_a_word_from_anybody() {
    let bench = Bench::open();
    bench.site.write("secret.txt", "first");
    bench.write(&bench.text().replace("\"demo-ucloud-secret\"", "\"file:secret.txt\""));
    let (served, admin) = bench.serve();
    let by = |secret| Signer { secret, ..SHA1 };
    assert_eq!(code_of(&ask(by("first"), &served, SERVERS)), json!(0));
    bench.site.write("secret.txt", "second");
    admin.wait_for_reloads((1, 0));
    assert_eq!(code_of(&ask(by("second"), &served, SERVERS)), json!(0));
    assert_eq!(code_of(&ask(by("first"), &served, SERVERS)), json!(171));
}

#[test]
fn what_a_config_names_anew_is_watched_too_even_if_the_config_is_bad() {
    let bench = Bench::open();
    let (_served, admin) = bench.serve();
    bench.write(&bench.text().replace("resources.toml", "others.toml"));
    admin.wait_for_reloads((0, 1));
    bench.site.write("others.toml", "");
    admin.wait_for_reloads((1, 1));
    bench.site.write("others.toml", "[[server]]\naliyun = \"i-1\"\nucloud = \"uhost-1\"\n");
    admin.wait_for_reloads((2, 1));
}

#[test]
fn a_bad_edit_keeps_the_old_and_says_where_it_is() {
    let bench = Bench::open();
    let (served, admin) = bench.serve();
    assert_eq!(admin.count("weighbridge_config_good"), 1);
    bench.write(&bench.text().replace("provider = \"ucloud\"", "provider = \"uclod\""));
    served.program.signal("HUP");
    admin.wait_for_reloads((0, 1));
    let place =
        format!("weighbridge_config_refused{{file=\"{}\",line=\"14\",column=\"12\"}}", bench.site.config());
    assert_eq!((admin.count(&place), admin.count("weighbridge_config_good")), (1, 0));
    let ready = admin.get("/readyz");
    let said = String::from_utf8_lossy(&ready.body).into_owned();
    let problem = format!("{}:14:12: `uclod` is no `provider`", bench.site.config());
    assert!(ready.status == 200 && said.contains(&problem), "{said}");
    served
        .program
        .hear_err(PATIENCE, |log| (log.contains(&problem) && log.contains("not reloaded")).then_some(()));
    assert_eq!(ask(ACS3, &served, GROUP).status, 200, "the old config works on");
    bench.write(&bench.text());
    served.program.signal("HUP");
    admin.wait_for_reloads((1, 1));
    assert_eq!((admin.count(&place), admin.count("weighbridge_config_good")), (0, 1));
    assert_eq!(admin.text("/readyz"), "ready\n");
}

#[test]
fn what_takes_a_restart_says_so_and_the_rest_is_in_force() {
    let bench = Bench::open();
    let (served, admin) = bench.serve();
    let text = bench.text().replace("store = \"memory\"", "store = \"sqlite:other.db\"");
    let text = text
        .replacen("127.0.0.1:0", "127.0.0.1:1", 1)
        .replace("listen = \"127.0.0.1:0\"", "listen = \"127.0.0.2:0\"");
    bench.write(&text.replace("\"demo-ucloud-secret\"", "\"another\""));
    served.program.signal("HUP");
    admin.wait_for_reloads((1, 0));
    assert_eq!(code_of(&ask(Signer { secret: "another", ..SHA1 }, &served, SERVERS)), json!(0));
    let err = served.stop().err;
    for key in ["listen", "admin", "store"] {
        let line =
            err.lines().find(|line| line.contains("next start") && line.contains(&format!("key=\"{key}\"")));
        assert!(line.is_some(), "{key}\n{err}");
    }
    assert!(!err.contains("key=\"tls\""), "{err}");
}

#[test]
fn sighup_without_a_config_file_is_harmless() {
    let served = Served::embedded();
    served.program.signal("HUP");
    served.program.hear_err(PATIENCE, |log| log.contains("nothing to reload").then_some(()));
    let ended = served.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.err);
}

/// A certificate for loopback, and its key.
fn certificate() -> (String, String) {
    let params = rcgen::CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

#[test]
fn a_certificate_is_exchanged_with_the_rest_and_never_for_half_of_another() {
    let bench = Bench::open();
    let certificates = [certificate(), certificate()];
    let write = |certificate: &str, key: &str| {
        bench.site.write("cert.pem", certificate);
        bench.site.write("key.pem", key);
    };
    write(&certificates[0].0, &certificates[0].1);
    bench.write(&format!("tls = {{ cert = \"cert.pem\", key = \"key.pem\" }}\n{}", bench.text()));
    let (served, admin) = bench.serve();
    let is_served = |certificate: &str| {
        let call =
            read_request(&SHA1.curl_line(&served.endpoint, SERVERS).replace("http://", "https://")).unwrap();
        let client = Client::new(Some(certificate.as_bytes())).unwrap();
        bench.clouds.wait(client.send(call, PATIENCE, 1 << 20)).is_ok()
    };
    assert_eq!(certificates.each_ref().map(|made| is_served(&made.0)), [true, false]);
    write(&certificates[1].0, &certificates[0].1);
    served.program.signal("HUP");
    let refused = Instant::now() + PATIENCE;
    while admin.reloads().1 == 0 {
        assert!(Instant::now() < refused, "a key of another certificate is refused");
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(certificates.each_ref().map(|made| is_served(&made.0)), [true, false]);
    write(&certificates[1].0, &certificates[1].1);
    served.program.signal("HUP");
    let exchanged = Instant::now() + PATIENCE;
    while !is_served(&certificates[1].0) {
        assert!(Instant::now() < exchanged, "the new certificate is served");
        thread::sleep(Duration::from_millis(20));
    }
    assert!(!is_served(&certificates[0].0));
}
