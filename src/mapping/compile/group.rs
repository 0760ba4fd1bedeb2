//! `group.toml`: how a server group is named and described, and what one is made with.

use std::collections::BTreeMap;

use super::{Problems, named, ordered, replace};
use crate::{
    mapping::{
        diagnostic::{Diagnostic, SourceText},
        group::{GroupTable, GroupTemplate, ListenerNames, OptionRow},
        raw::{RawGroup, RawListener, RawOption, RawTemplate, Word},
        words::instead,
    },
    model::{GroupField, Health, ListenerOption, LossPolicy, Port, Protocol},
};

pub(super) fn group(layers: &[SourceText]) -> Result<GroupTable, Vec<Diagnostic>> {
    let mut problems = Problems::default();
    let mut over = RawGroup::default();
    let (mut made, mut name_length) = (Made::default(), (1, 80));
    for layer in layers {
        let Some(mut raw) = problems.keep_one(layer.parse::<RawGroup>()) else { continue };
        made.lay(layer, &mut raw, &mut problems);
        over = RawGroup {
            load_balancer: raw.load_balancer.or(over.load_balancer),
            group: raw.group.or(over.group),
            region: raw.region.or(over.region),
            project: raw.project.or(over.project),
            name: raw.name.or(over.name),
            id_prefix: raw.id_prefix.or(over.id_prefix),
            default_project: raw.default_project.or(over.default_project),
            default_name: raw.default_name.or(over.default_name),
            ..RawGroup::default()
        };
        if let Some(length) = raw.name_length {
            replace(&mut name_length, problems.keep_one(ordered(layer, &length, "name_length")));
        }
    }
    let lacks = |what: &str| {
        let first = layers
            .last()
            .map(|layer| layer.error(0..0, format!("{what} to be there; write what is missing")));
        first.into_iter().collect::<Vec<_>>()
    };
    if !problems.0.is_empty() {
        return Err(problems.0);
    }
    let (Some(group), Some(region), Some(name), Some(id_prefix)) =
        (over.group, over.region, over.name, over.id_prefix)
    else {
        return Err(lacks("`group`, `region`, `name` and `id_prefix` have"));
    };
    made.check_options()?;
    let Some(health) = made.health else { return Err(lacks("`[health]` has")) };
    Ok(GroupTable {
        load_balancer: over.load_balancer,
        group,
        region,
        project: over.project,
        id_prefix,
        default_project: over.default_project,
        name,
        default_name: over.default_name.unwrap_or_default(),
        name_length,
        listener: made.listener,
        protocols: made.protocols,
        health,
        options: made.options,
        template: made.template,
        losses: made.losses.into_iter().collect(),
    })
}

/// What more than one word makes.
#[derive(Debug, Default)]
struct Made {
    listener: Option<ListenerNames>,
    protocols: Vec<(String, Protocol)>,
    health: Option<[String; 3]>,
    options: Vec<OptionRow>,
    template: Option<GroupTemplate>,
    /// What the template sets, and where.
    set: Vec<(SourceText, Word, Word)>,
    losses: BTreeMap<GroupField, LossPolicy>,
}

impl Made {
    fn lay(&mut self, layer: &SourceText, raw: &mut RawGroup, problems: &mut Problems) {
        if let Some(names) = raw.listener.take() {
            self.listener = problems.keep_one(listener(layer, names)).or(self.listener.take());
        }
        if let Some(words) = raw.protocols.take() {
            let made = words.into_iter().map(|(word, meaning)| Ok((word, protocol(layer, &meaning)?)));
            self.protocols = problems.keep_one(made.collect()).unwrap_or_default();
        }
        if let Some(words) = raw.health.take() {
            self.health = problems.keep_one(health(layer, &words)).or(self.health.take());
        }
        for raw in std::mem::take(&mut raw.option) {
            self.options.retain(|known| known.wire != raw.wire);
            self.options.extend(problems.keep_one(option(layer, raw)));
        }
        if let Some(told) = raw.template.take() {
            self.set = told
                .options
                .iter()
                .map(|(name, value)| (layer.clone(), name.clone(), value.clone()))
                .collect();
            self.template = problems.keep_one(template(layer, told)).or(self.template.take());
        }
        for (field, policy) in &raw.loss {
            let made = named(layer, field, &GroupField::ALL, GroupField::name)
                .and_then(|field| Ok((field, named(layer, policy, &LossPolicy::ALL, LossPolicy::name)?)));
            self.losses.extend(problems.keep_one(made));
        }
    }
}

impl Made {
    /// A template sets only what the cloud has, to what it allows.
    fn check_options(&self) -> Result<(), Vec<Diagnostic>> {
        let known: Vec<&str> = self.options.iter().map(|row| row.wire.as_str()).collect();
        let mut problems = Problems::default();
        for (layer, name, value) in &self.set {
            let (text, set) = (name.get_ref(), value.get_ref());
            let problem = match self.options.iter().find(|row| row.wire == *text) {
                None => {
                    let instead = instead(text, &known);
                    Some(layer.error(name.span(), format!("no [[option]] is called `{text}`; {instead}")))
                }
                Some(row) => row.allowed_instead(set).map(|allowed| {
                    layer.error(value.span(), format!("`{text}` is `{set}`; write {allowed}"))
                }),
            };
            problems.0.extend(problem);
        }
        problems.into_result(())
    }
}

fn option(layer: &SourceText, raw: RawOption) -> Result<OptionRow, Diagnostic> {
    let RawOption { wire, default, number, range, values } = raw;
    let range = range.map(|range| ordered(layer, &range, "range")).transpose()?;
    let row = OptionRow { wire, default: default.get_ref().clone(), number, range, values };
    match row.allowed_instead(&row.default) {
        None => Ok(row),
        Some(allowed) => {
            let what = format!("the default `{}` is not allowed; write {allowed}", row.default);
            Err(layer.error(default.span(), what))
        }
    }
}

fn listener(layer: &SourceText, raw: RawListener) -> Result<ListenerNames, Diagnostic> {
    let RawListener { protocol: name, default_protocol, port, default_port } = raw;
    let no_port = || layer.error(default_port.span(), "this is no port; write 1 to 65535");
    Ok(ListenerNames {
        protocol: name,
        default_protocol: protocol(layer, &default_protocol)?,
        port,
        default_port: Port::new(*default_port.get_ref()).ok_or_else(no_port)?,
    })
}

fn protocol(layer: &SourceText, word: &Word) -> Result<Protocol, Diagnostic> {
    named(layer, word, &Protocol::ALL, Protocol::name)
}

fn health(layer: &SourceText, words: &BTreeMap<Word, String>) -> Result<[String; 3], Diagnostic> {
    for word in words.keys() {
        named(layer, word, &Health::ALL, Health::name)?;
    }
    let word = |health: Health| {
        let found = words.iter().find(|(name, _)| name.get_ref() == health.name());
        let lacks = || {
            layer.error(
                0..0,
                format!("`[health]` has no word for `{name}`; write {name} = \"WORD\"", name = health.name()),
            )
        };
        found.map(|(_, word)| word.clone()).ok_or_else(lacks)
    };
    Ok([word(Health::Healthy)?, word(Health::Unhealthy)?, word(Health::Unknown)?])
}

fn template(layer: &SourceText, raw: RawTemplate) -> Result<GroupTemplate, Diagnostic> {
    let RawTemplate { protocol: word, ports, options } = raw;
    let (first, last) = *ports.get_ref();
    let (Some(first), Some(last), true) = (Port::new(first), Port::new(last), first <= last) else {
        return Err(layer.error(
            ports.span(),
            "`ports` is no span of ports; write [first, last], both within 1 to 65535",
        ));
    };
    let options = options.into_iter();
    let options = options
        .map(|(name, value)| ListenerOption { name: name.into_inner(), value: value.into_inner() })
        .collect();
    Ok(GroupTemplate { protocol: protocol(layer, &word)?, ports: (first, last), options })
}
