//! How a cloud writes a backend: the rows of a table, and the records that they read and write.
//!
//! A record is what both clouds have at heart: names with texts. Where it sits (in a JSON list, among the parameters
//! of a request, between pipes) is the provider's affair; what each name means, and which values it may have, is
//! the table's.

use std::borrow::Cow;

use crate::model::{Backend, Field, Kind, Loss, LossPolicy};

/// How one cloud writes a backend.
#[derive(Debug, Clone)]
pub struct BackendTable {
    pub(in crate::mapping) rows: Vec<FieldRow>,
    pub(in crate::mapping) zero_weight_disables: bool,
    pub(in crate::mapping) losses: Vec<(Field, LossPolicy)>,
}

/// How one cloud writes one field.
#[derive(Debug, Clone)]
pub struct FieldRow {
    /// The name on the wire.
    pub wire: String,
    /// The field.
    pub field: Field,
    /// What a caller of this cloud means by leaving it out.
    pub default: Option<String>,
    /// Which values it may have.
    pub rule: Rule,
}

/// Which values a field may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// Any text that is not empty.
    Text,
    /// Text of so many characters.
    Length(u32, u32),
    /// A whole number from here to there.
    Range(u32, u32),
    /// An IP address.
    Address,
    /// One of these words, each standing for a kind; and which kind stands in for one that has no word.
    Kinds {
        /// The words.
        values: Vec<(String, Kind)>,
        /// Words that only a reply may have: the cloud holds such a thing and no longer takes one.
        told: Vec<(String, Kind)>,
        /// The stand-ins.
        fallback: Vec<(Kind, Kind)>,
    },
    /// One of these words.
    YesNo(Vec<(String, bool)>),
}

/// One record as it was found on the wire.
#[derive(Debug, Clone, Default)]
pub struct Record<'r> {
    /// What stands before the names in an error: `BackendServers.2.`, or nothing.
    pub prefix: String,
    /// Whether the cloud takes names in any letter case.
    pub any_case: bool,
    /// Whether the cloud told it of something that it holds. What it takes from callers today does not bind that.
    pub told: bool,
    /// Names and values.
    pub cells: Vec<(&'r str, Cell<'r>)>,
}

/// One value of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell<'r> {
    /// Text, or a number or truth value as text.
    Text(Cow<'r, str>),
    /// A value that no field has, in words: `a list`.
    Other(&'static str),
}

/// What a record said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The backend.
    pub backend: Backend,
    /// Fields that were given; the others took the cloud's defaults.
    pub given: Vec<Field>,
    /// Fields that were given and have no effect by the cloud's own rules.
    pub ineffective: Vec<Loss>,
}

/// A backend as one cloud writes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written<'w> {
    /// Field, wire name and text, in the order of the table.
    pub cells: Vec<(Field, &'w str, Cow<'w, str>)>,
    /// What this cloud has no place for.
    pub losses: Vec<(Field, LossPolicy)>,
}

impl BackendTable {
    /// The rows, in the order in which they are written.
    #[must_use]
    pub fn rows(&self) -> &[FieldRow] {
        &self.rows
    }

    /// What becomes of the fields that no row carries.
    #[must_use]
    pub fn losses(&self) -> &[(Field, LossPolicy)] {
        &self.losses
    }

    /// What becomes of a field that cannot be carried, where no row says so either.
    #[must_use]
    pub fn policy(&self, field: Field) -> LossPolicy {
        self.losses.iter().find(|(lost, _)| *lost == field).map_or(LossPolicy::Refuse, |(_, policy)| *policy)
    }

    /// The kind that a word of the cloud stands for, one that only replies have among them.
    #[must_use]
    pub fn kind_of(&self, word: &str) -> Option<Kind> {
        let Rule::Kinds { values, told, fallback: _ } = &self.row(Field::Kind)?.rule else { return None };
        values.iter().chain(told).find(|(known, _)| known == word).map(|(_, kind)| *kind)
    }

    /// The row of a field.
    #[must_use]
    pub fn row(&self, field: Field) -> Option<&FieldRow> {
        self.rows.iter().find(|row| row.field == field)
    }

    /// The cloud's name for a field, or the model's where the cloud has none.
    #[must_use]
    pub fn wire_name(&self, field: Field) -> &str {
        self.row(field).map_or(field.name(), |row| &row.wire)
    }
}

impl FieldRow {
    /// What the row allows, in words.
    #[must_use]
    pub fn allowed(&self) -> String {
        let words = |words: Vec<&str>| format!("one of {}", words.join(", "));
        match &self.rule {
            Rule::Text => "text".to_owned(),
            Rule::Length(low, high) => format!("text of {low} to {high} characters"),
            Rule::Range(low, high) => format!("a whole number from {low} to {high}"),
            Rule::Address => "an IP address".to_owned(),
            Rule::Kinds { values, .. } => words(values.iter().map(|(word, _)| word.as_str()).collect()),
            Rule::YesNo(values) => words(values.iter().map(|(word, _)| word.as_str()).collect()),
        }
    }
}
