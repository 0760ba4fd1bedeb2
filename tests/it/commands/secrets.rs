//! What is secret is never printed: not in a log at its most talkative, not in a reply, not in the report of a mistake.

use std::{process::Command, time::Duration};

use weighbridge::{cli::request_text::read_request, crypto::Secret};

use super::{ALIBABA_PAGE, RSP, VSERVER, text_of};
use crate::support::{
    demo_config,
    house::Clouds,
    program::{Ended, run},
    served::{PATIENCE, Served, send, weighbridge},
    signer::{ACS3, SHA1, Signer, V1},
    site::{Site, config, config_of},
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

    /// No line may have the mark in it.
    fn check(&self) {
        let leaks: Vec<&str> = self.heard.lines().filter(|line| line.contains(MARK)).collect();
        assert!(leaks.is_empty(), "{}", leaks.join("\n"));
    }
}

/// Secrets in the config, in the environment and in a file. The gateway's own is accepted by one target and refused by
/// the other.
fn marked_site(clouds: &Clouds) -> Site {
    let text = config_of(clouds)
        .replacen("demo-gateway-secret", "Zx9Q-accepted", 1)
        .replacen("demo-gateway-secret", "Zx9Q-refused", 1)
        .replace("provider = ", "headers = { channel-key = \"Zx9Q-header\" }\nprovider = ")
        .replace("demo-aliyun-secret", "env:WEIGHBRIDGE_TEST_CLIENT")
        .replace("demo-ucloud-secret", "file:secret.txt");
    let site = Site::with(&text);
    site.write("secret.txt", "Zx9Q-client-file\n");
    site
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
        ear.hear(&served.stop());
        assert!(ear.heard.contains("TRACE"), "everything was to be logged");
        ear.check();
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
