//! Fault kinds as codes, statuses and messages, and codes as fault kinds.

use http::StatusCode;

use crate::model::{Fault, FaultKind};

/// The fault table of one cloud. Every kind has a row; that is checked when it is compiled.
#[derive(Debug, Clone)]
pub struct Faults {
    pub(in crate::mapping) rows: Vec<FaultRow>,
    /// Rows for some actions only.
    pub(in crate::mapping) special: Vec<(Vec<String>, FaultRow)>,
    pub(in crate::mapping) reads: Vec<ReadRow>,
}

/// How one kind is told to a caller.
#[derive(Debug, Clone)]
pub struct FaultRow {
    /// The kind.
    pub kind: FaultKind,
    /// The HTTP status.
    pub status: StatusCode,
    /// After how many seconds a caller may try again, where it makes sense to say.
    pub retry_after: Option<u32>,
    pub(in crate::mapping) code: Template,
    pub(in crate::mapping) message: Template,
}

/// What some codes of a reply mean.
#[derive(Debug, Clone)]
pub(in crate::mapping) struct ReadRow {
    pub(in crate::mapping) kind: FaultKind,
    pub(in crate::mapping) status: Option<StatusCode>,
    pub(in crate::mapping) codes: Vec<CodePattern>,
}

/// A code, or the beginning of one.
#[derive(Debug, Clone)]
pub(in crate::mapping) enum CodePattern {
    Exact(String),
    Prefix(String),
}

/// Text with places to fill, resolved when the table is compiled.
#[derive(Debug, Clone)]
pub(in crate::mapping) struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Field,
    Detail,
    Action,
}

impl Faults {
    /// The row of a kind in replies of an action.
    #[must_use]
    pub fn row(&self, kind: FaultKind, action: &str) -> &FaultRow {
        let of_action = |(actions, row): &&(Vec<String>, FaultRow)| {
            row.kind == kind && actions.iter().any(|known| known == action)
        };
        // `compile` lays the rows in the order of `FaultKind::ALL` and refuses a table that lacks one.
        self.special.iter().find(of_action).map_or(&self.rows[kind as usize], |(_, row)| row)
    }

    /// What a reply without any code means: some proxy in between may have written it.
    #[must_use]
    pub fn kind_without_code(status: StatusCode) -> FaultKind {
        match status {
            StatusCode::TOO_MANY_REQUESTS => FaultKind::Throttled,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => FaultKind::TargetDenied,
            _ => FaultKind::TargetLost,
        }
    }

    /// What a code in a reply of this cloud means. One that no row names is a refusal; or its status says that calls come too
    /// often, or, a server's own error, leaves a doubt.
    #[must_use]
    pub fn kind_of(&self, status: StatusCode, code: &str) -> FaultKind {
        let matching = |row: &&ReadRow| {
            row.status.is_none_or(|wanted| wanted == status)
                && row.codes.iter().any(|known| known.matches(code))
        };
        let unnamed = match status {
            StatusCode::TOO_MANY_REQUESTS => FaultKind::Throttled,
            status if status.is_server_error() => FaultKind::TargetLost,
            _ => FaultKind::TargetRefused,
        };
        self.reads.iter().find(matching).map_or(unnamed, |row| row.kind)
    }
}

impl Faults {
    /// A code as metrics may name it: as it is if a row names it, by its beginning if a row names that.
    #[must_use]
    pub fn known_code(&self, code: &str) -> Option<String> {
        let mut patterns = self.reads.iter().flat_map(|row| &row.codes);
        patterns.find(|known| known.matches(code)).map(|known| match known {
            CodePattern::Exact(exact) => exact.clone(),
            CodePattern::Prefix(prefix) => format!("{prefix}*"),
        })
    }
}

impl FaultRow {
    /// The code for `fault` in a call of `action`.
    #[must_use]
    pub fn code(&self, fault: &Fault, action: &str) -> String {
        self.code.fill(fault, action)
    }

    /// The message for `fault` in a call of `action`.
    #[must_use]
    pub fn message(&self, fault: &Fault, action: &str) -> String {
        let mut message = self.message.fill(fault, action);
        if fault.detail.is_empty() {
            message.truncate(message.trim_end_matches([' ', ':']).len());
        }
        message
    }
}

impl CodePattern {
    pub(in crate::mapping) fn new(text: &str) -> Self {
        text.strip_suffix('*')
            .map_or_else(|| Self::Exact(text.to_owned()), |prefix| Self::Prefix(prefix.to_owned()))
    }

    fn matches(&self, code: &str) -> bool {
        match self {
            Self::Exact(exact) => exact == code,
            Self::Prefix(prefix) => code.starts_with(prefix.as_str()),
        }
    }
}

impl Template {
    /// Reads `text {field} text`; the error is the place that has no meaning.
    pub(in crate::mapping) fn new(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, tail) = after.split_once('}').unwrap_or((after, ""));
            pieces.push(Piece::Text(before.to_owned()));
            pieces.push(match name {
                "field" => Piece::Field,
                "detail" => Piece::Detail,
                "action" => Piece::Action,
                unknown => return Err(unknown.to_owned()),
            });
            rest = tail;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        pieces.retain(|piece| *piece != Piece::Text(String::new()));
        Ok(Self(pieces))
    }

    fn fill(&self, fault: &Fault, action: &str) -> String {
        let mut text = String::new();
        for piece in &self.0 {
            text.push_str(match piece {
                Piece::Text(piece) => piece,
                Piece::Field => fault.field.as_deref().unwrap_or_default(),
                Piece::Detail => &fault.detail,
                Piece::Action => action,
            });
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_without_detail_does_not_end_in_the_joint() {
        let row = FaultRow {
            kind: FaultKind::InvalidWeight,
            status: StatusCode::OK,
            retry_after: None,
            code: Template::new("230").unwrap(),
            message: Template::new("Params [{field}] not available: {detail}").unwrap(),
        };
        let bare = Fault::of_field(FaultKind::InvalidWeight, "Weight", "");
        assert_eq!(row.message(&bare, "AllocateBackend"), "Params [Weight] not available");
    }

    #[test]
    fn a_place_that_has_no_meaning_is_named() {
        assert_eq!(Template::new("{feild} is wrong").unwrap_err(), "feild");
    }
}
