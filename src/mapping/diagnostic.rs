//! What is wrong with a file that an operator wrote, and where.

use std::{fmt, ops::Range, sync::Arc};

use serde::de::DeserializeOwned;
use toml::{
    Spanned,
    de::{DeTable, Error},
};

use super::plain;

/// A file's name and text, shared by everything that may have to point into it.
#[derive(Debug, Clone)]
pub struct SourceText {
    name: Arc<str>,
    text: Arc<str>,
}

/// One problem of one file. `Display` prints `file:line:column: what is wrong, and what to write instead`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file, as the operator named it.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong, and what to write instead.
    pub message: String,
    /// Whether it stops the start.
    pub severity: Severity,
}

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// It is wrong; nothing starts.
    Error,
    /// It works, and somebody should look at it.
    Warning,
}

impl SourceText {
    /// Takes a file's name and its text.
    #[must_use]
    pub fn new(name: &str, text: &str) -> Self {
        Self { name: name.into(), text: text.into() }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Reads the text as TOML of the shape `T`.
    ///
    /// # Errors
    /// What the TOML reader finds, placed.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, Diagnostic> {
        toml::from_str(&self.text).map_err(|error| self.error(span(&error), plain::of_shape(&error)))
    }

    /// Reads the text as TOML of any shape.
    ///
    /// # Errors
    /// The first flaw, placed. What the reader finds behind it may be its own confusion.
    pub fn table(&self) -> Result<Spanned<DeTable<'_>>, Diagnostic> {
        DeTable::parse(&self.text).map_err(|error| self.error(span(&error), plain::of_syntax(&error)))
    }

    /// A problem at the bytes `at` of this file.
    #[must_use]
    pub fn error(&self, at: Range<usize>, message: impl Into<String>) -> Diagnostic {
        self.diagnostic(at.start, Severity::Error, message.into())
    }

    /// Something to look at, at the bytes `at` of this file.
    #[must_use]
    pub fn warning(&self, at: Range<usize>, message: impl Into<String>) -> Diagnostic {
        self.diagnostic(at.start, Severity::Warning, message.into())
    }

    fn diagnostic(&self, offset: usize, severity: Severity, message: String) -> Diagnostic {
        let before = self.text.get(..offset).unwrap_or(&self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or(before).chars().count() + 1;
        Diagnostic { file: Arc::clone(&self.name), line, column, message, severity }
    }
}

fn span(error: &Error) -> Range<usize> {
    error.span().unwrap_or(0..0)
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.severity {
            Severity::Error => "",
            Severity::Warning => "warning: ",
        };
        write!(f, "{}:{}:{}: {word}{}", self.file, self.line, self.column, self.message)
    }
}

impl std::error::Error for Diagnostic {}
