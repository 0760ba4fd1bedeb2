//! The rows of a resource map: which columns they have, and that nothing stands in two of them.

use std::{
    collections::{BTreeMap, HashMap},
    hash::Hash,
    ops::Range,
    sync::Arc,
};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    raw::{Word, word},
    report::Report,
    resources::ServerColumn,
    section::Section,
    words::instead,
};
use crate::{
    mapping::{Cloud, Diagnostic, SourceText, Tables},
    model::{GroupRef, LoadBalancerRef},
};

/// One thing, by what each cloud calls it.
pub(super) type Row<C> = BTreeMap<String, C>;

/// The rows of each sort of thing.
pub(super) struct Rows {
    pub(super) balancers: Vec<Row<LoadBalancerRef>>,
    pub(super) groups: Vec<Row<GroupRef>>,
    pub(super) servers: Vec<Row<ServerColumn>>,
}

/// What a row says of one cloud.
pub(super) trait Column: Sized {
    /// What only one row of a cloud may have.
    type Identity: Hash + Eq;

    /// Reads what stands there for `cloud`.
    fn read(cloud: &Cloud, value: Spanned<DeValue<'_>>, report: &mut Report) -> Option<Self>;

    /// What no other row may have.
    fn identity(&self, cloud: &Cloud) -> Self::Identity;
}

/// Reads a resource map over the clouds of `tables`.
///
/// # Errors
/// Every problem, and every warning.
pub(super) fn read(source: &SourceText, tables: &Tables) -> Result<(Rows, Vec<Diagnostic>), Vec<Diagnostic>> {
    let mut report = Report::new(source);
    let rows = Section::document(source, "the resource map", &mut report).map(|mut file| {
        let rows = Rows {
            balancers: rows(&mut file, "load_balancer", tables, &mut report),
            groups: rows(&mut file, "group", tables, &mut report),
            servers: rows(&mut file, "server", tables, &mut report),
        };
        file.close(&mut report);
        rows
    });
    report.into_result(rows)
}

fn rows<C: Column>(
    file: &mut Section<'_>,
    key: &'static str,
    tables: &Tables,
    report: &mut Report,
) -> Vec<Row<C>> {
    let mut reader = Reader { tables, report, first: HashMap::new() };
    let list: Option<Spanned<Vec<Spanned<DeTable<'_>>>>> = file.take(key, reader.report);
    list.map(Spanned::into_inner).unwrap_or_default().into_iter().map(|row| reader.row(row)).collect()
}

struct Reader<'r, C: Column> {
    tables: &'r Tables,
    report: &'r mut Report,
    /// Where a thing stood first.
    first: HashMap<(String, C::Identity), Range<usize>>,
}

impl<C: Column> Reader<'_, C> {
    fn row(&mut self, table: Spanned<DeTable<'_>>) -> Row<C> {
        match table.get_ref().len() {
            0 => self.report.error(table.span(), "the row is empty; write one column for each cloud"),
            1 => self.report.warn(table.span(), "the row has one column and so leads nowhere; write another"),
            _ => {}
        }
        let columns = table.into_inner().into_iter();
        columns.filter_map(|(name, value)| self.column(&word(name), value)).collect()
    }

    fn column(&mut self, name: &Word, value: Spanned<DeValue<'_>>) -> Option<(String, C)> {
        let (at, cloud) = (value.span(), self.cloud(name)?);
        let column = C::read(&cloud, value, self.report)?;
        match self.first.get(&(cloud.id.clone(), column.identity(&cloud))) {
            Some(first) => {
                let line = self.report.line_of(first.clone());
                self.report
                    .error(at, format!("`{}` has this in the row on line {line}; leave one out", cloud.id));
            }
            None => drop(self.first.insert((cloud.id.clone(), column.identity(&cloud)), at)),
        }
        Some((cloud.id.clone(), column))
    }

    fn cloud(&mut self, name: &Word) -> Option<Arc<Cloud>> {
        let cloud = self.tables.cloud(name.get_ref()).cloned();
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
}
