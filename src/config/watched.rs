//! A file as it was when it was about to be read, so that any later change shows.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// A file or a directory that was read, with everything in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    path: PathBuf,
    looks: Vec<Looks>,
}

/// What tells one state of a file from another without reading it: where a link leads, which file it is, when it and what
/// is written about it were changed, and its length.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Looks {
    path: PathBuf,
    /// Device, inode, length; none of a file that is not there.
    identity: Option<(u64, u64, u64)>,
    /// Seconds and nanoseconds.
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Watched {
    /// Takes down what `path` looks like, before it is read.
    #[must_use]
    pub fn now(path: &Path) -> Self {
        let mut looks = Vec::new();
        look(path, &mut looks);
        Self { path: path.to_owned(), looks }
    }

    /// The path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it looks otherwise by now.
    #[must_use]
    pub fn has_changed(&self) -> bool {
        *self != Self::now(&self.path)
    }
}

fn look(path: &Path, looks: &mut Vec<Looks>) {
    let path = path.to_owned();
    let Ok(found) = fs::metadata(&path) else {
        looks.push(Looks { path, identity: None, modified: (0, 0), changed: (0, 0) });
        return;
    };
    if found.is_dir() {
        let entries = fs::read_dir(&path).into_iter().flatten().flatten();
        let mut inside: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        inside.sort();
        for path in inside {
            look(&path, looks);
        }
        return;
    }
    looks.push(Looks {
        path,
        identity: Some((found.dev(), found.ino(), found.len())),
        modified: (found.mtime(), found.mtime_nsec()),
        changed: (found.ctime(), found.ctime_nsec()),
    });
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn whatever_becomes_of_a_file_shows() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let write = |name: &str, text: &str| fs::write(path(name), text).unwrap();
        for (name, change) in [
            ("written", Box::new(|| write("written", "longer")) as Box<dyn Fn()>),
            ("rewritten", Box::new(|| write("rewritten", "2"))),
            ("gone", Box::new(|| fs::remove_file(path("gone")).unwrap())),
            ("come", Box::new(|| write("come", "1"))),
            ("replaced", Box::new(|| fs::rename(path("other"), path("replaced")).unwrap())),
        ] {
            for name in ["written", "rewritten", "gone", "replaced", "other"] {
                write(name, "1");
            }
            let seen = Watched::now(&path(name));
            assert!(!seen.has_changed(), "{name}");
            change();
            assert!(seen.has_changed(), "{name}");
        }
    }

    #[test]
    fn a_directory_stands_for_what_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("deep/er")).unwrap();
        let seen = Watched::now(folder.path());
        fs::write(folder.path().join("deep/er/file"), "1").unwrap();
        assert!(seen.has_changed());
        let seen = Watched::now(folder.path());
        fs::write(folder.path().join("deep/er/file"), "22").unwrap();
        assert!(seen.has_changed());
    }

    /// How Kubernetes changes all files of a secret at once.
    #[test]
    fn a_link_in_the_way_that_leads_elsewhere_shows() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for version in ["1", "2"] {
            fs::create_dir(path(version)).unwrap();
            fs::write(path(version).join("secret"), "same").unwrap();
        }
        symlink("1", path("..data")).unwrap();
        symlink("..data/secret", path("secret")).unwrap();
        let seen = Watched::now(&path("secret"));
        symlink("2", path("new")).unwrap();
        fs::rename(path("new"), path("..data")).unwrap();
        assert!(seen.has_changed());
    }
}
