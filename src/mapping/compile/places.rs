//! `regions.toml`: which region here is which region there.

use std::collections::BTreeMap;

use super::Problems;
use crate::{
    mapping::{
        diagnostic::{Diagnostic, SourceText},
        places::Places,
        raw::{RawPlaces, Word},
        words::instead,
    },
    model::RegionId,
};

pub(super) fn places(layers: &[SourceText], clouds: &[&str]) -> Result<Places, Vec<Diagnostic>> {
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
                format!("no cloud is called `{}`; {}", column.get_ref(), instead(column.get_ref(), clouds));
            return Err(layer.error(column.span(), what));
        }
        let id = RegionId::new(region.get_ref().clone());
        let id = id.ok_or_else(|| {
            layer.error(region.span(), "a region has no empty name; write one, or leave the column out")
        })?;
        columns.push((column.get_ref().clone(), id));
    }
    match row.keys().next() {
        Some(first) if columns.len() < 2 => {
            let what = format!(
                "this place maps to nothing; write a region for two of {}, or leave it out",
                clouds.join(", ")
            );
            Err(layer.error(first.span(), what))
        }
        Some(_) | None => Ok(columns),
    }
}
