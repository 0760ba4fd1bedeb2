//! Tables of where each thing went that a request says, for people.

use std::io::{self, Write};

use crate::gateway::{Fate, Said, Way, Ways};

/// Prints one line a thing: the model's word, what the caller says, what the target gets, and what there is to say of it.
pub(super) fn write_fields(out: &mut impl Write, titles: [&str; 2], ways: &[Way]) -> io::Result<()> {
    let [here, there] = titles.map(str::to_owned);
    let head = [String::new(), here, there];
    let row = |way: &Way| [way.word.clone(), said(way.from.as_ref()), became(way)];
    let rows: Vec<[String; 3]> = std::iter::once(head).chain(ways.iter().map(row)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    // One long list of servers would push the last column out of sight.
    let (first, second) = (width(0), width(1).min(WIDEST));
    for [word, from, to] in &rows {
        writeln!(out, "    {}", format!("{word:first$}  {from:second$}  {to}").trim_end())?;
    }
    Ok(())
}

const WIDEST: usize = 60;

/// Prints the tables of an explanation. What is alike for all of many backends is printed once.
pub(super) fn write_tables(out: &mut impl Write, titles: [&str; 2], tables: &[Ways]) -> io::Result<()> {
    let (request, backends): (Vec<&Ways>, Vec<&Ways>) =
        tables.iter().partition(|table| table.about.is_none());
    for table in request {
        writeln!(out, "\n  the request:")?;
        write_fields(out, titles, &table.ways)?;
    }
    let alike = |way: &Way| backends.len() > 1 && backends.iter().all(|table| table.ways.contains(way));
    let common: Vec<Way> = backends
        .first()
        .map(|first| first.ways.iter().filter(|way| alike(way)).cloned().collect())
        .unwrap_or_default();
    if !common.is_empty() {
        writeln!(out, "\n  all {} backends:", backends.len())?;
        write_fields(out, titles, &common)?;
    }
    for Ways { about, ways } in &backends {
        let own: Vec<Way> = ways.iter().filter(|way| !alike(way)).cloned().collect();
        writeln!(out, "\n  {}:", about.as_deref().unwrap_or_default())?;
        write_fields(out, titles, &own)?;
    }
    Ok(())
}

fn said(from: Option<&Said>) -> String {
    from.map_or_else(String::new, |Said { name, text, default }| {
        let text = if text.is_empty() { name.clone() } else { format!("{name}={text}") };
        if *default { format!("{text} (default)") } else { text }
    })
}

fn became(way: &Way) -> String {
    let Way { word: _, from, to, fate, why } = way;
    if let (Fate::Remembered, Some((name, text)), Some(Said { text: said, .. })) = (fate, to, from) {
        return format!("{name}={text} (the gateway remembers {said})");
    }
    let to = to.as_ref().map_or_else(String::new, |(name, text)| format!("{name}={text}"));
    let told = match (fate, why) {
        (Fate::Carried | Fate::Added, None) => return to,
        (Fate::Carried | Fate::Added | Fate::Implied, Some(why)) => format!("({why})"),
        (Fate::Implied, None) => "(nothing to say there)".to_owned(),
        (Fate::Read, _) => "(read by the gateway, not passed on)".to_owned(),
        (Fate::Beside, _) => "(no parameter of this action: ignored, as the caller's cloud does)".to_owned(),
        (Fate::Remembered, None) => "(no place for it; the gateway remembers it)".to_owned(),
        (Fate::Remembered, Some(why)) => format!("(no place for it; the gateway remembers it: {why})"),
        (Fate::Reported, None) => "(LOST, and reported to the caller)".to_owned(),
        (Fate::Reported, Some(why)) => format!("(LOST, and reported to the caller: {why})"),
        (Fate::Refused, None) => "(REFUSED)".to_owned(),
        (Fate::Refused, Some(why)) => format!("(REFUSED: {why})"),
    };
    format!("{to} {told}").trim().to_owned()
}
