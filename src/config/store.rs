//! Where the config says that the store is.

use std::path::{Path, PathBuf};

use super::{credentials::is_literal, raw::Word, resolve::Resolver};
use crate::{crypto::Secret, mapping::Diagnostic, store::StoreAt};

impl Resolver<'_> {
    /// Where the store is said to be: the place for what is found wrong with it later.
    pub(super) fn store_place(&self, word: Option<&Word>) -> Diagnostic {
        self.report.place(word.map_or(0..0, Word::span))
    }

    /// The store of a config that names none: a file beside it, by its name, so that two configs in one folder do not share it.
    fn usual_file(&self) -> PathBuf {
        let config = self.report.place(0..0).file;
        let name = Path::new(&*config).with_extension("db");
        self.base_dir.join(name.file_name().unwrap_or(name.as_os_str()))
    }

    /// Where the store is. What a config does not say is a file: a gateway that forgets is nobody's wish.
    pub(super) fn store(&mut self, word: Option<&Word>) -> Option<StoreAt> {
        let Some(word) = word else { return Some(StoreAt::Sqlite(self.usual_file())) };
        let told = self.told("store", word)?;
        if told == "memory" {
            return Some(StoreAt::Memory);
        }
        let postgres = ["postgres://", "postgresql://"].iter().any(|scheme| told.starts_with(scheme));
        match told.strip_prefix("sqlite:").map(|path| path.strip_prefix("//").unwrap_or(path)) {
            Some(path) if !path.is_empty() => Some(StoreAt::Sqlite(self.base_dir.join(path))),
            None if postgres => {
                if is_literal(word) && has_password(&told) {
                    self.warn_of_literal(word, "the password of the `store`");
                }
                Some(StoreAt::Postgres(Secret::new(told)))
            }
            Some(_) | None => {
                let what = "this is no `store`; write \"memory\", \"sqlite:PATH\" or \"postgres://…\"";
                self.report.error(word.span(), what);
                None
            }
        }
    }
}

/// Whether the address of a database holds a password.
fn has_password(url: &str) -> bool {
    let (before, query) = url.split_once('?').unwrap_or((url, ""));
    let authority = before.split_once("://").map_or("", |(_, rest)| rest);
    let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
    let is_there = |(_, password): (&str, &str)| !password.is_empty();
    user.split_once(':').is_some_and(is_there) || query.split('&').any(|pair| pair.starts_with("password="))
}
