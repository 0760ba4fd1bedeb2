//! A long file of lists of tables, cut before their headers: the tree of a million rows at once would take 2 GiB.

use std::cell::OnceCell;

/// How many bytes a piece has at least. A load in pieces of 1 MiB took a quarter longer, in pieces of 4 MiB half as much
/// memory more.
const USUAL: usize = 64 * 1024;

/// How far a piece is widened before what is wrong in it counts as wrong.
const MOST: usize = 8 * 1024 * 1024;

/// How a header of a list's next table begins, in the only place where a file is cut.
const HEADER: &str = "\n[[";

/// A text, piece by piece.
#[derive(Debug)]
pub(super) struct Pieces<'t> {
    text: &'t str,
    begin: usize,
    size: usize,
}

impl<'t> Pieces<'t> {
    pub(super) const fn of(text: &'t str) -> Self {
        Self { text, begin: 0, size: USUAL }
    }

    /// All of it in one.
    pub(super) const fn whole(text: &'t str) -> Self {
        Self { text, begin: 0, size: text.len() }
    }

    /// Where the piece begins.
    pub(super) const fn begin(&self) -> usize {
        self.begin
    }

    /// The piece; none at the end.
    pub(super) fn piece(&self) -> Option<&'t str> {
        self.text.get(self.begin..self.end()).filter(|piece| !piece.is_empty())
    }

    /// Goes on behind the piece.
    pub(super) fn go_on(&mut self) {
        *self = Self { text: self.text, begin: self.end(), size: USUAL };
    }

    /// Makes the piece longer, since it may have been cut inside a text or a list. False where that would not help.
    pub(super) fn widen(&mut self) -> bool {
        let helps = self.size < MOST && self.end() < self.text.len();
        self.size *= 2;
        helps
    }

    /// Whether the piece is all there is.
    pub(super) fn is_whole(&self) -> bool {
        self.begin == 0 && self.end() == self.text.len()
    }

    fn end(&self) -> usize {
        let least = self.text.floor_char_boundary(self.begin.saturating_add(self.size));
        let header = self.text.get(least..).and_then(|rest| rest.find(HEADER));
        header.map_or(self.text.len(), |at| least + at + 1)
    }
}

/// The lines of a text. They are looked for once, and only if somebody asks.
#[derive(Debug)]
pub(super) struct Lines<'t> {
    text: &'t str,
    ends: OnceCell<Vec<usize>>,
}

impl<'t> Lines<'t> {
    pub(super) const fn of(text: &'t str) -> Self {
        Self { text, ends: OnceCell::new() }
    }

    /// How many lines end before the byte `at`.
    pub(super) fn before(&self, at: usize) -> usize {
        let ends = self.ends.get_or_init(|| self.text.match_indices('\n').map(|(end, _)| end).collect());
        ends.partition_point(|end| *end < at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<&str> {
        let mut pieces = Pieces::of(text);
        let mut found = Vec::new();
        while let Some(piece) = pieces.piece() {
            found.push(piece);
            pieces.go_on();
        }
        found
    }

    #[test]
    fn a_text_is_cut_before_headers_alone() {
        let row = format!("[[server]]\naliyun = \"é{}\"\n [[x]]\n", "i".repeat(USUAL / 3));
        let text = format!("# é\n{}", row.repeat(10));
        let pieces = cut(&text);
        assert_eq!(pieces.concat(), text);
        // Three rows fall short of a piece: the heading, or as many bytes as `i` leaves, are missing.
        assert_eq!(
            pieces.iter().map(|piece| piece.matches("[[server]]").count()).collect::<Vec<_>>(),
            [3, 3, 3, 1]
        );
        assert!(pieces.iter().skip(1).all(|piece| piece.starts_with("[[server]]")));
        assert_eq!((cut(""), cut("[[server]]")), (vec![], vec!["[[server]]"]));
    }

    #[test]
    fn a_piece_is_widened_until_that_helps_no_more() {
        let text = "\n[[server]]".repeat(USUAL);
        let mut pieces = Pieces::of(&text);
        let mut sizes = Vec::new();
        while pieces.widen() {
            sizes.push(pieces.piece().unwrap().len() / USUAL);
        }
        // The text ends before `MOST`.
        assert_eq!(sizes, [2, 4, 8, 11]);
        assert!(pieces.is_whole());
    }

    #[test]
    fn a_line_is_told_by_what_ends_before_it() {
        let lines = Lines::of("a\n\nb");
        assert_eq!([0, 1, 2, 3, 9].map(|at| lines.before(at)), [0, 0, 1, 2, 2]);
    }
}
