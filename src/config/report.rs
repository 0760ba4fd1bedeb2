//! What is wrong with a file, gathered on the way so that an operator sees all of it at once.

use std::{ops::Range, sync::Arc};

use crate::mapping::{Diagnostic, Severity, SourceText};

/// The problems of one file, and of the files that it names.
#[derive(Debug)]
pub(super) struct Report {
    source: SourceText,
    found: Vec<Diagnostic>,
}

impl Report {
    /// An empty report of the file `source`.
    pub(super) fn new(source: &SourceText) -> Self {
        Self { source: source.clone(), found: Vec::new() }
    }

    /// Adds something that stops the start.
    pub(super) fn error(&mut self, at: Range<usize>, message: impl Into<String>) {
        self.found.push(self.source.error(at, message));
    }

    /// Adds something to look at.
    pub(super) fn warn(&mut self, at: Range<usize>, message: impl Into<String>) {
        self.found.push(self.source.warning(at, message));
    }

    /// Adds what was found in another file.
    pub(super) fn adopt(&mut self, found: Vec<Diagnostic>) {
        self.found.extend(found);
    }

    /// A place in the file, for what may be found wrong with it when it is put to use.
    pub(super) fn place(&self, at: Range<usize>) -> Diagnostic {
        self.source.error(at, "")
    }

    /// What stands in the file at `at`.
    pub(super) fn text_at(&self, at: Range<usize>) -> &str {
        self.source.text().get(at).unwrap_or_default()
    }

    /// The line, from 1, on which `at` begins.
    pub(super) fn line_of(&self, at: Range<usize>) -> usize {
        self.source.error(at, "").line
    }

    /// The value with what is to be looked at, or everything that was found. A value that is not there was
    /// reported by whoever could not make it.
    pub(super) fn into_result<T>(self, value: Option<T>) -> Result<(T, Vec<Diagnostic>), Vec<Diagnostic>> {
        let sound = self.found.iter().all(|problem| problem.severity == Severity::Warning);
        let found = self.in_order();
        match value {
            Some(value) if sound => Ok((value, found)),
            Some(_) | None => Err(found),
        }
    }

    /// This file first, each file from its top.
    fn in_order(mut self) -> Vec<Diagnostic> {
        let own = self.source.name();
        self.found.sort_by_cached_key(|problem| {
            (*problem.file != *own, Arc::clone(&problem.file), problem.line, problem.column)
        });
        self.found
    }
}
