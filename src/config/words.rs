//! Words of closed lists.

use super::{raw::Word, report::Report};
pub(super) use crate::mapping::instead;

/// The meaning of `word` among `meanings`, the first of which also counts where nothing is written.
pub(super) fn chosen<T: Copy, const N: usize>(
    report: &mut Report,
    key: &str,
    word: Option<&Word>,
    meanings: [(&str, T); N],
) -> Option<T> {
    let Some(word) = word else { return meanings.first().map(|(_, meaning)| *meaning) };
    let found = meanings.iter().find(|(name, _)| name == word.get_ref());
    if found.is_none() {
        let instead = instead(word.get_ref(), &meanings.map(|(name, _)| name));
        report.error(word.span(), format!("`{}` is no `{key}`; {instead}", word.get_ref()));
    }
    found.map(|(_, meaning)| *meaning)
}
