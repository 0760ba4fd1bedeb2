//! What is secret is never printed: not in a log at its most talkative, not in a reply, not in the report of a mistake.

use std::{path::Path, process::Command, time::Duration};

use weighbridge::{
    auth::Stamps,
    config::{Known, load},
    crypto::Secret,
    gateway::Gateway,
    providers::PROVIDERS,
    wire::{Call, read_request},
};

use super::{ALIBABA_PAGE, RSP, VSERVER, text_of};
use crate::support::{
    admin::Admin,
    demo_config,
    house::Clouds,
    program::{Ended, run},
    served::{PATIENCE, Served, send, weighbridge},
    signer::{ACS3, SHA1, Signer, V1},
    site::{Site, config, config_of},
    tap::Tap,
};

/// Stands in every secret that is planted, and nowhere else.
const MARK: &str = "Zx9Q";

/// Listens to commands that log all they can while secrets are marked.
struct Ear {
    log: &'static str,
    heard: String,
}

impl Ear {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = weighbridge(&[&["--log", self.log], arguments].concat());
        command.env("RUST_LOG", "trace").env("WEIGHBRIDGE_TEST_CLIENT", "Zx9Q-client-env");
        command
    }

    /// Runs a command and keeps what it says; what that is on standard output.
    fn run(&mut self, command: &mut Command, input: &str) -> String {
        let ended = run(command, input, PATIENCE);
        self.hear(&ended);
        ended.out
    }

    fn hear(&mut self, ended: &Ended) {
        let Ended { code: _, out, err } = ended;
        self.heard.extend([out.as_str(), err.as_str()]);
    }

    /// Asks the admin listener for everything that it tells.
    fn ask(&mut self, served: &Served) {
        let admin = Admin::of(served);
        for path in ["/", "/healthz", "/readyz", "/metrics", "/requests", "/nothing"] {
            self.heard.push_str(&admin.text(path));
        }
    }

    /// No line may have the mark in it.
    fn check(&self) {
        let leaks: Vec<&str> = self.heard.lines().filter(|line| line.contains(MARK)).collect();
        assert!(leaks.is_empty(), "{}", leaks.join("\n"));
    }
}

/// Secrets in the config, in the environment and in a file. The gateway's own is accepted by one target and refused by
/// the other.
fn marked_site(clouds: &Clouds) -> Site {
    let text = format!("admin = \"127.0.0.1:0\"\n{}", config_of(clouds))
        .replacen("demo-gateway-secret", "Zx9Q-accepted", 1)
        .replacen("demo-gateway-secret", "Zx9Q-refused", 1)
        .replace("provider = ", "headers = { channel-key = \"Zx9Q-header\" }\nprovider = ")
        .replace("demo-aliyun-secret", "env:WEIGHBRIDGE_TEST_CLIENT")
        .replace("demo-ucloud-secret", "file:secret.txt");
    let site = Site::with(&text);
    site.write("secret.txt", "Zx9Q-client-file\n");
    site
}

/// Reloads of configs whose mistakes stand right beside secrets.
fn spoil(site: &Site, served: &Served) {
    let good = std::fs::read_to_string(site.config()).unwrap();
    let admin = Admin::of(served);
    for (bad, (from, to)) in [
        (1, ("\"Zx9Q-accepted\"", "\"Zx9Q-accepted")),
        (2, ("\"Zx9Q-accepted\"", "[\"Zx9Q-accepted\"]")),
        (3, ("\"Zx9Q-header\"", "7 \"Zx9Q-header\"")),
        (4, ("file:secret.txt", "Zx9Q\\q")),
    ] {
        site.write("weighbridge.toml", &good.replace(from, to));
        served.program.signal("HUP");
        admin.wait_for_reloads((0, bad));
    }
}

fn marked_clouds() -> Clouds {
    let mut config = demo_config();
    config.targets[0].credential.secret = Secret::new("Zx9Q-accepted");
    Clouds::of(config, Duration::ZERO)
}

#[test]
fn a_secret_is_never_printed() {
    for log in ["text", "json"] {
        let clouds = marked_clouds();
        let site = marked_site(&clouds);
        let (file, mut ear) = (site.config(), Ear { log, heard: String::new() });
        let served = Served::start(&mut ear.command(&["serve", "--config", &file]));
        let add = format!("{RSP}&BackendServers=[{{'ServerId':'i-bp1example00000001','Port':80}}]");
        let allocate = format!("Action=AllocateBackend&{VSERVER}&ResourceId=uhost-demo01");
        for (signer, query, answer) in [
            (Signer { secret: "Zx9Q-client-env", ..V1 }, &add, "ServiceUnavailable"),
            (Signer { secret: "Zx9Q-client-env", ..ACS3 }, &add, "ServiceUnavailable"),
            (Signer { secret: "Zx9Q-forged", ..V1 }, &add, "SignatureDoesNotMatch"),
            (Signer { secret: "Zx9Q-client-file", ..SHA1 }, &allocate, "\"RetCode\":0"),
        ] {
            let mut sign = signer.command(&served.endpoint, query);
            let line = ear.run(sign.args(["--log", log]).env("RUST_LOG", "trace"), "");
            let reply = text_of(&send(read_request(&line).unwrap()).body);
            assert!(reply.contains(answer), "{reply}");
            ear.heard.push_str(&reply);
            ear.run(&mut ear.command(&["explain", "--config", &file]), &line);
        }
        ear.run(&mut ear.command(&["check", "--config", &file]), "");
        ear.run(&mut ear.command(&["serve", "--config", &file, "--listen", &served.endpoint]), "");
        ear.ask(&served);
        spoil(&site, &served);
        ear.ask(&served);
        ear.hear(&served.stop());
        assert!(ear.heard.contains("TRACE"), "everything was to be logged");
        ear.check();
    }
}

/// The signature of a call, as it was sent and as it reads.
fn signatures(call: &Call) -> Vec<String> {
    let header = call.header("authorization").unwrap_or_default().rsplit("Signature=").next();
    let body = text_of(&call.body);
    let pairs = call.query.split('&').chain(body.split('&'));
    let sent = pairs
        .filter_map(|pair| pair.strip_prefix("Signature="))
        .chain(header)
        .filter(|sent| !sent.is_empty());
    let read = |sent: &str| percent_encoding::percent_decode_str(sent).decode_utf8().unwrap().into_owned();
    sent.flat_map(|sent| [sent.to_owned(), read(sent)]).collect()
}

/// Whoever reads one can send the request again: UCloud signs neither time nor nonce, and the gateway's own calls are as good
/// as its keys.
#[test]
fn a_usable_signature_is_never_told() {
    let clouds = Clouds::open(Duration::ZERO);
    let taps =
        ["aliyun-simulated", "ucloud-simulated"].map(|target| Tap::before(clouds.origin(target), &clouds));
    let [aliyun, ucloud] = taps.each_ref().map(|tap| format!("http://{}", tap.endpoint));
    let site = Site::with(&format!("admin = \"127.0.0.1:0\"\n{}", config(&aliyun, &ucloud)));
    let mut ear = Ear { log: "text", heard: String::new() };
    let served = Served::start(&mut ear.command(&["serve", "--config", &site.config()]));
    let mut usable = Vec::new();
    let add = format!("{RSP}&BackendServers=[{{'ServerId':'i-bp1example00000001','Port':80}}]");
    let allocate = format!("Action=AllocateBackend&{VSERVER}&ResourceId=uhost-demo02");
    for (signer, query) in
        [(V1, &add), (ACS3, &add), (SHA1, &allocate), (SHA1, &"Action=Frobnicate".to_owned())]
    {
        let call = read_request(&signer.curl_line(&served.endpoint, query)).unwrap();
        usable.extend(signatures(&call));
        send(call);
    }
    let calls: Vec<Call> = taps.iter().flat_map(Tap::tapped).map(|tapped| tapped.call).collect();
    assert!(calls.len() >= 3, "the gateway called {calls:?}");
    usable.extend(calls.iter().flat_map(signatures));
    assert!(usable.len() >= 14 && usable.iter().all(|signature| signature.len() > 20), "{usable:?}");
    ear.ask(&served);
    ear.hear(&served.stop());
    let told: Vec<&String> = usable.iter().filter(|signature| ear.heard.contains(*signature)).collect();
    assert!(told.is_empty(), "{told:?}");
    assert!(ear.heard.contains("AllocateBackend") && ear.heard.contains("TRACE"), "it told the rest");
}

/// A panic prints what it was about with `Debug`.
#[test]
fn nothing_that_a_panic_could_print_holds_a_secret() {
    let clouds = marked_clouds();
    let site = marked_site(&clouds);
    let known: Vec<Known<'_>> = PROVIDERS
        .iter()
        .map(|provider| Known {
            provider: provider.id,
            schemes: if provider.id == "aliyun" { &["acs3", "v1"] } else { &["sha1"] },
        })
        .collect();
    let set = |_: &str| Some("Zx9Q-env".to_owned());
    let text = std::fs::read_to_string(site.config()).unwrap().replace("store = \"memory\"", "");
    site.write("weighbridge.toml", &format!("store = \"postgres://a:Zx9Q@127.0.0.1/b\"\n{text}"));
    let config = load(Path::new(&site.config()), &set, &known).unwrap();
    let gateway = clouds.wait(Gateway::bind(config.clone(), Stamps::system().unwrap())).unwrap();
    for shown in
        [format!("{config:?}"), format!("{config:#?}"), format!("{:?}", config.store), format!("{gateway:?}")]
    {
        assert!(!shown.contains(MARK), "{shown}");
    }
}

#[test]
fn a_mistake_in_a_secret_does_not_print_it() {
    for written in [
        "[\"Zx9Q\"]",
        "Zx9Q",
        "\"Zx9Q",
        "\"Zx9Q\\q\"",
        "\"Zx9Q\" \"Zx9Q\"",
        "\"Zx9Q-\u{e9}\"",
        "\" Zx9Q\"",
        "\"Zx9Q\"\nsecrett = \"Zx9Q\"",
        "\"file:two-lines.txt\"",
    ] {
        let text = config("http://127.0.0.1:1", "http://127.0.0.1:1");
        let site = Site::with(&text.replace("\"demo-aliyun-secret\"", written));
        site.write("two-lines.txt", "Zx9Q\nZx9Q\n");
        let (file, mut ear) = (site.config(), Ear { log: "text", heard: String::new() });
        for command in ["check", "serve"] {
            let ended = run(&mut ear.command(&[command, "--config", &file]), "", PATIENCE);
            assert_eq!(ended.code, Some(1), "{written}\n{ended:?}");
            ear.hear(&ended);
        }
        ear.run(&mut ear.command(&["explain", "--config", &file, ALIBABA_PAGE]), "");
        ear.check();
    }
}

/// What `serve` says while it answers this request by this config, and the answer.
fn overheard(text: &str, signer: Signer, query: &str) -> (Ear, String) {
    let (site, mut ear) = (Site::with(text), Ear { log: "text", heard: String::new() });
    let served = Served::start(&mut ear.command(&["serve", "--config", &site.config()]));
    let mut sign = signer.command(&served.endpoint, query);
    let token = ["--token-from", "env:WEIGHBRIDGE_TEST_TOKEN"];
    let line = run(sign.args(token).env("WEIGHBRIDGE_TEST_TOKEN", "Zx9Q-token"), "", PATIENCE);
    let reply = send(read_request(&line.out).unwrap());
    ear.hear(&served.stop());
    (ear, text_of(&reply.body))
}

/// The target answers a wrong signature with the string that it signed, and the gateway's token stands in it.
#[test]
fn the_token_of_the_gateways_own_keys_is_never_printed() {
    let clouds = Clouds::open(Duration::ZERO);
    let secret = "\"wrong\"\nsignature = \"v1\"\ntoken = \"Zx9Q-token\"";
    let text = config_of(&clouds).replacen("\"demo-gateway-secret\"", secret, 1);
    let query = format!("Action=AllocateBackend&{VSERVER}&ResourceId=uhost-demo01");
    let (mut ear, answer) = overheard(&text, SHA1, &query);
    assert!(answer.contains("\"RetCode\":130"), "{answer}");
    ear.heard.push_str(&answer);
    ear.check();
}

/// The caller may see his own token in the string that is to be compared with his, and the log may not.
#[test]
fn the_token_of_a_callers_keys_is_never_logged() {
    let told = config("http://127.0.0.1:1", "http://127.0.0.1:1");
    let [known, other] = ["Zx9Q-token", "Zx9Q-other"].map(|token| {
        let secret = format!("\"demo-aliyun-secret\"\ntoken = \"{token}\"");
        told.replace("\"demo-aliyun-secret\"", &secret)
    });
    let forged = Signer { secret: "wrong", ..V1 };
    for (text, signer, code) in [
        (&known, forged, "SignatureDoesNotMatch"),
        (&known, Signer { scheme: "acs3", ..forged }, "SignatureDoesNotMatch"),
        (&other, V1, "InvalidSecurityToken"),
        (&other, ACS3, "InvalidSecurityToken"),
        (&known, V1, "ServiceUnavailable"),
        (&known, ACS3, "ServiceUnavailable"),
    ] {
        let add = format!("{RSP}&BackendServers=[{{'ServerId':'i-bp1example00000001','Port':80}}]");
        let (ear, answer) = overheard(text, signer, &add);
        assert!(answer.contains(code), "{answer}");
        ear.check();
    }
}
