//! Writes one record by the rows of a table.

use std::borrow::Cow;

use super::record::{BackendTable, FieldRow, Rule, Written};
use crate::model::{Backend, Change, Fault, FaultKind, Field, Kind, LossPolicy, Target, Traffic};

impl BackendTable {
    /// Writes a backend, every field in so many words, so that no default of the target's is ever taken.
    ///
    /// # Errors
    /// [`FaultKind::CannotHold`] for a kind that this cloud has no word for and none to stand in.
    pub fn write<'w>(&'w self, backend: &'w Backend) -> Result<Written<'w>, Fault> {
        let mut cells = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            if let Some(text) = self.text_of(row, backend)? {
                cells.push((row.field, row.wire.as_str(), text));
            }
        }
        Ok(Written { cells, losses: self.lost(backend)? })
    }

    /// What of a backend this cloud has no place for.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn lost(&self, backend: &Backend) -> Result<Vec<(Field, LossPolicy)>, Fault> {
        if let Some(row) = self.row(Field::Kind) {
            row.word_for(backend.target.kind())?;
        }
        Ok(self.losses.iter().filter(|(field, _)| says(*field, backend)).copied().collect())
    }

    /// Whether this cloud has a word for a kind, its own or that of a stand-in.
    #[must_use]
    pub fn has_word_for(&self, kind: Kind) -> bool {
        self.row(Field::Kind).is_some_and(|row| row.word_for(kind).is_ok())
    }

    /// The kind as which this cloud tells of a thing of `kind`: its own, or the one that stands in for it.
    #[must_use]
    pub fn stand_in(&self, kind: Kind) -> Kind {
        match self.row(Field::Kind).map(|row| &row.rule) {
            Some(Rule::Kinds { values, told: _, fallback })
                if !values.iter().any(|(_, own)| *own == kind) =>
            {
                fallback.iter().find(|(lost, _)| *lost == kind).map_or(kind, |(_, stand_in)| *stand_in)
            }
            Some(_) | None => kind,
        }
    }

    /// Writes what is to become of a backend, and nothing of what stays as it is: field, wire name and text, in the order
    /// of the table. Which backend it is, is not among them.
    #[must_use]
    pub fn write_change(&self, change: &Change) -> Vec<(Field, String, String)> {
        let cell = |row: &FieldRow| Some((row.field, row.wire.clone(), self.changed_text(row, change)?));
        self.rows.iter().filter_map(cell).collect()
    }

    fn changed_text(&self, row: &FieldRow, change: &Change) -> Option<String> {
        match row.field {
            Field::Port => change.port.map(|port| port.to_string()),
            Field::Weight if self.zero_weight_disables && change.enabled == Some(false) => {
                Some("0".to_owned())
            }
            Field::Weight => change.weight.map(|weight| weight.to_string()),
            Field::Enabled => row.yes_no(change.enabled?).map(str::to_owned),
            Field::Standby => row.yes_no(change.standby?).map(str::to_owned),
            Field::Description => change.description.clone(),
            Field::Resource | Field::Kind | Field::Address | Field::Vpc | Field::Subnet => None,
        }
    }

    fn text_of<'w>(&self, row: &'w FieldRow, backend: &'w Backend) -> Result<Option<Cow<'w, str>>, Fault> {
        let target = &backend.target;
        Ok(match row.field {
            Field::Resource => match target {
                Target::Resource { id, kind: _, address: _ } => Some(id.as_str().into()),
                Target::Address { .. } => None,
            },
            Field::Kind => Some(row.word_for(target.kind())?.into()),
            Field::Address => match target {
                // A cloud that has bare addresses has no place for one of an interface's.
                Target::Resource { address, .. } => {
                    address.filter(|_| !self.carries_addresses()).map(|ip| ip.to_string().into())
                }
                Target::Address { ip, .. } => Some(ip.to_string().into()),
            },
            Field::Vpc => match target {
                Target::Address { vpc, .. } => vpc.as_ref().map(|vpc| vpc.as_str().into()),
                Target::Resource { .. } => None,
            },
            Field::Subnet => match target {
                Target::Address { subnet, .. } => subnet.as_ref().map(|subnet| subnet.as_str().into()),
                Target::Resource { .. } => None,
            },
            Field::Port => Some(backend.port.to_string().into()),
            Field::Weight => Some(self.weight_text(row, backend.traffic).into()),
            Field::Enabled => row.yes_no(matches!(backend.traffic, Traffic::On(_))).map(Cow::Borrowed),
            Field::Standby => row.yes_no(backend.standby).map(Cow::Borrowed),
            Field::Description => backend.description.as_deref().map(Cow::Borrowed),
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
        let Rule::Kinds { values, told: _, fallback } = &self.rule else {
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

    fn yes_no(&self, wanted: bool) -> Option<&str> {
        match &self.rule {
            Rule::YesNo(words) => words.iter().find(|(_, yes)| *yes == wanted).map(|(word, _)| word.as_str()),
            Rule::Text | Rule::Length(..) | Rule::Range(..) | Rule::Address | Rule::Kinds { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        mapping::{Cell, Record, Sources, Tables},
        model::{BackendId, BackendRef, Change, Port, Weight},
    };

    #[test]
    fn a_change_reads_back_in_every_cloud_and_says_nothing_of_what_stays() {
        let change = || Change::of(BackendRef::Id(BackendId::new("b").unwrap()));
        let (port, weight) = (Port::new(80), Weight::new(5));
        let changes = [
            change(),
            Change { port, ..change() },
            Change { weight, enabled: Some(true), ..change() },
            Change { enabled: Some(false), ..change() },
        ];
        for cloud in Tables::compile(&Sources::embedded()).unwrap().clouds() {
            for change in &changes {
                let written = cloud.backend.write_change(change);
                let written = written.iter().map(|(_, name, text)| (name.as_str(), Cell::Text(text.into())));
                let record = Record { cells: written.collect(), ..Record::default() };
                let read = cloud.backend.read_change(&record, change.backend.clone()).unwrap();
                assert_eq!(read, *change, "{}", cloud.id);
            }
        }
    }
}
