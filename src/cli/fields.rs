//! A table of where each field went, for people.

use std::io::{self, Write};

use crate::mapping::{Cloud, Trace};

/// Prints one line a field: the model's word, what the source calls it, what the target does.
pub(super) fn write_fields(
    out: &mut impl Write,
    here: &Cloud,
    there: &Cloud,
    traces: &[Trace],
) -> io::Result<()> {
    let rows = traces.iter().map(|step| [step.field.name().to_owned(), cell(step.from.as_ref()), fate(step)]);
    let head = [String::new(), here.title.clone(), there.title.clone()];
    let rows: Vec<[String; 3]> = std::iter::once(head).chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let (first, second) = (width(0), width(1));
    for [field, from, to] in &rows {
        writeln!(out, "    {field:first$}  {from:second$}  {to}")?;
    }
    Ok(())
}

fn cell(cell: Option<&(String, String)>) -> String {
    cell.map_or_else(String::new, |(name, text)| format!("{name}={text}"))
}

fn fate(step: &Trace) -> String {
    let text = cell(step.to.as_ref());
    let lost = step.loss.map_or("", |policy| match policy {
        crate::model::LossPolicy::Remember => "(no place for it; the gateway remembers it)",
        crate::model::LossPolicy::Report | crate::model::LossPolicy::Refuse => "(lost, and reported)",
    });
    format!("{text} {lost}").trim().to_owned()
}
