//! The rows of a resource map: which columns they have, and that nothing stands in two of them.

use std::{
    collections::{BTreeMap, HashMap},
    hash::Hash,
    ops::Range,
    sync::Arc,
};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    raw::{Word, word},
    report::Report,
    resources::ServerColumn,
    section::Section,
    words::instead,
};
use crate::{
    mapping::{Cloud, Diagnostic, SourceText, Tables},
    model::GroupRef,
};

/// One thing, by what each cloud calls it.
pub(super) type Row<C> = BTreeMap<String, C>;

/// The rows of groups and the rows of servers.
pub(super) type Rows = (Vec<Row<GroupRef>>, Vec<Row<ServerColumn>>);

/// What a row says of one cloud.
pub(super) trait Column: Sized {
    /// What only one row of a cloud may have.
    type Identity: Hash + Eq;

    /// Reads what stands there for `cloud`.
    fn read(cloud: &Cloud, value: Spanned<DeValue<'_>>, report: &mut Report) -> Option<Self>;

    /// What no other row may have.
    fn identity(&self, cloud: &Cloud) -> Self::Identity;
}

/// Reads a resource map over the clouds of `tables`.
///
/// # Errors
/// Every problem, and every warning.
pub(super) fn read(source: &SourceText, tables: &Tables) -> Result<(Rows, Vec<Diagnostic>), Vec<Diagnostic>> {
    let mut report = Report::new(source);
    let rows = Section::document(source, "the resource map", &mut report).map(|mut file| {
        let rows =
            (rows(&mut file, "group", tables, &mut report), rows(&mut file, "server", tables, &mut report));
        file.close(&mut report);
        rows
    });
    report.into_result(rows)
}

fn rows<C: Column>(
    file: &mut Section<'_>,
    key: &'static str,
    tables: &Tables,
    report: &mut Report,
) -> Vec<Row<C>> {
    let mut reader = Reader { tables, report, first: HashMap::new() };
    let list: Option<Spanned<Vec<Spanned<DeTable<'_>>>>> = file.take(key, reader.report);
    list.map(Spanned::into_inner).unwrap_or_default().into_iter().map(|row| reader.row(row)).collect()
}

struct Reader<'r, C: Column> {
    tables: &'r Tables,
    report: &'r mut Report,
    /// Where a thing stood first.
    first: HashMap<(String, C::Identity), Range<usize>>,
}

impl<C: Column> Reader<'_, C> {
    fn row(&mut self, table: Spanned<DeTable<'_>>) -> Row<C> {
        match table.get_ref().len() {
            0 => self.report.error(table.span(), "the row is empty; write one column for each cloud"),
            1 => self.report.warn(table.span(), "the row has one column and so leads nowhere; write another"),
            _ => {}
        }
        let columns = table.into_inner().into_iter();
        columns.filter_map(|(name, value)| self.column(&word(name), value)).collect()
    }

    fn column(&mut self, name: &Word, value: Spanned<DeValue<'_>>) -> Option<(String, C)> {
        let (at, cloud) = (value.span(), self.cloud(name)?);
        let column = C::read(&cloud, value, self.report)?;
        match self.first.get(&(cloud.id.clone(), column.identity(&cloud))) {
            Some(first) => {
                let line = self.report.line_of(first.clone());
                self.report
                    .error(at, format!("`{}` has this in the row on line {line}; leave one out", cloud.id));
            }
            None => drop(self.first.insert((cloud.id.clone(), column.identity(&cloud)), at)),
        }
        Some((cloud.id.clone(), column))
    }

    fn cloud(&mut self, name: &Word) -> Option<Arc<Cloud>> {
        let cloud = self.tables.cloud(name.get_ref()).cloned();
        if cloud.is_none() {
            let ids: Vec<&str> = self.tables.clouds().iter().map(|cloud| cloud.id.as_str()).collect();
            let instead = instead(name.get_ref(), &ids);
            self.report.error(name.span(), format!("no cloud is called `{}`; {instead}", name.get_ref()));
        }
        cloud
    }
}
