//! What the pages say is what the tables do.

use std::{fs, path::PathBuf};

use weighbridge::{
    mapping::{BackendTable, Cloud, FieldRow, Rule, Sources, Tables},
    model::{Field, LossPolicy},
};

const BEGIN: &str = "<!-- made from mappings/: begin -->";
const END: &str = "<!-- made from mappings/: end -->";

fn page(path: &str) -> String {
    fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn tables() -> Tables {
    Tables::compile(&Sources::embedded()).unwrap()
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
fn the_readmes_table_is_the_one_that_the_mappings_make() {
    let tables = tables();
    let expected = survival(tables.cloud("aliyun").unwrap(), tables.cloud("ucloud").unwrap());
    let readme = page("README.md");
    let (_, rest) = readme.split_once(BEGIN).unwrap();
    let (written, _) = rest.split_once(END).unwrap();
    assert_eq!(written.trim(), expected, "write this between the marks:\n{expected}\n");
}

#[test]
fn the_examples_of_the_table_language_load() {
    let text = page("mappings/README.md");
    let examples: Vec<&str> =
        text.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(examples.len(), 4, "an example was added or lost");
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
