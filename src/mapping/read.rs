//! Reads one record by the rows of a table.

use std::net::IpAddr;

use super::record::{BackendTable, Cell, FieldRow, Reading, Record, Rule};
use crate::{
    model::{
        Backend, BackendRef, Change, Fault, FaultKind, Field, Kind, Loss, Lost, Port, ResourceId, SubnetId,
        Target, Traffic, VpcId, Weight,
    },
    wire::excerpt,
};

impl BackendTable {
    /// Reads a record. A missing value takes this cloud's default.
    ///
    /// # Errors
    /// A [`Fault`] that names the field as this cloud's caller wrote it, and what is allowed: for a value of the wrong
    /// type or outside its range, for one that is missing and has no default, for a name that stands there twice.
    pub fn read(&self, record: &Record<'_>) -> Result<Reading, Fault> {
        Reader::new(self, record, true).read()
    }

    /// Reads a record that says what is to become of `backend`. What is missing stays as it is: no default is taken.
    ///
    /// # Errors
    /// As for [`BackendTable::read`], but for what is missing.
    pub fn read_change(&self, record: &Record<'_>, backend: BackendRef) -> Result<Change, Fault> {
        Reader::new(self, record, false).change(backend)
    }
}

/// Reads one record by one table.
struct Reader<'t, 'r> {
    table: &'t BackendTable,
    record: &'t Record<'r>,
    /// Whether the cloud's default stands in for what is missing.
    defaults: bool,
    /// What the record has for each field, in the order of the fields.
    found: [Found<'t>; Field::ALL.len()],
}

/// How often a record has a field.
#[derive(Clone, Copy)]
enum Found<'t> {
    Nowhere,
    Once(&'t Cell<'t>),
    Twice,
}

impl<'t, 'r> Reader<'t, 'r> {
    fn new(table: &'t BackendTable, record: &'t Record<'r>, defaults: bool) -> Self {
        let names = |name: &str, wire: &str| {
            if record.any_case { name.eq_ignore_ascii_case(wire) } else { name == wire }
        };
        let mut found = [Found::Nowhere; Field::ALL.len()];
        for (name, cell) in &record.cells {
            for row in table.rows.iter().filter(|row| names(name, &row.wire)) {
                if let Some(found) = found.get_mut(row.field as usize) {
                    *found = match found {
                        Found::Nowhere => Found::Once(cell),
                        Found::Once(_) | Found::Twice => Found::Twice,
                    };
                }
            }
        }
        Self { table, record, defaults, found }
    }

    fn read(&self) -> Result<Reading, Fault> {
        let kind = self.kind()?;
        let target = if kind.is_address() { self.address_target(kind)? } else { self.resource_target(kind)? };
        let backend = Backend {
            target,
            port: self.port()?.ok_or_else(|| self.missing(Field::Port))?,
            traffic: self.traffic()?,
            standby: self.yes_no(Field::Standby)?.unwrap_or(false),
            description: self.text(Field::Description)?.map(str::to_owned),
        };
        Ok(Reading { backend, given: self.all_given()?, ineffective: self.ineffective(kind)? })
    }

    fn all_given(&self) -> Result<Vec<Field>, Fault> {
        let mut given = Vec::new();
        for field in Field::ALL {
            if self.given(field)?.is_some() {
                given.push(field);
            }
        }
        Ok(given)
    }

    fn change(&self, backend: BackendRef) -> Result<Change, Fault> {
        let port = self.port()?;
        let share = self.share()?;
        Ok(Change {
            backend,
            port,
            weight: share.weight,
            enabled: share.state(self.yes_no(Field::Enabled)?),
            standby: self.yes_no(Field::Standby)?,
            description: self.text(Field::Description)?.map(str::to_owned),
        })
    }

    fn kind(&self) -> Result<Kind, Fault> {
        let (Some(row), Some(word)) = (self.table.row(Field::Kind), self.text_or_default(Field::Kind)?)
        else {
            return Ok(Kind::Instance);
        };
        let Rule::Kinds { values, told, fallback: _ } = &row.rule else { return Ok(Kind::Instance) };
        let told = told.iter().filter(|_| self.record.told);
        values
            .iter()
            .chain(told)
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
        // A list may leave out what nobody may leave out who adds one.
        let network = |field: Field| match self.text(field)? {
            Some(text) => Ok(Some(text)),
            None if self.record.told => Ok(None),
            None => Err(self.missing(field)),
        };
        let (vpc, subnet) = (network(Field::Vpc)?, network(Field::Subnet)?);
        let (vpc, subnet) = (vpc.and_then(VpcId::new), subnet.and_then(SubnetId::new));
        Ok(Target::Address { kind, ip, vpc, subnet })
    }

    fn port(&self) -> Result<Option<Port>, Fault> {
        let port = |number| Port::new(number).ok_or_else(|| self.out_of_model(Field::Port, number));
        self.number(Field::Port)?.map(port).transpose()
    }

    fn traffic(&self) -> Result<Traffic, Fault> {
        let share = self.share()?;
        let enabled = share.state(self.yes_no(Field::Enabled)?).unwrap_or(true);
        match share.weight {
            Some(weight) if enabled => Ok(Traffic::On(weight)),
            None if enabled => Err(self.missing(Field::Weight)),
            weight => Ok(Traffic::Off(weight)),
        }
    }

    fn share(&self) -> Result<Share, Fault> {
        match self.number(Field::Weight)? {
            None => Ok(Share { weight: None, enabled: None }),
            // Whether 0 is in range is the row's to say; what it means is the same everywhere.
            Some(0) => Ok(Share { weight: None, enabled: Some(false) }),
            Some(number) => {
                let weight = Weight::new(number).ok_or_else(|| self.out_of_model(Field::Weight, number))?;
                let enabled = self.table.zero_weight_disables.then_some(true);
                Ok(Share { weight: Some(weight), enabled })
            }
        }
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
                losses.push(Loss { field: Lost::Backend(field), reason });
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
        let fits = |number: &u32| digits && (self.record.told || (low..=high).contains(number));
        let number = text.parse().ok().filter(fits);
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
        let default = self.table.row(field).and_then(|row| row.default.as_deref()).filter(|_| self.defaults);
        Ok(self.given(field)?.or(default))
    }

    /// The text that the record has for a field. Empty text counts as absent: SDKs of both clouds send it for that.
    fn given(&self, field: Field) -> Result<Option<&str>, Fault> {
        let Some(row) = self.table.row(field) else { return Ok(None) };
        match self.found.get(field as usize) {
            None | Some(Found::Nowhere) => Ok(None),
            Some(Found::Once(Cell::Text(text))) => Ok(Some(text.as_ref()).filter(|text| !text.is_empty())),
            Some(Found::Once(Cell::Other(kind))) => Err(self.wrong(row, kind)),
            Some(Found::Twice) => {
                let detail = "it stands there twice; write it once";
                Err(Fault::of_field(FaultKind::DoubledParameter, self.label(field), detail))
            }
        }
    }

    fn label(&self, field: Field) -> String {
        format!("{}{}", self.record.prefix, self.table.wire_name(field))
    }

    fn missing(&self, field: Field) -> Fault {
        let allowed = self.table.row(field).map_or_else(String::new, FieldRow::allowed);
        let detail = format!("`{}` has to be given, as {allowed}", self.label(field));
        Fault::of_field(FaultKind::MissingParameter, self.label(field), detail)
    }

    fn wrong(&self, row: &FieldRow, found: &str) -> Fault {
        let (label, allowed) = (self.label(row.field), row.allowed());
        let detail = format!("`{label}` has to be {allowed}, not `{}`", excerpt(found));
        Fault::of_field(kind_of_wrong(row.field), self.label(row.field), detail)
    }

    fn out_of_model(&self, field: Field, number: u32) -> Fault {
        let detail = format!("`{}` cannot be {number}", self.label(field));
        Fault::of_field(kind_of_wrong(field), self.label(field), detail)
    }
}

/// What a weight says, and what it says of the state.
struct Share {
    weight: Option<Weight>,
    enabled: Option<bool>,
}

impl Share {
    /// The state, where a field of its own says `told`. No traffic is sent by a weight of 0, whatever that field says.
    fn state(&self, told: Option<bool>) -> Option<bool> {
        match self.enabled {
            Some(false) => Some(false),
            Some(true) | None => told.or(self.enabled),
        }
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
