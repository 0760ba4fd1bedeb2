//! Raw config → [`Config`], gathering every problem on the way.

use std::{fs, path::Path, sync::Arc};

use super::{
    Config, Watched,
    raw::{RawConfig, Word},
    report::Report,
    resources::ResourceMap,
    words::instead,
};
use crate::mapping::{Cloud, Diagnostic, SourceText, Sources, Tables};

/// Reads environment variables: the process's own, or a test's.
pub type Environment<'e> = &'e dyn Fn(&str) -> Option<String>;

/// A cloud that the program speaks, and the ids of its signature schemes.
#[derive(Debug, Clone, Copy)]
pub struct Known<'k> {
    /// The provider id.
    pub provider: &'k str,
    /// Its schemes.
    pub schemes: &'k [&'k str],
}

/// A config that cannot be used.
#[derive(Debug)]
pub struct Unsound {
    /// Every problem of every file, and what would have been [`Config::warnings`].
    pub problems: Vec<Diagnostic>,
    /// What was read, or was to be: a change of any of them may mend it.
    pub files: Vec<Watched>,
}

/// Reads a config file and everything that it refers to: mappings, resources, secrets, certificates.
///
/// # Errors
/// [`Unsound`], with every problem of every file.
pub fn load(path: &Path, environment: Environment<'_>, known: &[Known<'_>]) -> Result<Config, Unsound> {
    let (name, own) = (path.display().to_string(), Watched::now(path));
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            let what = format!("cannot be read: {error}; name a config file");
            let problems = vec![SourceText::new(&name, "").error(0..0, what)];
            return Err(Unsound { problems, files: vec![own] });
        }
    };
    let base_dir = path.parent().unwrap_or(Path::new(""));
    let mut loaded = resolved(&SourceText::new(&name, &text), None, base_dir, environment, known);
    let (Ok(Config { files, .. }) | Err(Unsound { files, .. })) = &mut loaded;
    files.push(own);
    loaded
}

/// Reads the text of a config file. Paths in it are relative to `base_dir`; the text `resources`, if there is one,
/// stands for the file that the config names.
///
/// # Errors
/// Every problem of every file, and what would have been [`Config::warnings`].
pub fn load_text(
    config: &SourceText,
    resources: Option<&SourceText>,
    base_dir: &Path,
    environment: Environment<'_>,
    known: &[Known<'_>],
) -> Result<Config, Vec<Diagnostic>> {
    resolved(config, resources, base_dir, environment, known).map_err(|unsound| unsound.problems)
}

fn resolved(
    config: &SourceText,
    resources: Option<&SourceText>,
    base_dir: &Path,
    environment: Environment<'_>,
    known: &[Known<'_>],
) -> Result<Config, Unsound> {
    let mut report = Report::new(config);
    let raw = RawConfig::read(config, &mut report);
    let mut resolver = Resolver {
        report,
        base_dir,
        environment,
        known,
        tables: None,
        files: Vec::new(),
        holds_secret: false,
    };
    let config = raw.and_then(|raw| resolver.config(raw, resources));
    let Resolver { report, files, .. } = resolver;
    match report.into_result(config) {
        Ok((config, warnings)) => Ok(Config { files, warnings, ..config }),
        Err(problems) => Err(Unsound { problems, files }),
    }
}

/// What it takes to say what a raw config means. Its methods stand where the things that they resolve have their
/// files.
pub(super) struct Resolver<'r> {
    pub(super) report: Report,
    pub(super) base_dir: &'r Path,
    pub(super) environment: Environment<'r>,
    known: &'r [Known<'r>],
    /// None when they do not compile; then nothing that depends on them is judged.
    pub(super) tables: Option<Arc<Tables>>,
    pub(super) files: Vec<Watched>,
    /// Whether a secret stands in the config itself.
    pub(super) holds_secret: bool,
}

impl<'r> Resolver<'r> {
    fn config(&mut self, raw: RawConfig, resources: Option<&SourceText>) -> Option<Config> {
        let RawConfig { listen, admin, tls, mappings, resources: named, store, targets, clients, limits } =
            raw;
        self.tables = self.compile(mappings.as_ref());
        let resources = self.resources(resources, named.as_ref());
        let (listen, admin) = self.addresses(listen, admin.as_ref(), tls.is_some());
        let tls = tls.and_then(|tls| self.tls(tls));
        let (store_place, store) = (self.store_place(store.as_ref()), self.store(store.as_ref()));
        self.check_regions(&clients, &targets, resources.as_ref());
        let clients = self.clients(clients, &targets);
        let targets: Vec<_> = targets.into_iter().map(|target| self.target(target)).collect();
        let limits = self.limits(&limits);
        self.check_own_privacy();
        Some(Config {
            listen,
            admin,
            tls,
            tables: self.tables.clone()?,
            resources: Arc::new(resources?),
            targets: targets.into_iter().collect::<Option<_>>()?,
            clients: clients?,
            store: store?,
            store_place,
            limits,
            files: Vec::new(),
            warnings: Vec::new(),
        })
    }

    fn compile(&mut self, mappings: Option<&Word>) -> Option<Arc<Tables>> {
        let sources = match mappings.map(|directory| self.directory(directory)) {
            None => Ok(Sources::embedded()),
            Some(Some(directory)) => Sources::overlaid(&directory),
            Some(None) => return None,
        };
        if let (Some(word), Ok(sources)) = (mappings, &sources)
            && !sources.are_overlaid()
        {
            let what = format!(
                "`{}` holds no mapping file, so nothing is laid over; write the directory that does, or leave `mappings` out",
                word.get_ref()
            );
            self.report.warn(word.span(), what);
        }
        let tables = sources.and_then(|sources| Tables::compile(&sources));
        tables.map_err(|problems| self.report.adopt(problems)).ok().map(Arc::new)
    }

    fn resources(&mut self, given: Option<&SourceText>, named: Option<&Word>) -> Option<ResourceMap> {
        let read = match (given, named) {
            (None, None) => return Some(ResourceMap::default()),
            (Some(given), _) => given.clone(),
            (None, Some(named)) => self.source(named)?,
        };
        match ResourceMap::read(&read, self.tables.as_ref()?) {
            Ok((map, warnings)) => {
                self.report.adopt(warnings);
                Some(map)
            }
            Err(problems) => {
                self.report.adopt(problems);
                None
            }
        }
    }

    /// What the program speaks by the name `word`.
    pub(super) fn known(&mut self, key: &str, word: &Word) -> Option<Known<'r>> {
        let id = word.get_ref();
        let known = self.known.iter().find(|known| known.provider == id).copied();
        if known.is_none() {
            let ids: Vec<&str> = self.known.iter().map(|known| known.provider).collect();
            self.report.error(word.span(), format!("`{id}` is no `{key}`; {}", instead(id, &ids)));
        }
        known
    }

    /// The tables of the cloud that `word` names.
    pub(super) fn cloud(&mut self, word: &Word) -> Option<Arc<Cloud>> {
        let cloud = self.tables.as_ref()?.cloud(word.get_ref()).cloned();
        if cloud.is_none() {
            let ids: Vec<&str> = self
                .tables
                .iter()
                .flat_map(|tables| tables.clouds())
                .map(|cloud| cloud.id.as_str())
                .collect();
            let what =
                format!("`{}` has no mapping tables; {}", word.get_ref(), instead(word.get_ref(), &ids));
            self.report.error(word.span(), what);
        }
        cloud
    }
}
