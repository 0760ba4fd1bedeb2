//! Where the config says that the store is.

use super::{raw::Word, resolve::Resolver};
use crate::{crypto::Secret, store::StoreAt};

/// The store of a config that names none: a file beside it.
const USUAL: &str = "weighbridge.db";

impl Resolver<'_> {
    /// Where the store is. What a config does not say is a file: a gateway that forgets is nobody's wish.
    pub(super) fn store(&mut self, word: Option<&Word>) -> Option<StoreAt> {
        let Some(word) = word else { return Some(StoreAt::Sqlite(self.base_dir.join(USUAL))) };
        let told = self.told("store", word)?;
        if told == "memory" {
            return Some(StoreAt::Memory);
        }
        let postgres = ["postgres://", "postgresql://"].iter().any(|scheme| told.starts_with(scheme));
        match told.strip_prefix("sqlite:").map(|path| path.strip_prefix("//").unwrap_or(path)) {
            Some(path) if !path.is_empty() => Some(StoreAt::Sqlite(self.base_dir.join(path))),
            None if postgres => Some(StoreAt::Postgres(Secret::new(told))),
            Some(_) | None => {
                let what = "this is no `store`; write \"memory\", \"sqlite:PATH\" or \"postgres://…\"";
                self.report.error(word.span(), what);
                None
            }
        }
    }
}
