//! What `.deploy/` asks of metrics is there to be asked for, and its files are well formed.

use std::{collections::BTreeSet, fs, path::PathBuf, process::Command, sync::Arc};

use jiff::Timestamp;
use serde_json::Value;
use weighbridge::{
    config::Limits,
    model::FaultKind,
    telemetry::{Account, End, Readings, Telemetry, TextFormat, Told},
    wire::Params,
};
use yaml_rust2::{Yaml, YamlLoader};

use crate::{metrics::families, support::program::announce};

/// A metric, with what tells its series apart.
struct Series {
    name: String,
    labels: BTreeSet<String>,
    is_histogram: bool,
}

/// What `/metrics` has when everything has happened once.
fn known_series() -> Vec<Series> {
    let telemetry = Telemetry::new();
    let account = Account::open(&telemetry, &Arc::from("gateway"), None, Timestamp::UNIX_EPOCH);
    drop(account.waits());
    let told = Told { outcome: "done", code: None, request_id: None };
    let took = account.calls(&"ucloud-prod".into(), "DescribeVServer", Params::default()).ends(told);
    let losses = vec![("standby", "no place for it".to_owned())];
    account.ends(End { outcome: FaultKind::NonceUsed.name(), message: None, cause: String::new(), losses });
    drop(account);
    telemetry.metrics.called("ucloud-prod", "ok", took);
    telemetry.metrics.reload_refused("weighbridge.toml", 1, 1);
    let readings = Readings { refused: vec![("connections", 1)], ..Readings::default() };
    let text = telemetry.metrics.text(&readings, TextFormat::Prometheus);
    let is_histogram = |name: &str| text.contains(&format!("# TYPE {name} histogram\n"));
    let own = families(&text).into_iter();
    let own = own.map(|(name, labels)| Series { is_histogram: is_histogram(&name), name, labels });
    // Prometheus makes this one itself.
    let up = Series { name: "up".to_owned(), labels: BTreeSet::new(), is_histogram: false };
    own.chain([up]).collect()
}

/// What Prometheus adds to every series that it scrapes.
const SCRAPED: [&str; 2] = ["job", "instance"];

/// The words that a label may have; none where they are a config's or a target's own.
fn words_of(metric: &str, label: &str) -> Option<Vec<&'static str>> {
    let ours = |words: &[&'static str]| Some(words.to_vec());
    match (metric, label) {
        ("weighbridge_requests_total", "outcome") => {
            let faults = FaultKind::ALL.iter().map(|kind| kind.name());
            Some(faults.chain(["done", "passed", "unrecognised", "hung-up"]).collect())
        }
        ("weighbridge_reloads_total", "outcome") => ours(&["good", "bad"]),
        ("weighbridge_upstream_calls_total", "code") => {
            ours(&["ok", "other", "unreachable", "timed_out", "lost"])
        }
        ("weighbridge_connections_refused_total", "reason") => {
            ours(&["connections", "headers", "slow_head", "slow_body"])
        }
        _ => None,
    }
}

/// The labels of a metric by the name of one of its series; none if there is no such series.
fn labels_of(name: &str, known: &[Series]) -> Option<Vec<String>> {
    known.iter().find_map(|series| {
        let Series { name: base, labels, is_histogram } = series;
        let own: &[&str] = match (is_histogram, name.strip_prefix(base.as_str())?) {
            (false, "") | (true, "_count" | "_sum") => &[],
            (true, "_bucket") => &["le"],
            _ => return None,
        };
        let added = own.iter().chain(&SCRAPED).map(|label| (*label).to_owned());
        Some(labels.iter().cloned().chain(added).collect())
    })
}

/// A word or a sign of an expression. Quoted texts and what stands in brackets are one token.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Quoted(String),
    Sign(char),
}

fn tokens(expression: &str) -> Vec<Token> {
    let (mut found, mut rest) = (Vec::new(), expression.chars().peekable());
    while let Some(next) = rest.next() {
        let is_of_word = |c: &char| c.is_alphanumeric() || "_:.$".contains(*c);
        if next == '"' {
            found.push(Token::Quoted(rest.by_ref().take_while(|c| *c != '"').collect()));
        } else if next == '[' {
            // How far back: no name stands there.
            rest.by_ref().find(|c| *c == ']').expect("a bracket ends");
        } else if is_of_word(&next) {
            let mut word = String::from(next);
            while let Some(more) = rest.next_if(is_of_word) {
                word.push(more);
            }
            found.push(Token::Word(word));
        } else if !next.is_whitespace() {
            found.push(Token::Sign(next));
        }
    }
    found
}

/// What an expression names.
#[derive(Debug, Default)]
struct Named {
    metrics: Vec<String>,
    /// Metric, label and the words that it is compared with.
    compared: Vec<(String, String, String)>,
    /// The labels that are kept or matched on.
    grouped: Vec<String>,
}

fn named(expression: &str) -> Named {
    const LISTS: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];
    const OPERATORS: [&str; 5] = ["or", "and", "unless", "offset", "bool"];
    let (mut named, tokens) = (Named::default(), tokens(expression));
    let mut rest = tokens.as_slice();
    while let Some((token, behind)) = rest.split_first() {
        rest = behind;
        let Token::Word(word) = token else { continue };
        let is_number = word.starts_with(|c: char| c.is_numeric());
        let is_called = match behind.first() {
            Some(Token::Sign(sign)) => *sign == '(',
            Some(Token::Word(next)) => {
                LISTS.contains(&next.as_str()) && behind.get(1) == Some(&Token::Sign('('))
            }
            Some(Token::Quoted(_)) | None => false,
        };
        if LISTS.contains(&word.as_str()) {
            named.grouped.extend(inside(&mut rest, ')').iter().filter_map(Token::word));
        } else if !(is_called || is_number || OPERATORS.contains(&word.as_str())) {
            named.metrics.push(word.clone());
            if rest.first() == Some(&Token::Sign('{')) {
                named.compare(word, inside(&mut rest, '}'));
            }
        }
    }
    named
}

/// What stands between the sign that comes next and its `end`; both are passed over.
fn inside<'t>(rest: &mut &'t [Token], end: char) -> &'t [Token] {
    let (list, behind) = rest.split_at(rest.iter().position(|token| *token == Token::Sign(end)).unwrap());
    *rest = behind;
    &list[1..]
}

impl Token {
    fn word(&self) -> Option<String> {
        match self {
            Self::Word(word) => Some(word.clone()),
            Self::Quoted(_) | Self::Sign(_) => None,
        }
    }
}

impl Named {
    fn compare(&mut self, metric: &str, matchers: &[Token]) {
        let mut label = "";
        for matcher in matchers {
            match matcher {
                Token::Word(name) => label = name,
                Token::Quoted(text) => {
                    self.compared.push((metric.to_owned(), label.to_owned(), text.clone()));
                }
                Token::Sign(_) => {}
            }
        }
    }
}

/// What is wrong with an expression and with the labels that are shown of what it finds.
fn flaws(expression: &str, shown: &str, known: &[Series]) -> Vec<String> {
    let Named { metrics, compared, grouped } = named(expression);
    let mut flaws = Vec::new();
    if metrics.is_empty() {
        flaws.push("no metric".to_owned());
    }
    let mut kept: BTreeSet<String> = grouped.iter().cloned().collect();
    for metric in &metrics {
        let Some(labels) = labels_of(metric, known) else {
            flaws.push(format!("no metric `{metric}`"));
            continue;
        };
        let is_missing = |label: &&String| !labels.contains(label);
        flaws.extend(grouped.iter().filter(is_missing).map(|label| format!("`{metric}` has no `{label}`")));
        if grouped.is_empty() {
            kept.extend(labels.iter().cloned());
        }
        for (_, label, text) in compared.iter().filter(|(of, ..)| of == metric) {
            if is_missing(&label) {
                flaws.push(format!("`{metric}` has no `{label}`"));
            } else if let Some(words) = words_of(metric, label) {
                let unknown = text.split('|').filter(|word| !words.contains(word));
                flaws.extend(unknown.map(|word| format!("`{label}` of `{metric}` is never `{word}`")));
            }
        }
    }
    let templates = shown.split("{{").skip(1).filter_map(|rest| rest.split_once("}}"));
    for (template, _) in templates {
        let label = template.split('|').next().unwrap().trim();
        let label = label.strip_prefix("$labels.").unwrap_or(label);
        if label != "$value" && !kept.contains(label) {
            flaws.push(format!("`{label}` is shown and not kept"));
        }
    }
    flaws
}

fn deployed(name: &str) -> String {
    fs::read_to_string(folder().join(name)).unwrap()
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".deploy")
}

#[test]
fn a_name_that_is_not_there_is_found() {
    let cases = [
        ("weighbridge_store_up == 0", "{{ $labels.instance }}", vec![]),
        (
            "rate(weighbridge_requests_total{outcome=~\"done|busy\"}[5m])",
            "{{action}} {{ $value | humanize }}",
            vec![],
        ),
        ("sum by (dialect) (weighbridge_losses_total offset 1h) > 0.5", "{{dialect}}", vec![]),
        ("1 > 2", "", vec!["no metric"]),
        ("weighbridge_stor_up == 0", "", vec!["no metric `weighbridge_stor_up`"]),
        ("rate(weighbridge_requests[5m])", "", vec!["no metric `weighbridge_requests`"]),
        ("weighbridge_request_seconds", "", vec!["no metric `weighbridge_request_seconds`"]),
        ("weighbridge_store_up_bucket", "", vec!["no metric `weighbridge_store_up_bucket`"]),
        ("weighbridge_store_up{target=\"a\"}", "", vec!["`weighbridge_store_up` has no `target`"]),
        ("sum by (le) (weighbridge_store_up)", "", vec!["`weighbridge_store_up` has no `le`"]),
        (
            "weighbridge_requests_total{outcome=~\"done|target_denied\"}",
            "",
            vec!["`outcome` of `weighbridge_requests_total` is never `target_denied`"],
        ),
        ("sum by (job) (weighbridge_losses_total)", "{{field}}", vec!["`field` is shown and not kept"]),
        (
            "up > on (job) group_left () weighbridge_store_up",
            "{{ $labels.target }}",
            vec!["`target` is shown and not kept"],
        ),
    ];
    let known = known_series();
    for (expression, shown, expected) in cases {
        assert_eq!(flaws(expression, shown, &known), expected, "{expression} {shown}");
    }
}

#[test]
fn the_dashboard_asks_for_what_is_there() {
    let dashboard: Value = serde_json::from_str(&deployed("grafana.json")).unwrap();
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let panels = dashboard["panels"].as_array().unwrap();
    let (known, mut titles) = (known_series(), BTreeSet::new());
    let mut asked = String::new();
    for panel in panels {
        let title = text(&panel["title"]).expect("a panel has a title");
        assert!(text(&panel["fieldConfig"]["defaults"]["unit"]).is_some(), "`{title}` has a unit");
        assert!(text(&panel["description"]).is_some(), "`{title}` says what it shows");
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty(), "`{title}` asks for something");
        for target in targets {
            let expression = text(&target["expr"]).unwrap();
            let flaws = flaws(&expression, target["legendFormat"].as_str().unwrap(), &known);
            assert!(flaws.is_empty(), "`{title}`: {expression}: {flaws:?}");
            asked += &expression;
        }
        assert!(titles.insert(title), "two panels have one title");
    }
    for series in known.iter().filter(|series| series.name != "up") {
        assert!(asked.contains(&series.name), "no panel shows `{}`", series.name);
    }
    let chosen = dashboard["templating"]["list"][1]["query"].as_str().unwrap();
    assert_eq!(chosen, "label_values(weighbridge_build_info, instance)");
}

#[test]
fn every_alert_is_well_formed_and_says_what_to_do() {
    let alerts = &YamlLoader::load_from_str(&deployed("alerts.yml")).unwrap()[0];
    let proof = deployed("alerts_test.yml");
    let rules: Vec<&Yaml> = alerts["groups"]
        .as_vec()
        .unwrap()
        .iter()
        .flat_map(|group| group["rules"].as_vec().unwrap())
        .collect();
    let (known, mut names) = (known_series(), BTreeSet::new());
    for rule in &rules {
        let name = rule["alert"].as_str().expect("a rule has a name");
        assert!(names.insert(name), "two alerts are called `{name}`");
        for (key, _) in rule.as_hash().unwrap() {
            let known = ["alert", "expr", "for", "labels", "annotations"];
            assert!(known.contains(&key.as_str().unwrap()), "`{name}`: {key:?}");
        }
        let severity = rule["labels"]["severity"].as_str().unwrap();
        assert!(["page", "ticket"].contains(&severity), "`{name}`: {severity}");
        let (summary, runbook) = (&rule["annotations"]["summary"], &rule["annotations"]["runbook"]);
        let runbook = runbook.as_str().expect("an alert says what to do");
        assert!(runbook.ends_with('.') && runbook.len() > 80, "`{name}`: {runbook}");
        let flaws = flaws(rule["expr"].as_str().unwrap(), summary.as_str().unwrap(), &known);
        assert!(flaws.is_empty(), "`{name}`: {flaws:?}");
        let fires = format!("{{ labels: '{{alertname=\"{name}\", severity=\"{severity}\"}}', value: 1 }}");
        assert!(proof.contains(&fires), "`{name}` is not shown to fire");
        let silent = format!("alertname: {name} }}");
        assert!(proof.contains(&silent), "`{name}` is not shown to be silent");
    }
    assert_eq!(names.len(), 10, "an alert was added or lost");
}

#[test]
fn prometheus_itself_takes_the_alerts() {
    if Command::new("promtool").arg("--version").output().is_err() {
        announce(
            "skipped: Prometheus's own check of the alerts, since there is no promtool; Debian has it in `prometheus`",
        );
        return;
    }
    for arguments in [["check", "rules", "alerts.yml"], ["test", "rules", "alerts_test.yml"]] {
        let ran = Command::new("promtool").args(arguments).current_dir(folder()).output().unwrap();
        let said = [ran.stdout, ran.stderr].concat();
        assert!(ran.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&said));
    }
}

/// The value of a key that stands once in the unit.
fn setting<'u>(unit: &'u str, key: &str) -> &'u str {
    let lines: Vec<&str> =
        unit.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('=')).collect();
    let [value] = lines.as_slice() else { panic!("{key}: {lines:?}") };
    value
}

#[test]
fn the_unit_leaves_room_for_what_the_limits_allow() {
    let (unit, limits) = (deployed("weighbridge.service"), Limits::default());
    // A target's default concurrency is 8, and a connection is an open file.
    let files = limits.door.max_connections + 8 * limits.max_in_flight;
    let allowed: usize = setting(&unit, "LimitNOFILE").parse().unwrap();
    assert!(allowed > files, "{allowed} for {files}");
    let stop: u64 = setting(&unit, "TimeoutStopSec").trim_end_matches('s').parse().unwrap();
    // Connections have a minute, and then what their callers have left behind.
    assert!(stop >= 60 + limits.request_timeout.as_secs() + limits.upstream_timeout.as_secs(), "{stop}");
}

#[test]
fn the_image_is_made_of_what_is_there() {
    let (file, ignored) = (deployed("Containerfile"), deployed("Containerfile.dockerignore"));
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let copies =
        file.lines().filter_map(|line| line.strip_prefix("COPY ")).filter(|line| !line.starts_with("--"));
    let mut sources = BTreeSet::new();
    for copy in copies {
        let words: Vec<&str> = copy.split(' ').collect();
        sources.extend(words[..words.len() - 1].iter().copied());
    }
    assert!(sources.len() >= 6, "{sources:?}");
    for source in &sources {
        assert!(root.join(source).exists(), "{source}");
    }
    let let_in: BTreeSet<&str> = ignored.lines().filter_map(|line| line.strip_prefix('!')).collect();
    assert_eq!(let_in, sources);
    // The builder is not older than what the code needs.
    let (_, tag) = file.split_once("/rust:").unwrap();
    let numbers =
        |text: &str| -> Vec<u32> { text.split('.').map(|number| number.parse().unwrap()).collect() };
    let builder = numbers(tag.split_once('-').unwrap().0);
    assert!(builder >= numbers(env!("CARGO_PKG_RUST_VERSION")), "{builder:?}");
}
