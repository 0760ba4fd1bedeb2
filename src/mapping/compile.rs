//! Raw mapping files → typed tables. Every name is resolved here; a problem carries its file, line and column.

use std::{collections::BTreeMap, sync::Arc};

use http::StatusCode;
use toml::Spanned;

use super::{
    actions::{Action, Actions, GroupNames, UnknownParameters},
    capability::{Capability, DuplicateAdd, NamesBackends},
    diagnostic::{Diagnostic, SourceText},
    faults::{CodePattern, FaultRow, Faults, ReadRow, Template},
    places::Places,
    raw::{RawActions, RawBackend, RawFault, RawFaults, RawField, RawGroup, RawPlaces, RawProvider, Word},
    record::{BackendTable, FieldRow, Rule},
    source::Sources,
};
use crate::model::{FaultKind, Field, Kind, LossPolicy, OperationName, RegionId};

/// Every table of every cloud.
#[derive(Debug, Clone)]
pub struct Tables {
    clouds: Vec<Arc<Cloud>>,
    /// Which region here is which region there.
    pub places: Places,
}

/// The tables of one cloud.
#[derive(Debug, Clone)]
pub struct Cloud {
    /// The provider id: the name of the folder.
    pub id: String,
    /// The name for people.
    pub title: String,
    /// The API version that calls carry, where the cloud has versions.
    pub version: Option<String>,
    /// The signature scheme that the gateway signs with, unless a target names another.
    pub signature: String,
    /// The reply format when a request names none.
    pub default_format: Format,
    /// What the cloud can do in one call.
    pub capability: Capability,
    /// Its actions.
    pub actions: Actions,
    /// The parameters that name a group.
    pub group: GroupNames,
    /// How it writes a backend.
    pub backend: BackendTable,
    /// How it tells of failures.
    pub faults: Faults,
}

/// A format of replies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JSON.
    Json,
    /// XML.
    Xml,
}

/// Which of two generations of replies a client expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// What the cloud sends and its SDKs parse.
    Live,
    /// What the API pages print.
    Documented,
}

/// The fields that a cloud may have no place for; each then needs a row in `[loss]`.
const LOSABLE: [Field; 4] = [Field::Address, Field::Weight, Field::Standby, Field::Description];

impl Tables {
    /// Compiles all files.
    ///
    /// # Errors
    /// Every problem of every file.
    pub fn compile(sources: &Sources) -> Result<Self, Vec<Diagnostic>> {
        let mut problems = Problems::default();
        let ids = sources.clouds();
        let clouds = ids.iter().filter_map(|id| problems.keep(cloud(sources, id))).map(Arc::new).collect();
        let places = problems.keep(places(sources.layers("regions.toml"), &ids)).unwrap_or_default();
        problems.into_result(Self { clouds, places })
    }

    /// The tables of one cloud.
    #[must_use]
    pub fn cloud(&self, id: &str) -> Option<&Arc<Cloud>> {
        self.clouds.iter().find(|cloud| cloud.id == id)
    }

    /// All clouds.
    #[must_use]
    pub fn clouds(&self) -> &[Arc<Cloud>] {
        &self.clouds
    }
}

/// Problems gathered on the way, so that an operator sees all of them at once.
#[derive(Debug, Default)]
struct Problems(Vec<Diagnostic>);

impl Problems {
    fn keep<T>(&mut self, result: Result<T, Vec<Diagnostic>>) -> Option<T> {
        result.map_err(|problems| self.0.extend(problems)).ok()
    }

    fn keep_one<T>(&mut self, result: Result<T, Diagnostic>) -> Option<T> {
        result.map_err(|problem| self.0.push(problem)).ok()
    }

    fn into_result<T>(self, value: T) -> Result<T, Vec<Diagnostic>> {
        if self.0.is_empty() { Ok(value) } else { Err(self.0) }
    }
}

fn cloud(sources: &Sources, id: &str) -> Result<Cloud, Vec<Diagnostic>> {
    let layers = |file: &str| sources.layers(&format!("{id}/{file}"));
    let mut problems = Problems::default();
    let provider = problems.keep(provider(id, layers("provider.toml")));
    let rows = problems.keep(actions(layers("actions.toml")));
    let group = problems.keep(group(layers("group.toml")));
    let backend = problems.keep(backend(layers("backend.toml")));
    let faults = problems.keep(faults(layers("faults.toml")));
    let (Some(provider), Some(rows), Some(group), Some(backend), Some(faults)) =
        (provider, rows, group, backend, faults)
    else {
        return Err(problems.0);
    };
    let Provider { title, version, signature, default_format, unknown, common, capability } = provider;
    let actions = Actions { rows, common, unknown };
    let id = id.to_owned();
    Ok(Cloud { id, title, version, signature, default_format, capability, actions, group, backend, faults })
}

struct Provider {
    title: String,
    version: Option<String>,
    signature: String,
    default_format: Format,
    unknown: UnknownParameters,
    common: Vec<String>,
    capability: Capability,
}

fn provider(id: &str, layers: &[SourceText]) -> Result<Provider, Vec<Diagnostic>> {
    let mut provider = Provider {
        title: id.to_owned(),
        version: None,
        signature: String::new(),
        default_format: Format::Json,
        unknown: UnknownParameters::Refuse,
        common: Vec::new(),
        capability: Capability {
            backends_per_call: 1,
            names_backends: NamesBackends::Address,
            one_writer_per_group: false,
            tells_duplicates: false,
            duplicate_add: DuplicateAdd::Refuse,
        },
    };
    for layer in layers {
        lay_provider(&mut provider, layer).map_err(|problem| vec![problem])?;
    }
    Ok(provider)
}

fn lay_provider(provider: &mut Provider, layer: &SourceText) -> Result<(), Diagnostic> {
    let raw: RawProvider = layer.parse()?;
    replace(&mut provider.title, raw.title);
    replace(&mut provider.signature, raw.signature);
    replace(&mut provider.common, raw.common);
    provider.version = raw.version.or(provider.version.take());
    let formats = [("json", Format::Json), ("xml", Format::Xml)];
    replace(&mut provider.default_format, chosen(layer, raw.default_format.as_ref(), &formats)?);
    let unknown = [("ignore", UnknownParameters::Ignore), ("refuse", UnknownParameters::Refuse)];
    replace(&mut provider.unknown, chosen(layer, raw.unknown_parameters.as_ref(), &unknown)?);

    let (capability, raw) = (&mut provider.capability, raw.capability);
    if let Some(count) = raw.backends_per_call {
        if *count.get_ref() == 0 {
            return Err(layer.error(count.span(), "`backends_per_call` has to be 1 or more"));
        }
        capability.backends_per_call = count.into_inner();
    }
    let names = [("address", NamesBackends::Address), ("id", NamesBackends::Id)];
    replace(&mut capability.names_backends, chosen(layer, raw.names_backends.as_ref(), &names)?);
    let duplicate = [("accept", DuplicateAdd::Accept), ("refuse", DuplicateAdd::Refuse)];
    replace(&mut capability.duplicate_add, chosen(layer, raw.duplicate_add.as_ref(), &duplicate)?);
    replace(&mut capability.one_writer_per_group, raw.one_writer_per_group);
    replace(&mut capability.tells_duplicates, raw.tells_duplicates);
    Ok(())
}

fn actions(layers: &[SourceText]) -> Result<Vec<Action>, Vec<Diagnostic>> {
    let (mut problems, mut rows) = (Problems::default(), Vec::<Action>::new());
    for layer in layers {
        let Some(raw) = problems.keep_one(layer.parse::<RawActions>()) else { continue };
        for raw in raw.action {
            let known = rows.iter().position(|row| row.name == *raw.name.get_ref());
            let operation = raw
                .operation
                .as_ref()
                .map(|word| named(layer, word, &OperationName::ALL, OperationName::name));
            let operation = operation.and_then(|operation| problems.keep_one(operation));
            match (known.and_then(|at| rows.get_mut(at)), operation) {
                (Some(row), operation) => {
                    replace(&mut row.operation, operation);
                    replace(&mut row.required, raw.required);
                    replace(&mut row.optional, raw.optional);
                    replace(&mut row.max_backends, raw.max_backends);
                }
                (None, Some(operation)) => rows.push(Action {
                    name: raw.name.into_inner(),
                    operation,
                    required: raw.required.unwrap_or_default(),
                    optional: raw.optional.unwrap_or_default(),
                    max_backends: raw.max_backends.unwrap_or(1),
                }),
                (None, None) => {
                    problems.0.push(layer.error(raw.name.span(), "a new action needs an `operation`"));
                }
            }
        }
    }
    problems.into_result(rows)
}

fn group(layers: &[SourceText]) -> Result<GroupNames, Vec<Diagnostic>> {
    let mut names = RawGroup::default();
    for layer in layers {
        let raw: RawGroup = layer.parse().map_err(|problem| vec![problem])?;
        names.load_balancer = raw.load_balancer.or(names.load_balancer);
        names.group = raw.group.or(names.group);
        names.region = raw.region.or(names.region);
        names.project = raw.project.or(names.project);
    }
    let RawGroup { load_balancer, group, region, project } = names;
    let (Some(group), Some(region)) = (group, region) else {
        let first = layers.first().map(|layer| layer.error(0..0, "`group` and `region` have to be named"));
        return Err(first.into_iter().collect());
    };
    Ok(GroupNames { load_balancer, group, region, project })
}

fn backend(layers: &[SourceText]) -> Result<BackendTable, Vec<Diagnostic>> {
    let mut problems = Problems::default();
    let mut fields: Vec<(SourceText, RawField)> = Vec::new();
    let (mut zero_weight_disables, mut losses) = (false, BTreeMap::new());
    for layer in layers {
        let Some(raw) = problems.keep_one(layer.parse::<RawBackend>()) else { continue };
        let zero = chosen(layer, raw.zero_weight.as_ref(), &[("disabled", true), ("refused", false)]);
        replace(&mut zero_weight_disables, problems.keep_one(zero).flatten());
        raw.field.into_iter().for_each(|field| lay_field(&mut fields, layer, field));
        for (field, policy) in &raw.loss {
            if let Some((field, policy)) = problems.keep_one(loss(layer, field, policy)) {
                losses.insert(field, policy);
            }
        }
    }
    let rows: Vec<FieldRow> =
        fields.into_iter().filter_map(|(layer, raw)| problems.keep_one(field_row(&layer, raw))).collect();
    let carried = |field: Field| {
        let row = rows.iter().any(|row| row.field == field);
        match field {
            Field::Weight => !zero_weight_disables,
            // A cloud that has bare addresses has no place for one of an interface's.
            Field::Address => row && !rows.iter().any(|row| row.field == Field::Vpc),
            Field::Resource
            | Field::Kind
            | Field::Vpc
            | Field::Subnet
            | Field::Port
            | Field::Enabled
            | Field::Standby
            | Field::Description => row,
        }
    };
    if let (Some(layer), true) = (layers.first(), problems.0.is_empty()) {
        for field in LOSABLE.into_iter().filter(|field| !carried(*field) && !losses.contains_key(field)) {
            let what =
                format!("no row carries `{}`, so `[loss]` has to say what becomes of it", field.name());
            problems.0.push(layer.error(0..0, what));
        }
    }
    let losses = losses.into_iter().filter(|(field, _)| !carried(*field)).collect();
    problems.into_result(BackendTable { rows, zero_weight_disables, losses })
}

/// Lays a row over the one of the same wire name, attribute by attribute, or adds it.
fn lay_field(fields: &mut Vec<(SourceText, RawField)>, layer: &SourceText, over: RawField) {
    let known = fields.iter_mut().find(|(_, field)| field.wire.get_ref() == over.wire.get_ref());
    let Some((source, field)) = known else {
        fields.push((layer.clone(), over));
        return;
    };
    *source = layer.clone();
    *field = RawField {
        wire: over.wire,
        model: over.model.or(field.model.take()),
        default: over.default.or(field.default.take()),
        range: over.range.or(field.range.take()),
        length: over.length.or(field.length.take()),
        values: over.values.or(field.values.take()),
        fallback: over.fallback.or(field.fallback.take()),
    };
}

fn loss(layer: &SourceText, field: &Word, policy: &Word) -> Result<(Field, LossPolicy), Diagnostic> {
    let field = named(layer, field, &LOSABLE, Field::name)?;
    Ok((field, named(layer, policy, &LossPolicy::ALL, LossPolicy::name)?))
}

fn field_row(layer: &SourceText, raw: RawField) -> Result<FieldRow, Diagnostic> {
    let RawField { wire, model, default, range, length, values, fallback } = raw;
    let Some(model) = model else {
        return Err(layer.error(wire.span(), "a new field needs a `model`"));
    };
    let field = named(layer, &model, &Field::ALL, Field::name)?;
    let values = values.unwrap_or_default();
    let rule = match field {
        Field::Kind => kinds(layer, &wire, &values, &fallback.unwrap_or_default())?,
        Field::Enabled | Field::Standby => yes_no(layer, &wire, &values)?,
        Field::Port => number_range(layer, &wire, range.as_ref(), 1, 65_535)?,
        Field::Weight => number_range(layer, &wire, range.as_ref(), 0, 100)?,
        Field::Address => Rule::Address,
        Field::Resource | Field::Vpc | Field::Subnet | Field::Description => match length {
            Some(length) => Rule::Length(length.get_ref()[0], length.get_ref()[1]),
            None => Rule::Text,
        },
    };
    let row = FieldRow { wire: wire.into_inner(), field, default: None, rule };
    match default {
        None => Ok(row),
        Some(default) if fits(&row.rule, default.get_ref()) => {
            Ok(FieldRow { default: Some(default.into_inner()), ..row })
        }
        Some(default) => {
            let what = format!("the default `{}` is not {}", default.get_ref(), row.allowed());
            Err(layer.error(default.span(), what))
        }
    }
}

fn fits(rule: &Rule, text: &str) -> bool {
    match rule {
        Rule::Text => !text.is_empty(),
        Rule::Length(low, high) => (*low as usize..=*high as usize).contains(&text.chars().count()),
        Rule::Range(low, high) => text.parse().is_ok_and(|number| (*low..=*high).contains(&number)),
        Rule::Address => text.parse::<std::net::IpAddr>().is_ok(),
        Rule::Kinds { values, .. } => values.iter().any(|(word, _)| word == text),
        Rule::YesNo(values) => values.iter().any(|(word, _)| word == text),
    }
}

fn kinds(
    layer: &SourceText,
    wire: &Word,
    values: &BTreeMap<String, Word>,
    fallback: &BTreeMap<Word, Word>,
) -> Result<Rule, Diagnostic> {
    if values.is_empty() {
        return Err(layer.error(wire.span(), "a kind needs `values`, one word for each kind"));
    }
    let kind = |word: &Word| named(layer, word, &Kind::ALL, Kind::name);
    let mut words =
        values.iter().map(|(text, word)| Ok((text.clone(), kind(word)?))).collect::<Result<Vec<_>, _>>()?;
    words.sort_by_key(|(_, kind)| *kind);
    let fallback =
        fallback.iter().map(|(from, to)| Ok((kind(from)?, kind(to)?))).collect::<Result<Vec<_>, _>>()?;
    Ok(Rule::Kinds { values: words, fallback })
}

fn yes_no(layer: &SourceText, wire: &Word, values: &BTreeMap<String, Word>) -> Result<Rule, Diagnostic> {
    let meanings = [("yes", true), ("no", false)];
    let mut words = Vec::new();
    for (text, word) in values {
        if let Some(yes) = chosen(layer, Some(word), &meanings)? {
            words.push((text.clone(), yes));
        }
    }
    if [true, false].iter().all(|wanted| words.iter().any(|(_, yes)| yes == wanted)) {
        Ok(Rule::YesNo(words))
    } else {
        Err(layer.error(wire.span(), "needs `values` with one word for \"yes\" and one for \"no\""))
    }
}

fn number_range(
    layer: &SourceText,
    wire: &Word,
    range: Option<&Spanned<[u32; 2]>>,
    least: u32,
    most: u32,
) -> Result<Rule, Diagnostic> {
    let Some(range) = range else {
        return Err(layer.error(wire.span(), format!("needs a `range`, within [{least}, {most}]")));
    };
    let [low, high] = *range.get_ref();
    if least <= low && low <= high && high <= most {
        Ok(Rule::Range(low, high))
    } else {
        let what = format!("the range has to lie within [{least}, {most}], its lower end first");
        Err(layer.error(range.span(), what))
    }
}

fn faults(layers: &[SourceText]) -> Result<Faults, Vec<Diagnostic>> {
    let mut problems = Problems::default();
    let (mut rows, mut reads) = (BTreeMap::<FaultKind, FaultRow>::new(), Vec::new());
    for layer in layers {
        let Some(raw) = problems.keep_one(layer.parse::<RawFaults>()) else { continue };
        for raw in raw.fault {
            let kind = named(layer, &raw.kind, FaultKind::ALL, FaultKind::name);
            let Some(kind) = problems.keep_one(kind) else { continue };
            if let Some(row) = problems.keep_one(fault_row(layer, kind, rows.remove(&kind), raw)) {
                rows.insert(kind, row);
            }
        }
        // A layer's own readings come before those that it is laid over.
        let at = |raw| read_row(layer, raw);
        let own: Vec<ReadRow> = raw.read.iter().filter_map(|raw| problems.keep_one(at(raw))).collect();
        reads.splice(0..0, own);
    }
    if let (Some(layer), true) = (layers.first(), problems.0.is_empty()) {
        for kind in FaultKind::ALL.iter().filter(|kind| !rows.contains_key(kind)) {
            problems.0.push(layer.error(0..0, format!("the fault `{}` has no row", kind.name())));
        }
    }
    problems.into_result(Faults { rows: rows.into_values().collect(), reads })
}

fn fault_row(
    layer: &SourceText,
    kind: FaultKind,
    under: Option<FaultRow>,
    raw: RawFault,
) -> Result<FaultRow, Diagnostic> {
    let RawFault { kind: word, status, code, message, retry_after } = raw;
    let template = |text: &Word| {
        let unknown =
            |name| format!("`{{{name}}}` has no meaning; write {{field}}, {{detail}} or {{action}}");
        Template::new(text.get_ref()).map_err(|name| layer.error(text.span(), unknown(name)))
    };
    let lacks = |what: &str| layer.error(word.span(), format!("the fault needs a `{what}`"));
    let status = match status {
        None => None,
        Some(status) => Some(
            StatusCode::from_u16(*status.get_ref())
                .map_err(|_| layer.error(status.span(), format!("{} is no HTTP status", status.get_ref())))?,
        ),
    };
    let (code, message) =
        (code.as_ref().map(template).transpose()?, message.as_ref().map(template).transpose()?);
    let (under_status, under_retry, under_code, under_message) = match under {
        Some(row) => (row.status, row.retry_after, Some(row.code), Some(row.message)),
        None => (StatusCode::OK, None, None, None),
    };
    Ok(FaultRow {
        kind,
        status: status.unwrap_or(under_status),
        retry_after: retry_after.or(under_retry),
        code: code.or(under_code).ok_or_else(|| lacks("code"))?,
        message: message.or(under_message).ok_or_else(|| lacks("message"))?,
    })
}

fn read_row(layer: &SourceText, raw: &super::raw::RawRead) -> Result<ReadRow, Diagnostic> {
    let kind = named(layer, &raw.kind, FaultKind::ALL, FaultKind::name)?;
    let status = raw.status.map(StatusCode::from_u16).transpose();
    let status = status.map_err(|_| layer.error(raw.kind.span(), "`status` is no HTTP status"))?;
    Ok(ReadRow { kind, status, codes: raw.codes.iter().map(|code| CodePattern::new(code)).collect() })
}

fn places(layers: &[SourceText], clouds: &[&str]) -> Result<Places, Vec<Diagnostic>> {
    let (mut problems, mut rows) = (Problems::default(), Vec::new());
    for layer in layers {
        let Some(raw) = problems.keep_one(layer.parse::<RawPlaces>()) else { continue };
        let place = |row: &BTreeMap<Word, Word>| place(layer, row, clouds);
        let own: Vec<_> = raw.place.iter().filter_map(|row| problems.keep_one(place(row))).collect();
        rows.splice(0..0, own);
    }
    problems.into_result(Places { rows })
}

fn place(
    layer: &SourceText,
    row: &BTreeMap<Word, Word>,
    clouds: &[&str],
) -> Result<Vec<(String, RegionId)>, Diagnostic> {
    let mut columns = Vec::new();
    for (column, region) in row.iter().filter(|(column, _)| column.get_ref() != "name") {
        if !clouds.contains(&column.get_ref().as_str()) {
            let what =
                format!("no cloud is called `{}`; write one of {}", column.get_ref(), clouds.join(", "));
            return Err(layer.error(column.span(), what));
        }
        let id = RegionId::new(region.get_ref().clone());
        let id = id.ok_or_else(|| layer.error(region.span(), "a region has a name; leave the column out"))?;
        columns.push((column.get_ref().clone(), id));
    }
    Ok(columns)
}

fn replace<T>(slot: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *slot = value;
    }
}

/// The member of a closed list that `word` names.
fn named<T: Copy>(
    layer: &SourceText,
    word: &Word,
    all: &[T],
    name: impl Fn(T) -> &'static str,
) -> Result<T, Diagnostic> {
    all.iter().copied().find(|member| name(*member) == word.get_ref()).ok_or_else(|| {
        let words: Vec<&str> = all.iter().map(|member| name(*member)).collect();
        layer.error(
            word.span(),
            format!("`{}` is not known here; write one of {}", word.get_ref(), words.join(", ")),
        )
    })
}

/// The meaning of `word`, if there is one to look up.
fn chosen<T: Copy>(
    layer: &SourceText,
    word: Option<&Word>,
    meanings: &[(&'static str, T)],
) -> Result<Option<T>, Diagnostic> {
    let Some(word) = word else { return Ok(None) };
    named(layer, word, meanings, |(name, _)| name).map(|(_, meaning)| Some(meaning))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn overlaid(file: &str, text: &str) -> Result<Tables, Vec<Diagnostic>> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        let sources = Sources::overlaid(directory.path()).map_err(|problem| vec![problem])?;
        Tables::compile(&sources)
    }

    #[test]
    fn the_embedded_tables_compile() {
        let tables = Tables::compile(&Sources::embedded()).unwrap();
        assert_eq!(tables.clouds().len(), 2);
    }

    #[test]
    fn a_row_laid_over_changes_only_what_it_says() {
        let text = "[[field]]\nwire = \"Weight\"\nrange = [0, 100]\n";
        let tables = overlaid("ucloud/backend.toml", text).unwrap();
        let row = tables.cloud("ucloud").unwrap().backend.row(Field::Weight).unwrap();
        assert_eq!((&row.rule, row.default.as_deref()), (&Rule::Range(0, 100), Some("1")));
    }

    #[test]
    fn a_typo_is_reported_with_line_and_column() {
        let problems = overlaid("ucloud/backend.toml", "[loss]\ndescription = \"forget\"\n").unwrap_err();
        let [problem] = problems.as_slice() else { panic!("{problems:?}") };
        assert_eq!((problem.line, problem.column), (2, 15));
        assert!(problem.message.contains("remember, report, refuse"), "{problem}");
    }

    #[test]
    fn a_file_that_is_no_mapping_file_is_refused() {
        assert!(overlaid("ucloud/backends.toml", "").is_err());
    }

    #[test]
    fn a_default_outside_its_range_is_refused() {
        let problems = overlaid("aliyun/backend.toml", "[[field]]\nwire = \"Weight\"\ndefault = \"101\"\n");
        assert_eq!(problems.unwrap_err()[0].line, 3);
    }
}
