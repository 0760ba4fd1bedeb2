//! The rows of a resource map: which columns they have, and that nothing stands in two of them.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::Hash,
    sync::Arc,
};

use toml::{
    Spanned,
    de::{DeString, DeTable, DeValue},
};

use super::{
    pieces::{Lines, Pieces},
    report::Report,
    section::Section,
    servers::{ServerColumn, Servers},
    words::instead,
};
use crate::{
    mapping::{Cloud, Diagnostic, SourceText, Tables},
    model::{GroupRef, LoadBalancerRef},
};

/// The lists of a resource map.
const LISTS: [&str; 3] = ["load_balancer", "group", "server"];

/// One thing, by what each cloud calls it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Row<C>(pub(super) Vec<(String, C)>);

/// The rows of each sort of thing.
pub(super) struct Rows {
    pub(super) balancers: Vec<Row<LoadBalancerRef>>,
    pub(super) groups: Vec<Row<GroupRef>>,
    pub(super) servers: Servers,
}

/// What a row says of one cloud.
pub(super) trait Column: Sized {
    /// Reads what stands there for `cloud`.
    fn read(cloud: &Cloud, value: Spanned<DeValue<'_>>, report: &mut Report) -> Option<Self>;
}

/// A column that is kept with what tells it from all others.
pub(super) trait Unique: Column {
    /// What only one row of a cloud may have.
    type Identity: Hash + Eq;

    /// What no other row may have.
    fn identity(&self, cloud: &Cloud) -> Self::Identity;
}

impl<C> Row<C> {
    /// What it says of a cloud.
    pub(super) fn get(&self, cloud: &str) -> Option<&C> {
        self.0.iter().find(|(own, _)| own == cloud).map(|(_, column)| column)
    }
}

/// Reads a resource map over the clouds of `tables`.
///
/// # Errors
/// Every problem, and every warning.
pub(super) fn read(source: &SourceText, tables: &Tables) -> Result<(Rows, Vec<Diagnostic>), Vec<Diagnostic>> {
    let lines = Lines::of(source.text());
    let mut pieces = Pieces::of(source.text());
    let mut file = File::new(source);
    while let Some(text) = pieces.piece() {
        // Places in a piece are found without a look at what lies before it.
        let piece = SourceText::new(source.name(), text);
        let mut report = Report::new(&piece);
        let Some(section) = Section::document(&piece, "the resource map", &mut report) else {
            if pieces.widen() {
                continue;
            }
            // Of a file that is no TOML nothing else is said.
            let mut flaws = Report::new(source);
            flaws.adopt(moved(report, lines.before(pieces.begin())));
            return flaws.into_result(None);
        };
        if !section.is_lists_of(&LISTS) && !pieces.is_whole() {
            // What else there is may belong to what stands far from it.
            (pieces, file) = (Pieces::whole(source.text()), File::new(source));
            continue;
        }
        file.read(section, &mut Reader { tables, report: &mut report, begin: pieces.begin(), lines: &lines });
        file.report.adopt(moved(report, lines.before(pieces.begin())));
        pieces.go_on();
    }
    file.into_result()
}

/// What a piece reports, so many lines further down.
fn moved(report: Report, lines: usize) -> Vec<Diagnostic> {
    let (Ok(((), found)) | Err(found)) = report.into_result(Some(()));
    found.into_iter().map(|found| Diagnostic { line: found.line + lines, ..found }).collect()
}

/// What was read of a file so far.
struct File {
    report: Report,
    balancers: Listed<LoadBalancerRef>,
    groups: Listed<GroupRef>,
    servers: Placed,
}

impl File {
    fn new(source: &SourceText) -> Self {
        Self {
            report: Report::new(source),
            balancers: Listed { rows: Vec::new(), first: HashMap::new() },
            groups: Listed { rows: Vec::new(), first: HashMap::new() },
            servers: Placed::default(),
        }
    }

    fn read(&mut self, mut section: Section<'_>, reader: &mut Reader<'_>) {
        let [balancers, groups, servers] = LISTS;
        reader.rows(&mut section, balancers, &mut self.balancers);
        reader.rows(&mut section, groups, &mut self.groups);
        reader.rows(&mut section, servers, &mut self.servers);
        section.close(reader.report);
    }

    fn into_result(self) -> Result<(Rows, Vec<Diagnostic>), Vec<Diagnostic>> {
        let Self { report, balancers, groups, servers: Placed { mut servers, places: _ } } = self;
        servers.close();
        report.into_result(Some(Rows { balancers: balancers.rows, groups: groups.rows, servers }))
    }
}

/// Where the rows of one sort go.
trait Table {
    type Column: Column;

    fn add_row(&mut self);

    /// Puts what stands at `at` into the last row. An error is where the thing stood first.
    fn put(&mut self, cloud: &Cloud, column: Self::Column, at: usize) -> Result<(), usize>;
}

/// Rows as they are.
struct Listed<C: Unique> {
    rows: Vec<Row<C>>,
    first: HashMap<(String, C::Identity), usize>,
}

impl<C: Unique> Table for Listed<C> {
    type Column = C;

    fn add_row(&mut self) {
        self.rows.push(Row(Vec::new()));
    }

    fn put(&mut self, cloud: &Cloud, column: C, at: usize) -> Result<(), usize> {
        match self.first.entry((cloud.id.clone(), column.identity(cloud))) {
            Entry::Occupied(first) => Err(*first.get()),
            Entry::Vacant(place) => {
                place.insert(at);
                if let Some(Row(columns)) = self.rows.last_mut() {
                    columns.push((cloud.id.clone(), column));
                }
                Ok(())
            }
        }
    }
}

/// Servers, and where each stands in the file: by cloud and row.
#[derive(Default)]
struct Placed {
    servers: Servers,
    places: HashMap<String, Vec<usize>>,
}

impl Table for Placed {
    type Column = ServerColumn;

    fn add_row(&mut self) {
        self.servers.add_row();
    }

    fn put(&mut self, cloud: &Cloud, column: ServerColumn, at: usize) -> Result<(), usize> {
        let of_cloud = match self.places.get_mut(&cloud.id) {
            Some(places) => places,
            None => self.places.entry(cloud.id.clone()).or_default(),
        };
        match self.servers.put(&cloud.id, &column) {
            Ok(row) => {
                of_cloud.resize(row, 0);
                of_cloud.push(at);
                Ok(())
            }
            Err(row) => Err(of_cloud.get(row).copied().unwrap_or_default()),
        }
    }
}

/// Reads the rows of a piece.
struct Reader<'r> {
    tables: &'r Tables,
    report: &'r mut Report,
    /// Where the piece begins.
    begin: usize,
    lines: &'r Lines<'r>,
}

impl<'r> Reader<'r> {
    fn rows<T: Table>(&mut self, file: &mut Section<'_>, key: &'static str, table: &mut T) {
        let list: Option<Spanned<Vec<Spanned<DeTable<'_>>>>> = file.take(key, self.report);
        for row in list.map(Spanned::into_inner).unwrap_or_default() {
            self.row(row, table);
        }
    }

    fn row<T: Table>(&mut self, row: Spanned<DeTable<'_>>, table: &mut T) {
        match row.get_ref().len() {
            0 => self.report.error(row.span(), "the row is empty; write one column for each cloud"),
            1 => self.report.warn(row.span(), "the row has one column and so leads nowhere; write another"),
            _ => {}
        }
        table.add_row();
        for (name, value) in row.into_inner() {
            self.column(&name, value, table);
        }
    }

    fn column<T: Table>(&mut self, name: &Spanned<DeString<'_>>, value: Spanned<DeValue<'_>>, table: &mut T) {
        let at = value.span();
        let Some(cloud) = self.cloud(name) else { return };
        let Some(column) = T::Column::read(cloud, value, self.report) else { return };
        if let Err(first) = table.put(cloud, column, self.begin + at.start) {
            let line = self.lines.before(first) + 1;
            self.report
                .error(at, format!("`{}` has this in the row on line {line}; leave one out", cloud.id));
        }
    }

    fn cloud(&mut self, name: &Spanned<DeString<'_>>) -> Option<&'r Arc<Cloud>> {
        let cloud = self.tables.cloud(name.get_ref());
        if cloud.is_none() {
            let ids: Vec<&str> = self.tables.clouds().iter().map(|cloud| cloud.id.as_str()).collect();
            let instead = instead(name.get_ref(), &ids);
            self.report.error(name.span(), format!("no cloud is called `{}`; {instead}", name.get_ref()));
        }
        cloud
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::{Severity, Sources};

    /// One problem a line: `text => problem`, `⏎` for the end of a line, a problem by how it begins.
    fn check(severity: Severity, cases: &str) {
        let tables = Tables::compile(&Sources::embedded()).unwrap();
        for case in cases.trim().lines() {
            let (text, wanted) = case.split_once(" => ").unwrap();
            let source = SourceText::new("map", &text.replace('⏎', "\n"));
            let (passes, found) = match read(&source, &tables) {
                Ok((_, warnings)) => (true, warnings),
                Err(problems) => (false, problems),
            };
            let [only] = found.as_slice() else { panic!("{case}: {found:#?}") };
            assert_eq!(passes, severity == Severity::Warning, "{case}");
            assert!(only.to_string().starts_with(&format!("map:{wanted}")), "{case}: {only}");
        }
    }

    #[test]
    fn flaws_of_the_file_and_of_rows_are_reported() {
        check(
            Severity::Error,
            r#"
[[group] => 1:
group = 1 => 1:9: `group` has to be a list of tables
[[groups]] => 1:3: the resource map has no key `groups`; did you mean `group`?
[[group]] => 1:1: the row is empty; write one column for each cloud
[[server]]⏎alyun = ""⏎ucloud = "u" => 2:1: no cloud is called `alyun`; did you mean `aliyun`? known here: aliyun, ucloud
[[server]]⏎aliyun = "i"⏎ucloud = "u"⏎[[server]]⏎aliyun = "j"⏎ucloud = {id="u",type="UNI"} => 6:10: `ucloud` has this in the row on line 3; leave one out
[[group]]⏎aliyun = {group="g"}⏎ucloud = {load_balancer="l",group="g"}⏎[[group]]⏎aliyun = {load_balancer="m",group="g"}⏎ucloud = {load_balancer="m",group="g"} => 5:10: `aliyun` has this in the row on line 2
"#,
        );
    }

    #[test]
    fn flaws_of_load_balancers_are_reported() {
        check(
            Severity::Error,
            r#"
[[load_balancers]] => 1:3: the resource map has no key `load_balancers`; did you mean `load_balancer`?
[[load_balancer]]⏎aliyun = "lb-1"⏎ucloud = {id="u"} => 2:10: `aliyun` has to be a table, not text
[[load_balancer]]⏎aliyun = {region="r"}⏎ucloud = {id="u"} => 2:10: the load balancer of `aliyun` has no `id`; write id =
[[load_balancer]]⏎aliyun = {id=""}⏎ucloud = {id="u"} => 2:14: `id` is ``; write an id
[[load_balancer]]⏎aliyun = {id="l",group="g"}⏎ucloud = {id="u"} => 2:18: the load balancer of `aliyun` has no key `group`
[[load_balancer]]⏎azure = {id="l"}⏎ucloud = {id="u"} => 2:1: no cloud is called `azure`; write one of aliyun, ucloud
[[load_balancer]]⏎aliyun = {id="l"}⏎ucloud = {id="u"}⏎[[load_balancer]]⏎aliyun = {id="l"}⏎ucloud = {id="v"} => 5:10: `aliyun` has this in the row on line 2; leave one out
"#,
        );
    }

    #[test]
    fn flaws_of_groups_are_reported() {
        check(
            Severity::Error,
            r#"
[[group]]⏎aliyun = "rsp-1"⏎ucloud = {load_balancer="l",group="g"} => 2:10: `aliyun` has to be a table, not text
[[group]]⏎aliyun = {region="r"}⏎ucloud = {load_balancer="l",group="g"} => 2:10: the group of `aliyun` has no `group`; write group =
[[group]]⏎aliyun = {group=""}⏎ucloud = {load_balancer="l",group="g"} => 2:17: `group` is ``; write an id
[[group]]⏎aliyun = {group="g"}⏎ucloud = {group="g"} => 3:10: the group of `ucloud` has no `load_balancer`; write load_balancer =
"#,
        );
    }

    #[test]
    fn flaws_of_servers_are_reported() {
        check(
            Severity::Error,
            r#"
[[server]]⏎aliyun = ""⏎ucloud = "u" => 2:10: `aliyun` is ``; write an id
[[server]]⏎aliyun = 1⏎ucloud = "u" => 2:10: `aliyun` has to be an id in quotes, or a table, not a whole number
[[server]]⏎aliyun = {id="i",typ="eni"}⏎ucloud = "u" => 2:18: the server of `aliyun` has no key `typ`; did you mean `type`?
[[server]]⏎aliyun = {id="i",type="Host"}⏎ucloud = "u" => 2:23: `Host` is no `type` of `aliyun`; write one of ecs, eni, eci
[[server]]⏎aliyun = "i"⏎ucloud = {ip="10.0",vpc="v",subnet="s"} => 3:14: `ip` is `10.0`; write an IP address such as 10.0.0.5
[[server]]⏎aliyun = "i"⏎ucloud = {ip="10.0.0.5",vpc="v"} => 3:10: this names no server; write { id, type?, ip? } or { ip, vpc, subnet, type? }
[[server]]⏎aliyun = "i"⏎ucloud = {id="u",type="IP"} => 3:23: a server of this type is named by its address
[[server]]⏎aliyun = "i"⏎ucloud = {ip="10.0.0.5",vpc="v",subnet="s",type="UNI"} => 3:49: this cloud knows no server of this type by its address
[[server]]⏎aliyun = {id="i",type="ecs",ip="10.0.0.5"}⏎ucloud = "u" => 2:23: a server of this type has no address to choose
[[server]]⏎aliyun = {ip="10.0.0.5",vpc="v",subnet="s"}⏎ucloud = "u" => 2:10: this cloud knows no server of this type by its address
"#,
        );
    }

    #[test]
    fn a_row_that_leads_nowhere_is_a_warning() {
        check(
            Severity::Warning,
            r#"
[[server]]⏎aliyun = "i" => 1:1: warning: the row has one column
[[load_balancer]]⏎aliyun = {id="l"} => 1:1: warning: the row has one column
[[group]]⏎aliyun = {group="g",project="p"}⏎ucloud = {load_balancer="l",group="g"} => 2:29: warning: `aliyun` has no projects
"#,
        );
    }

    /// So many rows of three lines each.
    fn servers(rows: usize) -> String {
        let row = |row| format!("[[server]]\naliyun = \"i-{row}\"\nucloud = \"u-{row}\"\n");
        (0..rows).map(row).collect::<Vec<_>>().concat()
    }

    /// What is found in a text, each as `line:column: problem`.
    fn found(text: &str) -> Vec<String> {
        let tables = Tables::compile(&Sources::embedded()).unwrap();
        let (Ok((_, found)) | Err(found)) = read(&SourceText::new("map", text), &tables);
        found.iter().map(|found| found.to_string().trim_start_matches("map:").to_owned()).collect()
    }

    /// Behind 9000 lines, of which the first are read long before the last.
    #[test]
    fn flaws_far_down_a_file_stand_where_they_are() {
        let cases = [
            ("", ""),
            ("[[server]]\naliyun = \"\"\"i\n[[server]]\"\"\"\nucloud = \"u\"", ""),
            ("[[server]]\naliyun = i\n", "9002:10: "),
            (
                "[[server]]\naliyun = \"i-7\"\nucloud = \"é\"",
                "9002:10: `aliyun` has this in the row on line 23; leave one out",
            ),
            (
                "[[server]]\nucloud = \"u-2999\"\naliyun = \"é\"",
                "9002:10: `ucloud` has this in the row on line 9000; leave one out",
            ),
            ("[[servers]]", "9001:3: the resource map has no key `servers`; did you mean `server`?"),
            ("[[group]]\n[server.aliyun]\nid = \"i\"", "9002:9: this name stands here for the second time"),
            ("[server]\naliyun = \"i\"", "9001:2: this name stands here for the second time"),
            ("[[server]]\naliyun = \"i\"", "9001:1: warning: the row has one column"),
        ];
        for (text, wanted) in cases {
            let found = found(&(servers(3000) + text));
            assert_eq!(found.len(), usize::from(!wanted.is_empty()), "{text}: {found:#?}");
            assert!(found.iter().all(|only| only.starts_with(wanted)), "{text}: {found:#?}");
        }
    }

    #[test]
    fn what_stands_before_the_first_row_counts_however_long_the_file_is() {
        let listed = format!("server = []\n{}", servers(3000));
        assert!(
            found(&listed)
                .first()
                .is_some_and(|first| first.starts_with("2:3: this name stands here for the second time"))
        );
        let named = format!("servers = 1\n{}", servers(3000));
        assert_eq!(
            found(&named),
            [
                "1:1: the resource map has no key `servers`; did you mean `server`? known here: load_balancer, group, server"
            ]
        );
        assert_eq!(found(&format!("[[groups]]\n{}[[groups]]\n", servers(3000))).len(), 1);
    }

    #[test]
    fn of_100_000_rows_those_that_are_doubled_are_told_by_their_lines() {
        let again = "[[server]]\naliyun = \"i-40000\"\nucloud = { id = \"u-99999\" }\n";
        let text = servers(50_000) + again + &servers(100_000).split_off(servers(50_000).len());
        // The row on lines 120001 to 120003 comes again on 150001; the last, then on 300001 to 300003, has its other half.
        assert_eq!(
            found(&text),
            [
                "150002:10: `aliyun` has this in the row on line 120002; leave one out",
                "300003:10: `ucloud` has this in the row on line 150003; leave one out",
            ]
        );
    }
}
