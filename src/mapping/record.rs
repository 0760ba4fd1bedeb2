//! Reads and writes one flat backend record by the rows of a table.
//!
//! A record is what both clouds have at heart: names with texts. Where it sits (in a JSON list, among the parameters
//! of a request, between pipes) is the provider's affair; what each name means, and which values it may have, is
//! the table's.

use std::{borrow::Cow, net::IpAddr};

use crate::model::{
    Backend, Fault, FaultKind, Field, Kind, Loss, LossPolicy, Port, ResourceId, SubnetId, Target, Traffic,
    VpcId, Weight,
};

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
    /// Names and values.
    pub cells: Vec<(Cow<'r, str>, Cell<'r>)>,
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
    /// Fields that were given and have no effect by the cloud's own rules.
    pub ineffective: Vec<Loss>,
}

/// A backend as one cloud writes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// Field, wire name and text, in the order of the table.
    pub cells: Vec<(Field, String, String)>,
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

    /// Reads a record. A missing value takes this cloud's default.
    ///
    /// # Errors
    /// A [`Fault`] that names the field as this cloud's caller wrote it, and what is allowed: for a value of the wrong
    /// type or outside its range, for one that is missing and has no default, for a name that stands there twice.
    pub fn read(&self, record: &Record<'_>) -> Result<Reading, Fault> {
        Reader { table: self, record }.read()
    }

    /// Writes a backend, every field in so many words, so that no default of the target's is ever taken.
    ///
    /// # Errors
    /// [`FaultKind::CannotHold`] for a kind that this cloud has no word for and none to stand in.
    pub fn write(&self, backend: &Backend) -> Result<Written, Fault> {
        let mut written = Written::default();
        for row in &self.rows {
            if let Some(text) = self.text_of(row, backend)? {
                written.cells.push((row.field, row.wire.clone(), text));
            }
        }
        written.losses = self.losses.iter().filter(|(field, _)| says(*field, backend)).copied().collect();
        Ok(written)
    }

    fn text_of(&self, row: &FieldRow, backend: &Backend) -> Result<Option<String>, Fault> {
        let target = &backend.target;
        Ok(match row.field {
            Field::Resource => match target {
                Target::Resource { id, kind: _, address: _ } => Some(id.to_string()),
                Target::Address { .. } => None,
            },
            Field::Kind => Some(row.word_for(target.kind())?.to_owned()),
            Field::Address => match target {
                // A cloud that has bare addresses has no place for one of an interface's.
                Target::Resource { address, .. } => {
                    address.filter(|_| !self.carries_addresses()).map(|ip| ip.to_string())
                }
                Target::Address { ip, .. } => Some(ip.to_string()),
            },
            Field::Vpc => match target {
                Target::Address { vpc, .. } => Some(vpc.to_string()),
                Target::Resource { .. } => None,
            },
            Field::Subnet => match target {
                Target::Address { subnet, .. } => Some(subnet.to_string()),
                Target::Resource { .. } => None,
            },
            Field::Port => Some(backend.port.to_string()),
            Field::Weight => Some(self.weight_text(row, backend.traffic)),
            Field::Enabled => row.yes_no(matches!(backend.traffic, Traffic::On(_))),
            Field::Standby => row.yes_no(backend.standby),
            Field::Description => backend.description.clone(),
        })
    }

    /// The weight of a disabled backend is 0 where that is how to disable it; else the one that is known; else the
    /// lowest there is.
    fn weight_text(&self, row: &FieldRow, traffic: Traffic) -> String {
        let lowest = match row.rule {
            Rule::Range(low, _) => low,
            Rule::Text | Rule::Length(..) | Rule::Address | Rule::Kinds { .. } | Rule::YesNo(_) => 1,
        };
        match traffic {
            Traffic::Off(_) if self.zero_weight_disables => "0".to_owned(),
            Traffic::On(weight) | Traffic::Off(Some(weight)) => weight.to_string(),
            Traffic::Off(None) => lowest.to_string(),
        }
    }

    fn carries_addresses(&self) -> bool {
        self.row(Field::Vpc).is_some()
    }
}

/// Whether a backend says something that can get lost in this field.
fn says(field: Field, backend: &Backend) -> bool {
    match field {
        Field::Address => match &backend.target {
            Target::Resource { address, .. } => address.is_some(),
            Target::Address { .. } => false,
        },
        Field::Weight => matches!(backend.traffic, Traffic::Off(Some(_))),
        Field::Standby => backend.standby,
        Field::Description => backend.description.is_some(),
        Field::Resource | Field::Kind | Field::Vpc | Field::Subnet | Field::Port | Field::Enabled => false,
    }
}

impl FieldRow {
    fn word_for(&self, kind: Kind) -> Result<&str, Fault> {
        let Rule::Kinds { values, fallback } = &self.rule else {
            return Err(Fault::new(FaultKind::Internal, "the row of `kind` has no words"));
        };
        let stand_in = fallback.iter().find(|(from, _)| *from == kind).map(|(_, to)| *to);
        let word =
            |wanted: Kind| values.iter().find(|(_, kind)| *kind == wanted).map(|(word, _)| word.as_str());
        word(kind).or_else(|| word(stand_in?)).ok_or_else(|| {
            let detail = format!("the target has no backends of the kind `{}`", kind.name());
            Fault::new(FaultKind::CannotHold, detail)
        })
    }

    fn yes_no(&self, wanted: bool) -> Option<String> {
        match &self.rule {
            Rule::YesNo(words) => words.iter().find(|(_, yes)| *yes == wanted).map(|(word, _)| word.clone()),
            Rule::Text | Rule::Length(..) | Rule::Range(..) | Rule::Address | Rule::Kinds { .. } => None,
        }
    }

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

/// Reads one record by one table.
struct Reader<'t, 'r> {
    table: &'t BackendTable,
    record: &'t Record<'r>,
}

impl Reader<'_, '_> {
    fn read(&self) -> Result<Reading, Fault> {
        let kind = self.kind()?;
        let target = if kind.is_address() { self.address_target(kind)? } else { self.resource_target(kind)? };
        let backend = Backend {
            target,
            port: self.port()?,
            traffic: self.traffic()?,
            standby: self.yes_no(Field::Standby)?.unwrap_or(false),
            description: self.text(Field::Description)?.map(str::to_owned),
        };
        Ok(Reading { backend, ineffective: self.ineffective(kind)? })
    }

    fn kind(&self) -> Result<Kind, Fault> {
        let (Some(row), Some(word)) = (self.table.row(Field::Kind), self.text_or_default(Field::Kind)?)
        else {
            return Ok(Kind::Instance);
        };
        let Rule::Kinds { values, .. } = &row.rule else { return Ok(Kind::Instance) };
        values
            .iter()
            .find(|(known, _)| known == word)
            .map(|(_, kind)| *kind)
            .ok_or_else(|| self.wrong(row, word))
    }

    fn resource_target(&self, kind: Kind) -> Result<Target, Fault> {
        let id = self.needed(Field::Resource)?;
        let address = if kind.has_addresses() { self.ip()? } else { None };
        let id = ResourceId::new(id).ok_or_else(|| self.missing(Field::Resource))?;
        Ok(Target::Resource { kind, id, address })
    }

    fn address_target(&self, kind: Kind) -> Result<Target, Fault> {
        let ip = self.ip()?.ok_or_else(|| self.missing(Field::Address))?;
        let vpc = VpcId::new(self.needed(Field::Vpc)?).ok_or_else(|| self.missing(Field::Vpc))?;
        let subnet = SubnetId::new(self.needed(Field::Subnet)?).ok_or_else(|| self.missing(Field::Subnet))?;
        Ok(Target::Address { kind, ip, vpc, subnet })
    }

    fn port(&self) -> Result<Port, Fault> {
        let number = self.number(Field::Port)?.ok_or_else(|| self.missing(Field::Port))?;
        Port::new(number).ok_or_else(|| self.out_of_model(Field::Port, number))
    }

    fn traffic(&self) -> Result<Traffic, Fault> {
        let number = self.number(Field::Weight)?.ok_or_else(|| self.missing(Field::Weight))?;
        let enabled = self.yes_no(Field::Enabled)?.unwrap_or(true);
        if number == 0 {
            return if self.table.zero_weight_disables || !enabled {
                Ok(Traffic::Off(None))
            } else {
                Err(self.out_of_model(Field::Weight, number))
            };
        }
        let weight = Weight::new(number).ok_or_else(|| self.out_of_model(Field::Weight, number))?;
        Ok(if enabled { Traffic::On(weight) } else { Traffic::Off(Some(weight)) })
    }

    /// What was given beside the point: the page says for which kinds each of these is "valid".
    fn ineffective(&self, kind: Kind) -> Result<Vec<Loss>, Fault> {
        let beside = |field: Field| match field {
            Field::Resource => kind.is_address(),
            Field::Address => !kind.is_address() && !kind.has_addresses(),
            Field::Vpc | Field::Subnet => !kind.is_address(),
            Field::Kind
            | Field::Port
            | Field::Weight
            | Field::Enabled
            | Field::Standby
            | Field::Description => false,
        };
        let mut losses = Vec::new();
        for field in Field::ALL.into_iter().filter(|field| beside(*field)) {
            if self.given(field)?.is_some() {
                let reason = format!("it has no effect on a backend of the kind {}", kind.name());
                losses.push(Loss { field, reason });
            }
        }
        Ok(losses)
    }

    fn needed(&self, field: Field) -> Result<&str, Fault> {
        self.text(field)?.ok_or_else(|| self.missing(field))
    }

    fn ip(&self) -> Result<Option<IpAddr>, Fault> {
        let Some((row, text)) = self.table.row(Field::Address).zip(self.given(Field::Address)?) else {
            return Ok(None);
        };
        text.parse().map(Some).map_err(|_| self.wrong(row, text))
    }

    fn number(&self, field: Field) -> Result<Option<u32>, Fault> {
        let (Some(row), Some(text)) = (self.table.row(field), self.text_or_default(field)?) else {
            return Ok(None);
        };
        let Rule::Range(low, high) = row.rule else { return Ok(None) };
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|number| digits && (low..=high).contains(number));
        number.map(Some).ok_or_else(|| self.wrong(row, text))
    }

    fn yes_no(&self, field: Field) -> Result<Option<bool>, Fault> {
        let (Some(row), Some(text)) = (self.table.row(field), self.text_or_default(field)?) else {
            return Ok(None);
        };
        let Rule::YesNo(words) = &row.rule else { return Ok(None) };
        let known = words.iter().find(|(word, _)| word == text).map(|(_, yes)| *yes);
        known.map(Some).ok_or_else(|| self.wrong(row, text))
    }

    fn text(&self, field: Field) -> Result<Option<&str>, Fault> {
        let (Some(row), Some(text)) = (self.table.row(field), self.text_or_default(field)?) else {
            return Ok(None);
        };
        let length = text.chars().count();
        match row.rule {
            Rule::Length(low, high) if !(low as usize..=high as usize).contains(&length) => {
                Err(self.wrong(row, &format!("{length} characters")))
            }
            Rule::Text
            | Rule::Length(..)
            | Rule::Range(..)
            | Rule::Address
            | Rule::Kinds { .. }
            | Rule::YesNo(_) => Ok(Some(text)),
        }
    }

    fn text_or_default(&self, field: Field) -> Result<Option<&str>, Fault> {
        let default = self.table.row(field).and_then(|row| row.default.as_deref());
        Ok(self.given(field)?.or(default))
    }

    /// The text that the record has for a field. Empty text counts as absent: SDKs of both clouds send it for that.
    fn given(&self, field: Field) -> Result<Option<&str>, Fault> {
        let Some(row) = self.table.row(field) else { return Ok(None) };
        let mut found =
            self.record.cells.iter().filter(|(name, _)| self.names(name, &row.wire)).map(|(_, cell)| cell);
        let (first, second) = (found.next(), found.next());
        if second.is_some() {
            let detail = "it stands there twice; write it once";
            return Err(Fault::of_field(FaultKind::DoubledParameter, self.label(field), detail));
        }
        match first {
            Some(Cell::Text(text)) => Ok(Some(text.as_ref()).filter(|text| !text.is_empty())),
            Some(Cell::Other(kind)) => Err(self.wrong(row, kind)),
            None => Ok(None),
        }
    }

    fn names(&self, name: &str, wire: &str) -> bool {
        if self.record.any_case { name.eq_ignore_ascii_case(wire) } else { name == wire }
    }

    fn label(&self, field: Field) -> String {
        format!("{}{}", self.record.prefix, self.table.wire_name(field))
    }

    fn missing(&self, field: Field) -> Fault {
        let allowed = self.table.row(field).map_or_else(String::new, FieldRow::allowed);
        let detail = format!("`{}` has to be {allowed}", self.label(field));
        Fault::of_field(FaultKind::MissingParameter, self.label(field), detail)
    }

    fn wrong(&self, row: &FieldRow, found: &str) -> Fault {
        let detail = format!("`{}` has to be {}, not `{found}`", self.label(row.field), row.allowed());
        Fault::of_field(kind_of_wrong(row.field), self.label(row.field), detail)
    }

    fn out_of_model(&self, field: Field, number: u32) -> Fault {
        let detail = format!("`{}` cannot be {number}", self.label(field));
        Fault::of_field(kind_of_wrong(field), self.label(field), detail)
    }
}

/// Which fault a wrong value of a field is: some have codes of their own.
fn kind_of_wrong(field: Field) -> FaultKind {
    match field {
        Field::Port => FaultKind::InvalidPort,
        Field::Weight => FaultKind::InvalidWeight,
        Field::Kind => FaultKind::InvalidKind,
        Field::Resource
        | Field::Address
        | Field::Vpc
        | Field::Subnet
        | Field::Enabled
        | Field::Standby
        | Field::Description => FaultKind::InvalidParameter,
    }
}
