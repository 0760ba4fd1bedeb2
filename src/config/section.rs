//! One table of a file, taken apart key by key. A derived reader stops at the first value of a wrong type or the
//! first unknown key; here each is reported and the rest goes on.

use std::ops::Range;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{raw::Word, report::Report, words::instead};
use crate::mapping::SourceText;

/// A table, with the keys that were asked for so far.
pub(super) struct Section<'t> {
    what: String,
    at: Range<usize>,
    entries: DeTable<'t>,
    asked: Vec<&'static str>,
    sound: bool,
}

/// A form that a value may have.
pub(super) trait Form<'t>: Sized {
    /// What to call it.
    const WANTED: &'static str;

    /// The value, if it has this form.
    fn of(value: Spanned<DeValue<'t>>) -> Option<Self>;
}

impl<'t> Section<'t> {
    /// The whole file; `what` is what messages call it.
    pub(super) fn document(source: &'t SourceText, what: &str, report: &mut Report) -> Option<Self> {
        let table = source.table().map_err(|flaw| report.adopt(vec![flaw])).ok()?;
        Some(Self::new(what.to_owned(), table))
    }

    /// A table inside the file.
    pub(super) fn new(what: String, table: Spanned<DeTable<'t>>) -> Self {
        Self { what, at: table.span(), entries: table.into_inner(), asked: Vec::new(), sound: true }
    }

    /// Whether it has nothing but lists of these names, made of tables under headers of their own: what may go on in
    /// another part of the file.
    pub(super) fn is_lists_of(&self, names: &[&str]) -> bool {
        self.entries.iter().all(|(key, value)| {
            // A header begins before its key, and a value after it.
            let headed = value.span().start < key.span().start;
            headed && value.get_ref().is_array() && names.contains(&key.get_ref().as_ref())
        })
    }

    /// Where it begins.
    pub(super) fn at(&self) -> Range<usize> {
        self.at.clone()
    }

    /// The value of a key that may be left out.
    pub(super) fn take<F: Form<'t>>(&mut self, key: &'static str, report: &mut Report) -> Option<Spanned<F>> {
        self.asked.push(key);
        let value = formed(key, self.entries.remove(key)?, report);
        self.sound &= value.is_some();
        value
    }

    /// The value of a key that has to be there; `example` is what to write.
    pub(super) fn need<F: Form<'t>>(
        &mut self,
        key: &'static str,
        example: &str,
        report: &mut Report,
    ) -> Option<Spanned<F>> {
        self.require(key, example, report);
        self.take(key, report)
    }

    /// Reports a key that is not there.
    pub(super) fn require(&mut self, key: &str, example: &str, report: &mut Report) {
        if !self.entries.contains_key(key) {
            self.sound = false;
            report.error(self.at(), format!("{} has no `{key}`; write {example}", self.what));
        }
    }

    /// What `new` makes of the text of a key that may be left out; `wanted` is what it takes.
    pub(super) fn made<T>(
        &mut self,
        key: &'static str,
        wanted: &str,
        new: impl Fn(String) -> Option<T>,
        report: &mut Report,
    ) -> Option<Spanned<T>> {
        let text: Word = self.take(key, report)?;
        let made = new(text.get_ref().clone());
        if made.is_none() {
            self.sound = false;
            report.error(text.span(), format!("`{key}` is `{}`; write {wanted}", text.get_ref()));
        }
        made.map(|made| Spanned::new(text.span(), made))
    }

    /// Reports every key that was not asked for. Whether nothing was wrong with this table.
    pub(super) fn close(self, report: &mut Report) -> bool {
        for key in self.entries.keys() {
            let instead = instead(key.get_ref(), &self.asked);
            report.error(key.span(), format!("{} has no key `{}`; {instead}", self.what, key.get_ref()));
        }
        self.sound && self.entries.is_empty()
    }
}

/// The value of `key` in the form that is wanted. What it is instead is told by its type alone: it may be a secret.
pub(super) fn formed<'t, F: Form<'t>>(
    key: &str,
    value: Spanned<DeValue<'t>>,
    report: &mut Report,
) -> Option<Spanned<F>> {
    let (at, found) = (value.span(), type_of(value.get_ref()));
    let formed = member(value);
    if formed.is_none() {
        report.error(at, format!("`{key}` has to be {}, not {found}", F::WANTED));
    }
    formed
}

fn type_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

impl<'t> Form<'t> for String {
    const WANTED: &'static str = "text in quotes";

    fn of(value: Spanned<DeValue<'t>>) -> Option<Self> {
        let DeValue::String(text) = value.into_inner() else { return None };
        Some(text.into_owned())
    }
}

impl<'t> Form<'t> for i64 {
    const WANTED: &'static str = "a whole number";

    /// A number that is too long for the type counts as the largest: no key takes one near it.
    fn of(value: Spanned<DeValue<'t>>) -> Option<Self> {
        let DeValue::Integer(digits) = value.into_inner() else { return None };
        Some(Self::from_str_radix(digits.as_str(), digits.radix()).unwrap_or(Self::MAX))
    }
}

impl<'t> Form<'t> for DeTable<'t> {
    const WANTED: &'static str = "a table";

    fn of(value: Spanned<DeValue<'t>>) -> Option<Self> {
        let DeValue::Table(table) = value.into_inner() else { return None };
        Some(table)
    }
}

impl<'t> Form<'t> for Vec<Word> {
    const WANTED: &'static str = "text in quotes, or a list of such texts";

    fn of(value: Spanned<DeValue<'t>>) -> Option<Self> {
        if value.get_ref().is_str() { Some(vec![member(value)?]) } else { members(value) }
    }
}

impl<'t> Form<'t> for Vec<Spanned<i64>> {
    const WANTED: &'static str = "a list of whole numbers";

    fn of(value: Spanned<DeValue<'t>>) -> Option<Self> {
        members(value)
    }
}

impl<'t> Form<'t> for Vec<Spanned<DeTable<'t>>> {
    const WANTED: &'static str = "a list of tables, each under its own header in double brackets";

    fn of(value: Spanned<DeValue<'t>>) -> Option<Self> {
        members(value)
    }
}

fn members<'t, F: Form<'t>>(list: Spanned<DeValue<'t>>) -> Option<Vec<Spanned<F>>> {
    let DeValue::Array(list) = list.into_inner() else { return None };
    list.into_iter().map(member).collect()
}

fn member<'t, F: Form<'t>>(value: Spanned<DeValue<'t>>) -> Option<Spanned<F>> {
    let at = value.span();
    F::of(value).map(|value| Spanned::new(at, value))
}
