//! What the pages say is what the tables do.

use std::{
    fs,
    path::{Path, PathBuf},
};

use weighbridge::{
    config::{Known, load_text},
    mapping::{BackendTable, Cloud, FieldRow, GroupTemplate, Rule, SourceText, Sources, Tables},
    model::{Field, LossPolicy, OperationName},
};

fn page(path: &str) -> String {
    fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn tables() -> Tables {
    Tables::compile(&Sources::embedded()).unwrap()
}

/// Holds that the README has this table between its marks.
fn assert_written(name: &str, expected: &str) {
    let readme = page("README.md");
    let mark = |end: &str| format!("<!-- made from mappings/: {end} {name} -->");
    let (_, rest) = readme.split_once(&mark("begin")).unwrap();
    let (written, _) = rest.split_once(&mark("end")).unwrap();
    assert_eq!(written.trim(), expected, "write this between the marks:\n{expected}\n");
}

/// What a person calls operations. Every operation stands in one row.
const OPERATIONS: [(&str, &[OperationName]); 11] = [
    ("add backends", &[OperationName::AddBackends]),
    ("remove backends", &[OperationName::RemoveBackends]),
    ("change weight or state", &[OperationName::UpdateBackends]),
    ("swap backends", &[OperationName::ReplaceBackends]),
    ("read a group and its health", &[OperationName::DescribeGroup, OperationName::DescribeHealth]),
    ("list groups", &[OperationName::ListGroups]),
    ("create a group", &[OperationName::CreateGroup]),
    ("rename a group", &[OperationName::UpdateGroup]),
    ("delete a group", &[OperationName::DeleteGroup]),
    ("read load balancers", &[OperationName::ListLoadBalancers, OperationName::DescribeLoadBalancer]),
    (
        "regions and projects: the gateway itself answers",
        &[OperationName::ListRegions, OperationName::ListProjects],
    ),
];

/// One line an operation: the actions of each cloud that ask for it.
fn translated(clouds: &[&Cloud]) -> String {
    let line = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    let titles = clouds.iter().map(|cloud| cloud.title.clone());
    let mut lines = vec![
        line([String::new()].into_iter().chain(titles).collect()).replacen("|  |", "| |", 1),
        format!("|{}", "---|".repeat(clouds.len() + 1)),
    ];
    for (words, operations) in OPERATIONS {
        let cells = clouds.iter().map(|cloud| asking(cloud, operations));
        lines.push(line([words.to_owned()].into_iter().chain(cells).collect()));
    }
    lines.join("\n")
}

fn asking(cloud: &Cloud, operations: &[OperationName]) -> String {
    let named = |wanted: &[OperationName]| {
        let asks =
            cloud.actions.iter().filter(|action| action.operations.iter().any(|own| wanted.contains(own)));
        asks.map(|action| format!("`{}`", action.name)).collect::<Vec<_>>().join(", ")
    };
    let actions = named(operations);
    match operations {
        [OperationName::ReplaceBackends] if actions.is_empty() && cloud.capability.changes_ports => {
            format!("another port in {}", named(&[OperationName::UpdateBackends]))
        }
        _ if actions.is_empty() => "none".to_owned(),
        _ => actions,
    }
}

/// One line a field: what each cloud calls it and allows, and what becomes of it towards the other.
fn survival(here: &Cloud, there: &Cloud) -> String {
    let mut lines = vec![
        format!(
            "| field | {} | {} | towards {} | towards {} |",
            here.title, there.title, there.title, here.title
        ),
        "|---|---|---|---|---|".to_owned(),
    ];
    for field in Field::ALL {
        let (left, right) = (cell(&here.backend, field), cell(&there.backend, field));
        let (to, from) = (fate(here, there, field), fate(there, here, field));
        lines.push(format!("| {} | {left} | {right} | {to} | {from} |", field.name()));
    }
    lines.join("\n")
}

fn cell(table: &BackendTable, field: Field) -> String {
    table.row(field).map_or_else(|| "none".to_owned(), described)
}

fn described(row: &FieldRow) -> String {
    let allowed = match &row.rule {
        Rule::Text | Rule::Address => String::new(),
        Rule::Length(low, high) => format!(" {low}–{high} characters"),
        Rule::Range(low, high) => format!(" {low}–{high}"),
        Rule::Kinds { values, .. } => words(values.iter().map(|(word, _)| word)),
        Rule::YesNo(values) => words(values.iter().map(|(word, _)| word)),
    };
    let default = row.default.as_ref().map(|default| format!(", default {default}")).unwrap_or_default();
    format!("`{}`{allowed}{default}", row.wire)
}

fn words<'w>(words: impl Iterator<Item = &'w String>) -> String {
    format!(" {}", words.map(String::as_str).collect::<Vec<_>>().join(" "))
}

fn fate(from: &Cloud, to: &Cloud, field: Field) -> String {
    let lost = to.backend.losses().iter().find(|(lost, _)| *lost == field).map(|(_, policy)| *policy);
    let word = match lost {
        Some(LossPolicy::Remember) => "remembered",
        Some(LossPolicy::Report) => "reported",
        Some(LossPolicy::Refuse) => "refused",
        None => "carried",
    };
    match (field, lost) {
        _ if from.backend.row(field).is_none() => "–".to_owned(),
        (Field::Weight, Some(_)) => format!("carried; of a disabled backend {word}"),
        (Field::Address, Some(_)) => format!("of an interface or container {word}"),
        (Field::Vpc | Field::Subnet, None) if to.backend.row(field).is_none() => {
            "refused, unless a resource row gives the address an id".to_owned()
        }
        (Field::Address, None) if to.backend.row(Field::Vpc).is_none() => {
            "refused, unless a resource row gives the address an id".to_owned()
        }
        (Field::Weight, None) if from.backend.row(Field::Enabled).is_none() => {
            "carried; 0 as disabled".to_owned()
        }
        (Field::Enabled, None) if to.backend.row(field).is_none() => "carried, as weight 0".to_owned(),
        (Field::Kind, None) => kinds(from, to),
        _ => word.to_owned(),
    }
}

/// The kinds of one cloud in the words of the other.
fn kinds(from: &Cloud, to: &Cloud) -> String {
    let (
        Some(FieldRow { rule: Rule::Kinds { values, .. }, .. }),
        Some(FieldRow { rule: Rule::Kinds { values: there, fallback, told: _ }, .. }),
    ) = (from.backend.row(Field::Kind), to.backend.row(Field::Kind))
    else {
        panic!("both clouds have kinds");
    };
    let word = |kind| there.iter().find(|(_, known)| *known == kind).map(|(word, _)| word.as_str());
    let pairs = values.iter().map(|(name, kind)| {
        let stand_in = fallback.iter().find(|(from, _)| from == kind).and_then(|(_, to)| word(*to));
        format!("{name} → {}", word(*kind).or(stand_in).unwrap_or("by a resource row"))
    });
    pairs.collect::<Vec<_>>().join(", ")
}

#[test]
fn the_readmes_operations_are_the_ones_that_the_mappings_have() {
    let mut named: Vec<OperationName> =
        OPERATIONS.iter().flat_map(|(_, operations)| *operations).copied().collect();
    named.sort();
    assert_eq!(named, OperationName::ALL, "every operation stands in one row");
    let tables = tables();
    let clouds = ["aliyun", "ucloud"].map(|id| tables.cloud(id).unwrap().as_ref());
    assert_written("operations", &translated(&clouds));
}

#[test]
fn the_readmes_fields_are_the_ones_that_the_mappings_have() {
    let tables = tables();
    assert_written("fields", &survival(tables.cloud("aliyun").unwrap(), tables.cloud("ucloud").unwrap()));
}

#[test]
fn the_readmes_figures_are_the_ones_that_the_mappings_have() {
    let (readme, tables) = (page("README.md"), tables());
    let cloud = tables.cloud("ucloud").unwrap();
    let GroupTemplate { protocol, ports: (first, last), options } = cloud.group.template.as_ref().unwrap();
    let options = options.iter().map(|option| format!("{} = \"{}\"", option.name, option.value));
    let (protocol, options) = (cloud.group.protocol_word(*protocol), options.collect::<Vec<_>>().join(", "));
    for figure in [
        format!("for {} seconds at most", cloud.capability.settles_after.as_secs()),
        format!("{protocol}, the\nfirst free port from {first} to {last}"),
        format!(
            "template = {{ protocol = \"{protocol}\", ports = [{first}, {last}], options = {{ {options} }} }}"
        ),
    ] {
        assert!(readme.contains(&figure), "{figure}");
    }
}

/// Its template stands under `[[clients]]`, which is the last table of its config.
#[test]
fn the_readmes_config_loads() {
    let readme = page("README.md");
    let examples: Vec<&str> = readme.split("```toml\n").skip(1).collect();
    let examples: Vec<&str> = examples.iter().map(|rest| rest.split("```").next().unwrap()).collect();
    let [template, config, resources] = examples.as_slice() else { panic!("an example was added or lost") };
    let known = [("aliyun", &["v1", "acs3"][..]), ("ucloud", &["sha1"][..])];
    let known = known.map(|(provider, schemes)| Known { provider, schemes });
    let (config, resources) =
        (SourceText::new("config", &format!("{config}{template}")), SourceText::new("resources", resources));
    let set = |name: &str| Some(format!("the {name}"));
    let config = load_text(&config, Some(&resources), Path::new(""), &set, &known).unwrap();
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    let tables = tables();
    assert_eq!(config.clients[0].template, tables.cloud("ucloud").unwrap().group.template);
}

#[test]
fn the_examples_of_the_table_language_load() {
    let text = page("mappings/README.md");
    let examples: Vec<&str> =
        text.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(examples.len(), 8, "an example was added or lost");
    for example in examples {
        let path =
            example.lines().next().and_then(|line| line.strip_prefix("# ")).expect("a file name first");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, example).unwrap();
        let sources = Sources::overlaid(folder.path()).unwrap();
        if let Err(problems) = Tables::compile(&sources) {
            panic!("{path}: {problems:?}");
        }
    }
}
