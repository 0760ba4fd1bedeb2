//! `backend.toml`: one backend record.

use std::{collections::BTreeMap, ops::Range};

use toml::Spanned;

use super::{Problems, chosen, named, ordered, replace, unknown_row};
use crate::{
    mapping::{
        diagnostic::{Diagnostic, SourceText},
        raw::{RawBackend, RawField, Word},
        record::{BackendTable, FieldRow, Rule},
    },
    model::{Field, Kind, LossPolicy},
};

/// The fields that a cloud may have no place for; each then needs a row in `[loss]`.
const LOSABLE: [Field; 4] = [Field::Address, Field::Weight, Field::Standby, Field::Description];

pub(super) fn backend(layers: &[SourceText]) -> Result<BackendTable, Vec<Diagnostic>> {
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
    let has_model = |(_, field): &&(SourceText, RawField)| field.model.is_some();
    let known: Vec<String> =
        fields.iter().filter(has_model).map(|(_, field)| field.wire.get_ref().clone()).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let rows: Vec<FieldRow> = fields
        .into_iter()
        .filter_map(|(layer, raw)| problems.keep_one(field_row(&layer, raw, &known)))
        .collect();
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
    if let (Some(layer), true) = (layers.last(), problems.0.is_empty()) {
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
        told: over.told.or(field.told.take()),
        fallback: over.fallback.or(field.fallback.take()),
    };
}

fn loss(layer: &SourceText, field: &Word, policy: &Word) -> Result<(Field, LossPolicy), Diagnostic> {
    let field = named(layer, field, &LOSABLE, Field::name)?;
    Ok((field, named(layer, policy, &LossPolicy::ALL, LossPolicy::name)?))
}

/// What a row may say of a field beside its names and its default.
fn attributes_of(field: Field) -> &'static [&'static str] {
    match field {
        Field::Kind => &["values", "told", "fallback"],
        Field::Enabled | Field::Standby => &["values"],
        Field::Port | Field::Weight => &["range"],
        Field::Address => &[],
        Field::Resource | Field::Vpc | Field::Subnet | Field::Description => &["length"],
    }
}

fn first_of(words: &BTreeMap<String, Word>) -> Option<Range<usize>> {
    words.values().next().map(Word::span)
}

/// `known` are the names of the fields that say what they are.
fn field_row(layer: &SourceText, raw: RawField, known: &[&str]) -> Result<FieldRow, Diagnostic> {
    let RawField { wire, model, default, range, length, values, told, fallback } = raw;
    let Some(model) = model else {
        return Err(unknown_row(layer, "field", &wire, "model", known));
    };
    let field = named(layer, &model, &Field::ALL, Field::name)?;
    let attributes = [
        ("range", range.as_ref().map(Spanned::span)),
        ("length", length.as_ref().map(Spanned::span)),
        ("values", values.as_ref().and_then(first_of)),
        ("told", told.as_ref().and_then(first_of)),
        ("fallback", fallback.as_ref().and_then(|words| Some(words.keys().next()?.span()))),
    ];
    for (name, at) in attributes {
        let (Some(at), false) = (at, attributes_of(field).contains(&name)) else { continue };
        let what = format!("`{name}` means nothing for `{}`; leave it out", field.name());
        return Err(layer.error(at, what));
    }
    let values = values.unwrap_or_default();
    let rule = match field {
        Field::Kind => {
            kinds(layer, &wire, &values, &told.unwrap_or_default(), &fallback.unwrap_or_default())?
        }
        Field::Enabled | Field::Standby => yes_no(layer, &wire, &values)?,
        Field::Port => number_range(layer, &wire, range.as_ref(), 1, 65_535)?,
        Field::Weight => number_range(layer, &wire, range.as_ref(), 0, 100)?,
        Field::Address => Rule::Address,
        Field::Resource | Field::Vpc | Field::Subnet | Field::Description => match length {
            Some(length) => {
                let (low, high) = ordered(layer, &length, "length")?;
                Rule::Length(low, high)
            }
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
            let what = format!("the default `{}` is not allowed; write {}", default.get_ref(), row.allowed());
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
    told: &BTreeMap<String, Word>,
    fallback: &BTreeMap<Word, Word>,
) -> Result<Rule, Diagnostic> {
    if values.is_empty() {
        return Err(layer.error(
            wire.span(),
            "a kind needs `values`; write values = { WORD = \"KIND\" }, one for each kind",
        ));
    }
    let kind = |word: &Word| named(layer, word, &Kind::ALL, Kind::name);
    let words = |words: &BTreeMap<String, Word>| {
        let mut words: Vec<_> = words
            .iter()
            .map(|(text, word)| Ok((text.clone(), kind(word)?)))
            .collect::<Result<_, Diagnostic>>()?;
        words.sort_by_key(|(_, kind)| *kind);
        Ok(words)
    };
    let values: Vec<(String, Kind)> = words(values)?;
    let stands_in = |word: &Word| {
        let stand_in = kind(word)?;
        if values.iter().any(|(_, known)| *known == stand_in) {
            return Ok(stand_in);
        }
        let known: Vec<&str> = values.iter().map(|(_, kind)| kind.name()).collect();
        let what = format!(
            "this cloud has no word for `{}` in `values`, so it maps to nothing; write one of {}",
            word.get_ref(),
            known.join(", ")
        );
        Err(layer.error(word.span(), what))
    };
    let fallback = fallback
        .iter()
        .map(|(from, to)| Ok((kind(from)?, stands_in(to)?)))
        .collect::<Result<_, Diagnostic>>()?;
    Ok(Rule::Kinds { values, told: words(told)?, fallback })
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
        Err(layer.error(wire.span(), "this field needs one word for yes and one for no; write values = { WORD = \"yes\", WORD = \"no\" }"))
    }
}

fn number_range(
    layer: &SourceText,
    wire: &Word,
    range: Option<&Spanned<(u32, u32)>>,
    least: u32,
    most: u32,
) -> Result<Rule, Diagnostic> {
    let Some(range) = range else {
        return Err(layer.error(
            wire.span(),
            format!("this field needs a `range`; write range = [{least}, {most}], or a narrower one"),
        ));
    };
    let (low, high) = *range.get_ref();
    if least <= low && low <= high && high <= most {
        Ok(Rule::Range(low, high))
    } else {
        let what = format!(
            "`range` is [{low}, {high}]; write two numbers within [{least}, {most}], the lower one first"
        );
        Err(layer.error(range.span(), what))
    }
}
