//! Numbered files of one kind beside the database: `weighbridge.db.nonces.1`, `weighbridge.db.nonces.2`.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io,
    os::unix::{
        ffi::OsStrExt,
        fs::{FileExt, OpenOptionsExt, PermissionsExt},
    },
    path::{Path, PathBuf},
};

use crate::store::Unavailable;

/// Who may read and write a file whose database does not say so.
const OWNER_ALONE: u32 = 0o600;

/// The files of one kind.
#[derive(Debug)]
pub(super) struct Series {
    /// Their name up to the number.
    base: OsString,
    /// Who may read and write them: whoever may the database.
    mode: u32,
}

impl Series {
    /// The files of this kind beside a database that is there.
    pub(super) fn beside(database: &Path, kind: &str) -> Self {
        let mode = fs::metadata(database).map_or(OWNER_ALONE, |told| told.permissions().mode() & 0o666);
        let mut base = database.as_os_str().to_owned();
        base.push(format!(".{kind}."));
        Self { base, mode }
    }

    /// The numbers of those that are there, the lowest first.
    pub(super) fn numbers(&self) -> Result<Vec<u32>, Unavailable> {
        let base = Path::new(&self.base);
        let folder = base.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let said = |error: io::Error| Unavailable(format!("`{}`: {error}", folder.display()));
        let name = base.file_name().unwrap_or_default().as_bytes();
        let mut numbers = Vec::new();
        for entry in fs::read_dir(folder).map_err(said)? {
            let entry = entry.map_err(said)?.file_name();
            let word = entry.as_bytes().strip_prefix(name).and_then(|word| str::from_utf8(word).ok());
            let number = word.and_then(|word| word.parse::<u32>().ok());
            // `+1` and `01` are somebody else's.
            numbers.extend(number.filter(|number| word == Some(number.to_string().as_str())));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Makes a file that begins with these bytes.
    pub(super) fn make(&self, number: u32, begin: &[u8]) -> Result<File, Unavailable> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(true).mode(self.mode);
        let file = options.open(self.path(number)).map_err(|error| self.said(number, &error))?;
        file.write_all_at(begin, 0).map_err(|error| self.said(number, &error))?;
        Ok(file)
    }

    /// Opens a file that is there.
    pub(super) fn open(&self, number: u32) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).open(self.path(number))
    }

    /// Deletes a file; one that is not there is as good as deleted.
    pub(super) fn remove(&self, number: u32) -> Result<(), Unavailable> {
        match fs::remove_file(self.path(number)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.said(number, &error)),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// What a failure of one of them is told as.
    pub(super) fn said(&self, number: u32, why: &dyn std::fmt::Display) -> Unavailable {
        Unavailable(format!("`{}`: {why}", self.path(number).display()))
    }

    fn path(&self, number: u32) -> PathBuf {
        let mut path = self.base.clone();
        path.push(number.to_string());
        PathBuf::from(path)
    }
}

/// Whether nothing of what a file begins with is there: it was made and never written, by a process that was killed in that
/// instant, or on a machine that lost its power. Nothing of what it held can be told.
pub(super) fn is_blank(begin: &[u8]) -> bool {
    begin.iter().all(|byte| *byte == 0)
}
