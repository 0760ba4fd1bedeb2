//! Every golden folder: what a caller sends, what it means, what the target must get, and what the caller must get.
//!
//! `tests/golden/README.md` says what each file of a folder is.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use http::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::timeout;
use weighbridge::{
    config::Config,
    front::detect,
    model::{AddBackends, Backend, GroupRef, Loss, Operation, Target as Receiver, Traffic},
    providers::PROVIDERS,
    wire::{Call, Reply},
};

use crate::support::{
    comparison::{document_fits, text_fits},
    fixture,
    message::{on_the_wire, read_call, read_reply},
    outpost::{Outpost, PATIENCE},
    target::{Answers, params_of, signature_problem},
    xml::read_xml,
};

/// One folder.
struct Case {
    folder: PathBuf,
    about: About,
}

/// `case.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    /// Where every fact of the case is from.
    source: Vec<String>,
    on_loss: Option<String>,
    replies: Option<String>,
    unmapped: Option<String>,
    signature: Option<String>,
    /// The target's name, where it is not the other cloud.
    target: Option<String>,
    /// What the reply must not say.
    #[serde(default)]
    lacks: Vec<String>,
}

#[tokio::test]
async fn every_golden_case_holds() {
    let cases = Case::all();
    assert!(cases.len() >= 70, "only {} cases", cases.len());
    let mut problems = Vec::new();
    for case in &cases {
        let found = timeout(PATIENCE, case.problems()).await.expect("a case in time");
        problems.extend(found.into_iter().map(|problem| format!("{}: {problem}", case.name())));
    }
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

impl Case {
    fn all() -> Vec<Self> {
        let operations = folders(&fixture("golden"));
        let mut cases: Vec<PathBuf> = operations.iter().flat_map(|operation| folders(operation)).collect();
        cases.sort();
        cases.into_iter().map(Self::read).collect()
    }

    fn read(folder: PathBuf) -> Self {
        let text = fs::read_to_string(folder.join("case.toml")).unwrap_or_default();
        let about: About =
            toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        assert!(!about.source.is_empty(), "{}: where is it from?", folder.display());
        Self { folder, about }
    }

    fn name(&self) -> String {
        self.folder.strip_prefix(fixture("golden")).unwrap().display().to_string()
    }

    fn file(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.folder.join(name)).ok()
    }

    /// `call-1.http`, `call-2.http`, … up to the first that is not there.
    fn numbered(&self, what: &str) -> Vec<String> {
        (1..).map_while(|number| self.file(&format!("{what}-{number}.http"))).collect()
    }

    /// Everything in which this case is not as it is written.
    async fn problems(&self) -> Vec<String> {
        let request = self.file("request.http").expect("a request");
        let replies = self.numbered("reply").iter().map(|text| read_reply(text)).collect();
        let changes = self.changes();
        let changes: Vec<(&str, &str)> =
            changes.iter().map(|(old, new)| (old.as_str(), new.as_str())).collect();
        let outpost = Outpost::open(&changes, Answers::InOrder(replies)).await;
        let mut problems = Vec::new();
        for file in ["response.http", "response-2.http"] {
            let Some(wanted) = self.file(file) else { continue };
            let found = outpost.ask(&on_the_wire(&request)).await;
            let parted = response_problems(&read_reply(&wanted), &found, &self.about.lacks);
            problems.extend(parted.into_iter().map(|problem| format!("{file}: {problem}")));
        }
        problems.extend(self.call_problems(&outpost.target.take_calls()));
        problems.extend(self.model_problem(&request, &outpost.config));
        problems
    }

    /// The words of the golden config that this case has others for.
    fn changes(&self) -> Vec<(String, String)> {
        let About { source: _, on_loss, replies, unmapped, signature, target, lacks: _ } = &self.about;
        let change = |key: &str, usual: &str, word: &Option<String>| {
            word.as_ref().map(|word| (format!("{key}\"{usual}\""), format!("{key}\"{word}\"")))
        };
        let changes = [
            change("on_loss = ", "refuse", on_loss),
            change("replies = ", "live", replies),
            change("unmapped    = ", "refuse", unmapped),
            change("signature   = ", "acs3", signature),
            change("target  = ", "ucloud-prod", &target.clone().filter(|name| name == "aliyun-prod")),
            change("target  = ", "aliyun-prod", &target.clone().filter(|name| name == "ucloud-prod")),
        ];
        changes.into_iter().flatten().collect()
    }

    fn call_problems(&self, found: &[Call]) -> Vec<String> {
        let wanted: Vec<Call> = self.numbered("call").iter().map(|text| read_call(text)).collect();
        let mut problems = Vec::new();
        if wanted.len() != found.len() {
            let made: Vec<String> = found.iter().map(|call| format!("{:?}", params_of(call))).collect();
            problems.push(format!("the target wants {} calls and got {made:#?}", wanted.len()));
        }
        for (number, (wanted, found)) in wanted.iter().zip(found).enumerate() {
            let parted = call_problems(wanted, found);
            problems.extend(parted.into_iter().map(|problem| format!("call-{}.http: {problem}", number + 1)));
        }
        problems
    }

    fn model_problem(&self, request: &str, config: &Config) -> Option<String> {
        let wanted: Value = serde_json::from_str(&self.file("model.json")?).expect("JSON");
        let call = read_call(request);
        let speaker = detect(&call, PROVIDERS, &config.tables).expect("a language");
        let ingress = speaker.provider.ingress;
        let read = ingress.unpack(call).and_then(|arrival| ingress.read(&arrival, &speaker.cloud));
        match read {
            Ok(asked) => {
                let parted = document_fits(&wanted, &described(&asked.operation, &asked.ineffective)).err();
                parted.map(|problem| format!("model.json: {problem}"))
            }
            Err(fault) => Some(format!("model.json: it cannot be read: {fault}")),
        }
    }
}

fn folders(of: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(of).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.is_dir()).collect()
}

// === the reply to the caller ===

fn response_problems(wanted: &Reply, found: &Reply, lacks: &[String]) -> Vec<String> {
    let body = String::from_utf8(found.body.to_vec()).expect("a body of text");
    let mut problems = Vec::new();
    if wanted.status != found.status {
        problems.push(format!("status: wanted {}, found {}", wanted.status, found.status));
    }
    problems.extend(header_problems(&wanted.headers, &found.headers));
    problems.extend(header_problem("x-weighbridge-loss", &wanted.headers, &found.headers));
    let parted = document_fits(&document(wanted), &document(found)).err();
    problems.extend(parted.map(|problem| format!("body{problem}")));
    let said = lacks.iter().filter(|word| body.contains(word.as_str()));
    problems.extend(said.map(|word| format!("`{word}` is not to be said: {body}")));
    problems.extend(request_id_problem(found));
    problems
}

/// Every header that the file has is there, as often and in this order; others do not matter.
fn header_problems(wanted: &HeaderMap, found: &HeaderMap) -> Vec<String> {
    wanted.keys().filter_map(|name| header_problem(name.as_str(), wanted, found)).collect()
}

fn header_problem(name: &str, wanted: &HeaderMap, found: &HeaderMap) -> Option<String> {
    let values = |headers: &HeaderMap| -> Vec<String> {
        let all = headers.get_all(name).iter();
        all.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
    };
    let (wanted, found) = (values(wanted), values(found));
    let fits = wanted.len() == found.len() && wanted.iter().zip(&found).all(|(w, f)| text_fits(w, f));
    (!fits).then(|| format!("{name}: wanted {wanted:?}, found {found:?}"))
}

fn document(reply: &Reply) -> Value {
    let text = std::str::from_utf8(&reply.body).expect("a body of text");
    if reply.header("content-type").is_some_and(|kind| kind.contains("xml")) {
        return read_xml(text);
    }
    serde_json::from_str(text).unwrap_or_else(|error| Value::String(format!("no JSON ({error}): {text}")))
}

/// The request id is of the caller's cloud's own kind: an upper-case UUID in the body of one, a UUID in a header of the
/// other.
fn request_id_problem(found: &Reply) -> Option<String> {
    let id = match found.header("x-ucloud-request-uuid") {
        Some(id) => id.to_ascii_uppercase(),
        None => document(found)["RequestId"].as_str()?.to_owned(),
    };
    let form = |byte: u8| {
        if byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte) { 'h' } else { char::from(byte) }
    };
    let found: String = id.bytes().map(form).collect();
    (found != "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh").then(|| format!("the request id is `{id}`"))
}

// === a call to the target ===

fn call_problems(wanted: &Call, found: &Call) -> Vec<String> {
    let mut problems = Vec::new();
    if (&wanted.method, &wanted.path) != (&found.method, &found.path) {
        problems.push(format!("it goes by {} to {}", found.method, found.path));
    }
    problems.extend(header_problems(&wanted.headers, &found.headers));
    let named = |call: &Call| -> BTreeMap<String, String> { params_of(call).into_iter().collect() };
    let doubled = params_of(found).len() != named(found).len();
    if doubled {
        problems.push(format!("a parameter stands there twice: {:?}", params_of(found)));
    }
    problems.extend(params_problem(&named(wanted), &named(found)));
    problems.extend(signature_problem(found));
    problems
}

fn params_problem(wanted: &BTreeMap<String, String>, found: &BTreeMap<String, String>) -> Option<String> {
    let document = |params: &BTreeMap<String, String>| -> Value {
        params.iter().map(|(name, text)| (name.clone(), value(name, text))).collect()
    };
    let parted = document_fits(&document(wanted), &document(found)).err();
    parted.map(|problem| format!("parameters{problem}"))
}

/// `BackendServers` is compared as the document that it is.
fn value(name: &str, text: &str) -> Value {
    let list = if name == "BackendServers" { serde_json::from_str(text).ok() } else { None };
    list.unwrap_or_else(|| Value::String(text.to_owned()))
}

// === the common model, as `model.json` has it ===

fn described(operation: &Operation, ineffective: &[Loss]) -> Value {
    let Operation::AddBackends(AddBackends { group, backends }) = operation else {
        return json!({"operation": operation.name().name()});
    };
    let mut described = json!({
        "operation": operation.name().name(),
        "group": described_group(group),
        "backends": backends.iter().map(described_backend).collect::<Vec<_>>(),
    });
    if !ineffective.is_empty() {
        described["ineffective"] = ineffective.iter().map(|loss| loss.field.name()).collect();
    }
    described
}

fn described_group(group: &GroupRef) -> Value {
    let GroupRef { load_balancer, group, place } = group;
    let text = |text: &dyn ToString| Some(text.to_string());
    members([
        ("load_balancer", load_balancer.as_ref().and_then(|id| text(id))),
        ("group", text(group)),
        ("region", place.region.as_ref().and_then(|id| text(id))),
        ("project", place.project.as_ref().and_then(|id| text(id))),
    ])
}

fn described_backend(backend: &Backend) -> Value {
    let Backend { target, port, traffic, standby, description } = backend;
    let mut described = described_receiver(target);
    let (enabled, weight) = match traffic {
        Traffic::On(weight) => (true, Some(weight)),
        Traffic::Off(weight) => (false, weight.as_ref()),
    };
    described["kind"] = target.kind().name().into();
    described["port"] = port.get().into();
    described["enabled"] = enabled.into();
    described["standby"] = (*standby).into();
    if let Some(weight) = weight {
        described["weight"] = weight.get().into();
    }
    if let Some(description) = description {
        described["description"] = description.as_str().into();
    }
    described
}

fn described_receiver(receiver: &Receiver) -> Value {
    match receiver {
        Receiver::Resource { kind: _, id, address } => {
            members([("id", Some(id.to_string())), ("address", address.map(|ip| ip.to_string()))])
        }
        Receiver::Address { kind: _, ip, vpc, subnet } => members([
            ("address", Some(ip.to_string())),
            ("vpc", Some(vpc.to_string())),
            ("subnet", Some(subnet.to_string())),
        ]),
    }
}

/// An object of those members that are there.
fn members<const N: usize>(members: [(&str, Option<String>); N]) -> Value {
    members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), Value::String(value?)))).collect()
}
