//! The config file as it is typed. What it *means* is [`super::resolve`]'s to say.

use std::ops::Range;

use toml::{
    Spanned,
    de::{DeString, DeTable},
};

use super::{
    report::Report,
    section::{Section, formed},
};
use crate::{
    mapping::SourceText,
    model::{ProjectId, RegionId},
};

/// A text and where it stands.
pub(super) type Word = Spanned<String>;

pub(super) type Number = Spanned<i64>;

/// The whole file.
pub(super) struct RawConfig {
    pub(super) listen: Option<Spanned<Vec<Word>>>,
    pub(super) admin: Option<Word>,
    pub(super) tls: Option<RawTls>,
    pub(super) mappings: Option<Word>,
    pub(super) resources: Option<Word>,
    pub(super) store: Option<Word>,
    pub(super) targets: Vec<RawTarget>,
    pub(super) clients: Vec<RawClient>,
    pub(super) limits: RawLimits,
}

/// `tls`.
pub(super) struct RawTls {
    pub(super) cert: Option<Word>,
    pub(super) key: Option<Word>,
}

/// The keys of a target or a client that make its credential.
pub(super) struct RawCredential {
    pub(super) key_id: Option<Word>,
    pub(super) secret: Option<Word>,
    pub(super) token: Option<Word>,
}

/// `[targets.NAME]`.
pub(super) struct RawTarget {
    pub(super) name: Word,
    pub(super) provider: Option<Word>,
    pub(super) endpoint: Option<Word>,
    pub(super) credential: RawCredential,
    pub(super) signature: Option<Word>,
    pub(super) project: Option<Spanned<ProjectId>>,
    pub(super) region: Option<RegionId>,
    pub(super) headers: Vec<(Word, Word)>,
    pub(super) ca: Option<Word>,
    pub(super) concurrency: Option<Number>,
    pub(super) unmapped: Option<Word>,
}

/// `[[clients]]`.
pub(super) struct RawClient {
    pub(super) dialect: Option<Word>,
    pub(super) credential: RawCredential,
    pub(super) target: Option<Word>,
    pub(super) on_loss: Option<Word>,
    pub(super) replies: Option<Word>,
    pub(super) untranslated: Option<Word>,
    pub(super) template: Option<RawTemplate>,
}

/// What a client's groups are made with.
pub(super) struct RawTemplate {
    pub(super) at: Range<usize>,
    pub(super) protocol: Option<Word>,
    pub(super) ports: Option<Spanned<Vec<Number>>>,
    pub(super) options: Vec<(Word, Word)>,
}

/// `[limits]`.
#[derive(Default)]
pub(super) struct RawLimits {
    pub(super) max_body_bytes: Option<Number>,
    pub(super) max_request_line_bytes: Option<Number>,
    pub(super) max_connections: Option<Number>,
    pub(super) max_header_bytes: Option<Number>,
    pub(super) header_timeout: Option<Word>,
    pub(super) body_timeout: Option<Word>,
    pub(super) idle_timeout: Option<Word>,
    pub(super) max_in_flight: Option<Number>,
    pub(super) max_waiting: Option<Number>,
    pub(super) request_timeout: Option<Word>,
    pub(super) upstream_timeout: Option<Word>,
    pub(super) clock_skew: Option<Word>,
    pub(super) repeat_window: Option<Word>,
}

impl RawConfig {
    /// Reads the file; none when it is not TOML.
    pub(super) fn read(source: &SourceText, report: &mut Report) -> Option<Self> {
        let mut file = Section::document(source, "the config", report)?;
        let config = Self {
            listen: file.need("listen", "listen = \"127.0.0.1:8080\"", report),
            admin: file.take("admin", report),
            tls: table(&mut file, "tls", report).map(|section| tls(section, report)),
            mappings: file.take("mappings", report),
            resources: file.take("resources", report),
            store: file.take("store", report),
            targets: targets(&mut file, report),
            clients: clients(&mut file, report),
            limits: table(&mut file, "limits", report).map_or_else(RawLimits::default, |t| limits(t, report)),
        };
        file.close(report);
        Some(config)
    }
}

fn table<'t>(file: &mut Section<'t>, key: &'static str, report: &mut Report) -> Option<Section<'t>> {
    file.take(key, report).map(|table| Section::new(format!("`{key}`"), table))
}

fn tls(mut section: Section<'_>, report: &mut Report) -> RawTls {
    let tls = RawTls {
        cert: section.need("cert", "cert = \"server.pem\"", report),
        key: section.need("key", "key = \"server.key\"", report),
    };
    section.close(report);
    tls
}

fn targets(file: &mut Section<'_>, report: &mut Report) -> Vec<RawTarget> {
    let Some(tables) = file.take::<DeTable<'_>>("targets", report) else { return Vec::new() };
    let mut targets = Vec::new();
    let (named, nameless): (Vec<_>, Vec<_>) =
        tables.into_inner().into_iter().partition(|(_, value)| value.get_ref().is_table());
    // The first speaks for all: they are most likely the keys of one target.
    if let Some((name, _)) = nameless.iter().min_by_key(|(name, _)| name.span().start) {
        let what =
            format!("`{}` is no target; write a header with a name above it, [targets.NAME]", name.get_ref());
        report.error(name.span(), what);
    }
    for (name, value) in named {
        if let Some(table) = formed::<DeTable<'_>>(name.get_ref(), value, report) {
            let section = Section::new(format!("the target `{}`", name.get_ref()), table);
            targets.push(target(word(name), section, report));
        }
    }
    targets
}

fn target(name: Word, mut section: Section<'_>, report: &mut Report) -> RawTarget {
    let target = RawTarget {
        name,
        provider: section.need("provider", "provider = \"ID\", the id of a cloud", report),
        endpoint: section.need("endpoint", "endpoint = \"https://HOST\"", report),
        credential: credential(&mut section, report),
        signature: section.take("signature", report),
        project: section.made("project", "an id", ProjectId::new, report),
        region: section.made("region", "an id", RegionId::new, report).map(Spanned::into_inner),
        headers: named_texts(&mut section, "headers", report),
        ca: section.take("ca", report),
        concurrency: section.take("concurrency", report),
        unmapped: section.take("unmapped", report),
    };
    section.close(report);
    target
}

fn credential(section: &mut Section<'_>, report: &mut Report) -> RawCredential {
    RawCredential {
        key_id: section.need("key_id", "key_id = \"ID\" or \"env:NAME\"", report),
        secret: section.need("secret", "secret = \"env:NAME\" or \"file:PATH\"", report),
        token: section.take("token", report),
    }
}

/// A table of texts whose names are the operator's to choose.
fn named_texts(section: &mut Section<'_>, key: &'static str, report: &mut Report) -> Vec<(Word, Word)> {
    let Some(table) = section.take::<DeTable<'_>>(key, report) else { return Vec::new() };
    let mut texts = Vec::new();
    for (name, value) in table.into_inner() {
        if let Some(value) = formed(name.get_ref(), value, report) {
            texts.push((word(name), value));
        }
    }
    texts
}

fn clients(file: &mut Section<'_>, report: &mut Report) -> Vec<RawClient> {
    let tables: Option<Spanned<Vec<Spanned<DeTable<'_>>>>> = file.need("clients", CLIENTS, report);
    let Some(tables) = tables else { return Vec::new() };
    if tables.get_ref().is_empty() {
        report.error(tables.span(), format!("`clients` is empty; write {CLIENTS}"));
    }
    let tables = tables.into_inner().into_iter();
    tables.map(|table| client(Section::new("a client".to_owned(), table), report)).collect()
}

fn client(mut section: Section<'_>, report: &mut Report) -> RawClient {
    let client = RawClient {
        dialect: section.need("dialect", "dialect = \"ID\", the id of a cloud", report),
        credential: credential(&mut section, report),
        target: section.need("target", "target = \"NAME\", the name of a target", report),
        on_loss: section.take("on_loss", report),
        replies: section.take("replies", report),
        untranslated: section.take("untranslated", report),
        template: table(&mut section, "template", report).map(|section| template(section, report)),
    };
    section.close(report);
    client
}

fn template(mut section: Section<'_>, report: &mut Report) -> RawTemplate {
    let template = RawTemplate {
        at: section.at(),
        protocol: section.take("protocol", report),
        ports: section.take("ports", report),
        options: named_texts(&mut section, "options", report),
    };
    section.close(report);
    template
}

fn limits(mut section: Section<'_>, report: &mut Report) -> RawLimits {
    let limits = RawLimits {
        max_body_bytes: section.take("max_body_bytes", report),
        max_request_line_bytes: section.take("max_request_line_bytes", report),
        max_connections: section.take("max_connections", report),
        max_header_bytes: section.take("max_header_bytes", report),
        header_timeout: section.take("header_timeout", report),
        body_timeout: section.take("body_timeout", report),
        idle_timeout: section.take("idle_timeout", report),
        max_in_flight: section.take("max_in_flight", report),
        max_waiting: section.take("max_waiting", report),
        request_timeout: section.take("request_timeout", report),
        upstream_timeout: section.take("upstream_timeout", report),
        clock_skew: section.take("clock_skew", report),
        repeat_window: section.take("repeat_window", report),
    };
    section.close(report);
    limits
}

const CLIENTS: &str = "a table [[clients]] for every caller";

/// A key as a text of its own.
pub(super) fn word(key: Spanned<DeString<'_>>) -> Word {
    let at: Range<usize> = key.span();
    Spanned::new(at, key.into_inner().into_owned())
}
