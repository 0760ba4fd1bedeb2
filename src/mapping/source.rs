//! Where mapping files come from: the ones embedded in the program, and a directory laid over them.

use std::{fs, io, path::Path};

use super::{
    diagnostic::{Diagnostic, Severity, SourceText},
    words::instead,
};

macro_rules! embedded {
    ($($path:literal),+ $(,)?) => {
        &[$(($path, include_str!(concat!("../../mappings/", $path)))),+]
    };
}

/// The defaults, one entry per file.
const EMBEDDED: &[(&str, &str)] = embedded![
    "aliyun/provider.toml",
    "aliyun/actions.toml",
    "aliyun/group.toml",
    "aliyun/backend.toml",
    "aliyun/faults.toml",
    "ucloud/provider.toml",
    "ucloud/actions.toml",
    "ucloud/group.toml",
    "ucloud/backend.toml",
    "ucloud/faults.toml",
    "regions.toml",
];

/// What lies beside the tables and is none: a copy of the whole folder is a legal overlay.
const EXAMPLES: [&str; 2] = ["demo.toml", "resources.example.toml"];

/// Every mapping file, each with the text that is laid over it, if any.
#[derive(Debug, Clone)]
pub struct Sources {
    files: Vec<(String, Vec<SourceText>)>,
}

impl Sources {
    /// The defaults that come with the program.
    #[must_use]
    pub fn embedded() -> Self {
        let file = |(path, text): &(&str, &str)| {
            ((*path).to_owned(), vec![SourceText::new(&format!("embedded:{path}"), text)])
        };
        Self { files: EMBEDDED.iter().map(file).collect() }
    }

    /// The defaults with the files of `directory` laid over them. A file there need only hold the rows that differ.
    ///
    /// # Errors
    /// A directory that cannot be read, and every file in it that is none of the mapping files' names.
    pub fn overlaid(directory: &Path) -> Result<Self, Vec<Diagnostic>> {
        let mut sources = Self::embedded();
        let problem = |path: &Path, what: String| Diagnostic {
            file: path.display().to_string().into(),
            line: 1,
            column: 1,
            message: what,
            severity: Severity::Error,
        };
        let unreadable = |path: &Path, error: &io::Error| {
            problem(path, format!("cannot be read: {error}; let the user who runs weighbridge read it"))
        };
        let found = toml_files(directory).map_err(|error| vec![unreadable(directory, &error)])?;
        let mut problems = Vec::new();
        for (name, path) in found {
            let laid = match fs::read_to_string(&path) {
                Ok(text) => sources.lay(&name, SourceText::new(&path.display().to_string(), &text)),
                Err(error) => Err(unreadable(&path, &error)),
            };
            problems.extend(laid.err());
        }
        if problems.is_empty() { Ok(sources) } else { Err(problems) }
    }

    /// Lays one text over the mapping file of this name.
    ///
    /// # Errors
    /// A name that no mapping file has.
    pub fn lay(&mut self, name: &str, layer: SourceText) -> Result<(), Diagnostic> {
        let Some((_, layers)) = self.files.iter_mut().find(|(known, _)| known == name) else {
            let known: Vec<&str> = EMBEDDED.iter().map(|(known, _)| *known).collect();
            let what = format!("nothing reads a mapping file of this name; {}", instead(name, &known));
            return Err(layer.error(0..0, what));
        };
        layers.push(layer);
        Ok(())
    }

    /// Whether anything is laid over the defaults.
    #[must_use]
    pub fn are_overlaid(&self) -> bool {
        self.files.iter().any(|(_, layers)| layers.len() > 1)
    }

    /// The layers of one file, the default first.
    #[must_use]
    pub fn layers(&self, path: &str) -> &[SourceText] {
        self.files.iter().find(|(known, _)| known == path).map_or(&[], |(_, layers)| layers)
    }

    /// The clouds that have a folder of tables.
    #[must_use]
    pub fn clouds(&self) -> Vec<&str> {
        let folder = |(path, _): &'_ (String, Vec<SourceText>)| -> Option<usize> {
            path.strip_suffix("/provider.toml").map(str::len)
        };
        self.files.iter().filter_map(|file| file.0.get(..folder(file)?)).collect()
    }
}

/// The `.toml` files of a directory and of all folders in it, as `folder/file.toml`: one that lies too deep is to be told of,
/// not passed over. Examples are, and so is what is hidden: a mounted ConfigMap keeps its files twice.
fn toml_files(directory: &Path) -> io::Result<Vec<(String, std::path::PathBuf)>> {
    let mut found = Vec::new();
    let mut open = vec![(String::new(), directory.to_owned())];
    while let Some((prefix, folder)) = open.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if name.starts_with('.') {
                continue;
            }
            if path.is_dir() {
                open.push((format!("{prefix}{name}/"), path));
            } else if path.extension().is_some_and(|extension| extension == "toml")
                && !EXAMPLES.contains(&name.as_str())
            {
                found.push((format!("{prefix}{name}"), path));
            }
        }
    }
    found.sort();
    Ok(found)
}
