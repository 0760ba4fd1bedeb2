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
    target::{Answers, action_of, params_of, signature_problem},
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
    assert!(cases.len() >= 170, "only {} cases", cases.len());
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

    /// What the target answers to each call of an action, in whatever order they come: `reply-to-<Action>.http`.
    fn named_replies(&self) -> BTreeMap<String, Reply> {
        let files = fs::read_dir(&self.folder).unwrap().map(|entry| entry.unwrap().file_name());
        let names = files.filter_map(|file| {
            let name = file.to_str()?.strip_prefix("reply-to-")?.strip_suffix(".http")?;
            Some(name.to_owned())
        });
        names
            .map(|name| (name.clone(), read_reply(&self.file(&format!("reply-to-{name}.http")).unwrap())))
            .collect()
    }

    /// Everything in which this case is not as it is written.
    async fn problems(&self) -> Vec<String> {
        let request = self.file("request.http").expect("a request");
        let replies = self.numbered("reply").iter().map(|text| read_reply(text)).collect();
        let answers = Answers::Scripted(self.named_replies(), replies);
        let changes = self.changes();
        let changes: Vec<(&str, &str)> =
            changes.iter().map(|(old, new)| (old.as_str(), new.as_str())).collect();
        let outpost = Outpost::open(&changes, answers).await;
        let second = self.file("request-2.http").unwrap_or_else(|| request.clone());
        let mut problems = Vec::new();
        for (file, request) in [("response.http", &request), ("response-2.http", &second)] {
            let Some(wanted) = self.file(file) else { continue };
            let found = outpost.ask(&on_the_wire(request)).await;
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
        let named = self.named_replies();
        let (found_by_name, found): (Vec<&Call>, Vec<&Call>) =
            found.iter().partition(|call| action_of(call).is_some_and(|action| named.contains_key(&action)));
        let wanted: Vec<Call> = self.numbered("call").iter().map(|text| read_call(text)).collect();
        let mut problems = Vec::new();
        for action in named.keys() {
            problems.extend(self.named_call_problems(action, &found_by_name));
        }
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

    /// `call-<Action>.http`: what every call of this action has to be, and there has to be one.
    fn named_call_problems(&self, action: &str, found: &[&Call]) -> Vec<String> {
        let file = format!("call-{action}.http");
        let Some(wanted) = self.file(&file).map(|text| read_call(&text)) else { return Vec::new() };
        let mut calls = found.iter().filter(|call| action_of(call).as_deref() == Some(action)).peekable();
        if calls.peek().is_none() {
            return vec![format!("{file}: there is no such call")];
        }
        calls
            .flat_map(|call| call_problems(&wanted, call))
            .map(|problem| format!("{file}: {problem}"))
            .collect()
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
    let parted = said_fits(&document(wanted), &document(found)).err();
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

// === what a file leaves open ===

/// The member, or the item, that says that there may be more.
const MORE: &str = "...";

/// Compares two documents in everything that `wanted` does not leave open: an object with the member `...` may have
/// members that it does not name, a list with the item `...` has its other items somewhere, whatever else it holds.
fn said_fits(wanted: &Value, found: &Value) -> Result<(), String> {
    let under = |place: &str, wanted: &Value, found: &Value| {
        said_fits(wanted, found).map_err(|rest| format!("{place}{rest}"))
    };
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => {
            let open = wanted.contains_key(MORE);
            match found.keys().find(|name| !open && !wanted.contains_key(*name)) {
                Some(name) => Err(format!(": `{name}` is not wanted in {}", Value::from(found.clone()))),
                None => wanted.iter().filter(|(name, _)| *name != MORE).try_for_each(|(name, wanted)| {
                    under(&format!(".{name}"), wanted, found.get(name).unwrap_or(&Value::Null))
                }),
            }
        }
        (Value::Array(wanted), Value::Array(found)) if wanted.iter().any(|item| item == MORE) => {
            let missing = wanted.iter().find(|wanted| {
                *wanted != MORE && !found.iter().any(|found| said_fits(wanted, found).is_ok())
            });
            missing.map_or(Ok(()), |item| Err(format!(": wanted {item} among {found:?}")))
        }
        (Value::Array(wanted), Value::Array(found)) if wanted.len() == found.len() => {
            let mut pairs = wanted.iter().zip(found).enumerate();
            pairs.try_for_each(|(at, (wanted, found))| under(&format!("[{at}]"), wanted, found))
        }
        (wanted, found) => document_fits(wanted, found),
    }
}

#[test]
fn what_a_file_leaves_open_is_open_and_nothing_else() {
    let wanted = json!({"A": 1, "List": [{"B": "*", "...": "..."}, {"C": 2}], "Open": [{"D": 3}, "..."]});
    let found = json!({"A": 1, "List": [{"B": "b", "E": 4}, {"C": 2}], "Open": [{"F": 5}, {"D": 3}, 6]});
    assert_eq!(said_fits(&wanted, &found), Ok(()));
    for (place, other) in [
        ("/A", json!(2)),
        ("/List/0", json!({"E": 4})),
        ("/List/1", json!({"C": 2, "G": 7})),
        ("/List", json!([{"B": "b"}])),
        ("/List", json!([{"B": "b"}, {"C": 2}, {"C": 2}])),
        ("/Open", json!([{"F": 5}])),
    ] {
        let mut found = found.clone();
        *found.pointer_mut(place).unwrap() = other;
        assert!(said_fits(&wanted, &found).is_err(), "{place}: {found}");
    }
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
    let parted = said_fits(&document(wanted), &document(found)).err();
    parted.map(|problem| format!("parameters{problem}"))
}

/// `BackendServers`, `OldBackendServers` and `NewBackendServers` are compared as the documents that they are.
fn value(name: &str, text: &str) -> Value {
    let list = if name.ends_with("BackendServers") { serde_json::from_str(text).ok() } else { None };
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
            ("vpc", vpc.as_ref().map(ToString::to_string)),
            ("subnet", subnet.as_ref().map(ToString::to_string)),
        ]),
    }
}

/// An object of those members that are there.
fn members<const N: usize>(members: [(&str, Option<String>); N]) -> Value {
    members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), Value::String(value?)))).collect()
}
