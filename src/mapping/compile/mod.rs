//! Raw mapping files → typed tables. Every name is resolved here; a problem carries its file, line and column.

mod actions;
mod backend;
mod faults;
mod group;
mod places;
mod provider;

use std::sync::Arc;

use toml::Spanned;

use self::provider::Provider;
use super::{
    actions::Actions,
    capability::Capability,
    diagnostic::{Diagnostic, SourceText},
    faults::Faults,
    group::GroupTable,
    places::Places,
    raw::Word,
    record::BackendTable,
    source::Sources,
    words::instead,
};
use crate::model::Lost;

/// Every table of every cloud.
#[derive(Debug, Clone)]
pub struct Tables {
    clouds: Vec<Arc<Cloud>>,
    /// Which region here is which region there.
    pub places: Places,
}

/// The tables of one cloud.
#[derive(Debug, Clone)]
pub struct Cloud {
    /// The provider id: the name of the folder.
    pub id: String,
    /// The name for people.
    pub title: String,
    /// The API version that calls carry, where the cloud has versions.
    pub version: Option<String>,
    /// The signature scheme that the gateway signs with, unless a target names another.
    pub signature: String,
    /// The reply format when a request names none.
    pub default_format: Format,
    /// What the cloud can do in one call.
    pub capability: Capability,
    /// Its actions.
    pub actions: Actions,
    /// How it names and describes a group.
    pub group: GroupTable,
    /// How it writes a backend.
    pub backend: BackendTable,
    /// How it tells of failures.
    pub faults: Faults,
}

/// A format of replies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JSON.
    Json,
    /// XML.
    Xml,
}

/// Which of two generations of replies a client expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// What the cloud sends and its SDKs parse.
    Live,
    /// What the API pages print.
    Documented,
}

impl Tables {
    /// Compiles all files.
    ///
    /// # Errors
    /// Every problem of every file.
    pub fn compile(sources: &Sources) -> Result<Self, Vec<Diagnostic>> {
        let mut problems = Problems::default();
        let ids = sources.clouds();
        let clouds = ids.iter().filter_map(|id| problems.keep(cloud(sources, id))).map(Arc::new).collect();
        let places = problems.keep(places::places(sources.layers("regions.toml"), &ids)).unwrap_or_default();
        problems.into_result(Self { clouds, places })
    }

    /// The tables of one cloud.
    #[must_use]
    pub fn cloud(&self, id: &str) -> Option<&Arc<Cloud>> {
        self.clouds.iter().find(|cloud| cloud.id == id)
    }

    /// All clouds.
    #[must_use]
    pub fn clouds(&self) -> &[Arc<Cloud>] {
        &self.clouds
    }
}

/// Problems gathered on the way, so that an operator sees all of them at once.
#[derive(Debug, Default)]
struct Problems(Vec<Diagnostic>);

impl Problems {
    fn keep<T>(&mut self, result: Result<T, Vec<Diagnostic>>) -> Option<T> {
        result.map_err(|problems| self.0.extend(problems)).ok()
    }

    fn keep_one<T>(&mut self, result: Result<T, Diagnostic>) -> Option<T> {
        result.map_err(|problem| self.0.push(problem)).ok()
    }

    fn into_result<T>(self, value: T) -> Result<T, Vec<Diagnostic>> {
        if self.0.is_empty() { Ok(value) } else { Err(self.0) }
    }
}

impl Cloud {
    /// The cloud's name for what got lost.
    #[must_use]
    pub fn name_of<'n>(&'n self, lost: &'n Lost) -> &'n str {
        match lost {
            Lost::Backend(field) => self.backend.wire_name(*field),
            Lost::Group(field) => self.group.wire_name(*field),
            Lost::Parameter(name) => name,
        }
    }
}

fn cloud(sources: &Sources, id: &str) -> Result<Cloud, Vec<Diagnostic>> {
    let layers = |file: &str| sources.layers(&format!("{id}/{file}"));
    let mut problems = Problems::default();
    let provider = problems.keep(provider::provider(id, layers("provider.toml")));
    let rows = problems.keep(actions::actions(layers("actions.toml")));
    let group = problems.keep(group::group(layers("group.toml")));
    let backend = problems.keep(backend::backend(layers("backend.toml")));
    let faults = problems.keep(faults::faults(layers("faults.toml"), rows.as_deref()));
    let (Some(provider), Some(rows), Some(group), Some(backend), Some(faults)) =
        (provider, rows, group, backend, faults)
    else {
        return Err(problems.0);
    };
    let Provider { title, version, signature, default_format, unknown, common, capability } = provider;
    let actions = Actions { rows, common, unknown };
    let id = id.to_owned();
    Ok(Cloud { id, title, version, signature, default_format, capability, actions, group, backend, faults })
}

fn replace<T>(slot: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *slot = value;
    }
}

/// A number that counts something of which there has to be one.
fn at_least_one(layer: &SourceText, count: &Spanned<usize>, name: &str) -> Result<usize, Diagnostic> {
    match count.get_ref() {
        0 => Err(layer.error(count.span(), format!("`{name}` is 0; write 1 or more"))),
        count => Ok(*count),
    }
}

/// A row that lies over none, and does not say what it would take to be a new one.
fn unknown_row(layer: &SourceText, sort: &str, name: &Word, lacks: &str, known: &[&str]) -> Diagnostic {
    let (text, instead) = (name.get_ref(), instead(name.get_ref(), known));
    layer
        .error(name.span(), format!("no {sort} is called `{text}`, and a new one needs `{lacks}`; {instead}"))
}

/// Both ends of a range, the lower one first.
fn ordered(layer: &SourceText, ends: &Spanned<(u32, u32)>, name: &str) -> Result<(u32, u32), Diagnostic> {
    let (low, high) = *ends.get_ref();
    if low <= high {
        return Ok((low, high));
    }
    Err(layer.error(ends.span(), format!("`{name}` is upside down; write [{high}, {low}]")))
}

/// The member of a closed list that `word` names.
fn named<T: Copy>(
    layer: &SourceText,
    word: &Word,
    all: &[T],
    name: impl Fn(T) -> &'static str,
) -> Result<T, Diagnostic> {
    all.iter().copied().find(|member| name(*member) == word.get_ref()).ok_or_else(|| {
        let words: Vec<&str> = all.iter().map(|member| name(*member)).collect();
        let what = format!("`{}` is not known here; {}", word.get_ref(), instead(word.get_ref(), &words));
        layer.error(word.span(), what)
    })
}

/// The meaning of `word`, if there is one to look up.
fn chosen<T: Copy>(
    layer: &SourceText,
    word: Option<&Word>,
    meanings: &[(&'static str, T)],
) -> Result<Option<T>, Diagnostic> {
    let Some(word) = word else { return Ok(None) };
    named(layer, word, meanings, |(name, _)| name).map(|(_, meaning)| Some(meaning))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{
        mapping::Rule,
        model::{Fault, FaultKind, Field, Health, Protocol},
    };

    fn overlaid(file: &str, text: &str) -> Result<Tables, Vec<Diagnostic>> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        let sources = Sources::overlaid(directory.path())?;
        Tables::compile(&sources)
    }

    #[test]
    fn the_embedded_tables_compile() {
        let tables = Tables::compile(&Sources::embedded()).unwrap();
        assert_eq!(tables.clouds().len(), 2);
    }

    #[test]
    fn a_row_laid_over_changes_only_what_it_says() {
        let text = "[[field]]\nwire = \"Weight\"\nrange = [0, 100]\n";
        let tables = overlaid("ucloud/backend.toml", text).unwrap();
        let row = tables.cloud("ucloud").unwrap().backend.row(Field::Weight).unwrap();
        assert_eq!((&row.rule, row.default.as_deref()), (&Rule::Range(0, 100), Some("1")));
    }

    #[test]
    fn a_typo_is_reported_with_line_and_column() {
        let problems = overlaid("ucloud/backend.toml", "[loss]\ndescription = \"forget\"\n").unwrap_err();
        let [problem] = problems.as_slice() else { panic!("{problems:?}") };
        assert_eq!((problem.line, problem.column), (2, 15));
        assert!(problem.message.contains("remember, report, refuse"), "{problem}");
    }

    /// One flaw a line: `file: text => problem`, `⏎` for the end of a line, a problem by its place and how it begins.
    fn check(cases: &str) {
        for case in cases.trim().lines() {
            let (layer, wanted) = case.split_once(" => ").unwrap();
            let (file, text) = layer.split_once(": ").unwrap();
            let problems = overlaid(file, &text.replace('⏎', "\n")).unwrap_err();
            let [Diagnostic { line, column, message, .. }] = problems.as_slice() else {
                panic!("{case}: {problems:#?}")
            };
            let found = format!("{line}:{column}: {message}");
            assert!(found.starts_with(wanted), "{case}: {found}");
        }
    }

    #[test]
    fn flaws_of_groups_are_reported() {
        check(
            r#"
ucloud/group.toml: [template]⏎protocol = "tcp"⏎ports = [0, 9] => 3:9: `ports` is no span of ports; write [first, last], both within 1 to 65535
ucloud/group.toml: [template]⏎protocol = "tcp"⏎ports = [9, 1] => 3:9: `ports` is no span of ports
ucloud/group.toml: [template]⏎protocol = "tcp"⏎ports = [1, 65536] => 3:9: `ports` is no span of ports
ucloud/group.toml: [template]⏎protocol = "tpc"⏎ports = [1, 9] => 2:12: `tpc` is not known here; write one of http, https, tcp, udp
ucloud/group.toml: [protocols]⏎TCP = "tpc" => 2:7: `tpc` is not known here; write one of http, https, tcp, udp
ucloud/group.toml: listener = {protocol="P",default_protocol="tpc",port="F",default_port=80} => 1:43: `tpc` is not known here
ucloud/group.toml: listener = {protocol="P",default_protocol="tcp",port="F",default_port=0} => 1:71: this is no port; write 1 to 65535
aliyun/group.toml: [health]⏎healthy = "a"⏎unhealty = "b"⏎unknown = "c" => 3:1: `unhealty` is not known here; did you mean `unhealthy`? known here: healthy, unhealthy, unknown
aliyun/group.toml: [health]⏎healthy = "a"⏎unknown = "c" => 1:1: `[health]` has no word for `unhealthy`
aliyun/group.toml: [loss]⏎listner = "report" => 2:1: `listner` is not known here; did you mean `listener`? known here: name, listener
aliyun/group.toml: [loss]⏎listener = "keep" => 2:12: `keep` is not known here; write one of remember, report, refuse
"#,
        );
    }

    #[test]
    fn flaws_of_actions_faults_and_capabilities_are_reported() {
        check(
            r#"
ucloud/actions.toml: [[action]]⏎name = "ReleaseBackend"⏎operations = ["remove-backend"] => 3:15: `remove-backend` is not known here; did you mean `remove-backends`? known here: add-backends
ucloud/actions.toml: [[action]]⏎name = "DescribeSSL" => 2:8: no action is called `DescribeSSL`, and a new one needs `operations`; write one of 
ucloud/faults.toml: [[fault]]⏎kind = "bussy"⏎actions = ["DeleteVServer"]⏎code = "1" => 2:8: `bussy` is not known here
ucloud/faults.toml: [[fault]]⏎kind = "busy"⏎actions = ["DeleteVServer"]⏎message = "{why}" => 4:11: `{why}` has no meaning; write {field}, {detail} or {action}
ucloud/provider.toml: [capability]⏎updates_per_call = 0 => 2:20: `updates_per_call` is 0; write 1 or more
ucloud/provider.toml: [capability]⏎names_backends = "name" => 2:18: `name` is not known here; write one of address, id
"#,
        );
    }

    #[test]
    fn a_group_table_laid_over_changes_only_what_it_says() {
        let text = "name_length = [1, 20]\n[health]\nhealthy = \"up\"\nunhealthy = \"down\"\nunknown = \"?\"\n\
                    [template]\nprotocol = \"udp\"\nports = [53, 53]\n[[option]]\nwire = \"Method\"\ndefault = \"Source\"\n";
        let tables = overlaid("ucloud/group.toml", text).unwrap();
        let group = &tables.cloud("ucloud").unwrap().group;
        assert_eq!((group.name_length, group.id_prefix.as_str()), ((1, 20), "vserver-"));
        assert_eq!(Health::ALL.map(|health| group.health_word(health)), ["up", "down", "?"]);
        let template = group.template.as_ref().unwrap();
        let (first, last) = template.ports;
        assert_eq!((template.protocol, first.get(), last.get()), (Protocol::Udp, 53, 53));
        assert!(template.options.is_empty(), "a template is laid over as a whole");
        let options = |wire: &str| group.options.iter().filter(|row| row.wire == wire).collect::<Vec<_>>();
        assert_eq!(options("Method").iter().map(|row| row.default.as_str()).collect::<Vec<_>>(), ["Source"]);
        assert_eq!(options("ClientTimeout").len(), 1);
    }

    /// What such a row leaves out is as in the row for every action; other actions are told as before.
    #[test]
    fn a_fault_may_be_told_otherwise_by_some_actions() {
        let text = "[[fault]]\nkind = \"busy\"\nactions = [\"DeleteVServer\"]\ncode = \"1\"\n";
        let (plain, over) = (Tables::compile(&Sources::embedded()), overlaid("ucloud/faults.toml", text));
        let told = |tables: &Tables, action: &str| {
            let fault = Fault::new(FaultKind::Busy, "");
            let row = tables.cloud("ucloud").unwrap().faults.row(FaultKind::Busy, action);
            (row.code(&fault, action), row.message(&fault, action), row.status)
        };
        let (plain, over) = (plain.unwrap(), over.unwrap());
        let (_, message, status) = told(&plain, "AllocateBackend");
        assert_eq!(told(&over, "DeleteVServer"), ("1".to_owned(), message, status));
        for action in ["AllocateBackend", "ReleaseBackend", "UpdateBackendBatch"] {
            assert_eq!(told(&over, action), told(&plain, action), "{action}");
        }
        assert_ne!(told(&plain, "ReleaseBackend").0, told(&plain, "AllocateBackend").0);
    }

    #[test]
    fn a_copy_of_the_whole_folder_is_a_legal_overlay() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings");
        Tables::compile(&Sources::overlaid(&folder).unwrap()).unwrap();
    }

    #[test]
    fn a_file_that_is_no_mapping_file_is_refused() {
        for file in ["ucloud/backends.toml", "ucloud/old/backend.toml", "Regions.toml"] {
            let problems = overlaid(file, "").unwrap_err();
            assert!(problems[0].message.starts_with("nothing reads a mapping file"), "{file}: {problems:?}");
        }
    }

    /// Such as the folders of a mounted ConfigMap, and what an editor leaves.
    #[test]
    fn what_is_hidden_lies_over_nothing() {
        for file in ["..data/regions.toml", "ucloud/.backend.toml"] {
            assert!(overlaid(file, "[[nonsense]]").is_ok(), "{file}");
        }
    }

    #[test]
    fn a_default_outside_its_range_is_refused() {
        let problems = overlaid("aliyun/backend.toml", "[[field]]\nwire = \"Weight\"\ndefault = \"101\"\n");
        assert_eq!(problems.unwrap_err()[0].line, 3);
    }
}
