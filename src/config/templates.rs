//! What a client's groups are made with, on a target where a group is a listener as well.

use super::{
    raw::{Number, RawTarget, RawTemplate, Word},
    report::Report,
    resolve::Resolver,
    words::instead,
};
use crate::{
    mapping::{Cloud, GroupTemplate},
    model::{ListenerOption, Port, Protocol},
};

impl Resolver<'_> {
    /// What a client's own table says, laid over the template of its target's cloud.
    pub(super) fn template(
        &mut self,
        raw: RawTemplate,
        target: usize,
        targets: &[RawTarget],
    ) -> Option<GroupTemplate> {
        let RawTemplate { at, protocol: word, ports: span, options } = raw;
        let provider = targets.get(target)?.provider.as_ref()?;
        let cloud = self.tables.as_ref()?.cloud(provider.get_ref()).cloned()?;
        let Some(mut template) = cloud.group.template.clone() else {
            let what = format!("a group of `{}` needs no template; leave `template` out", cloud.id);
            self.report.error(at, what);
            return None;
        };
        if let Some(word) = word {
            template.protocol = protocol(&word, &cloud, &mut self.report)?;
        }
        if let Some(span) = span {
            template.ports = ports(&span, &mut self.report)?;
        }
        for (name, value) in options {
            let option = option(&name, value.into_inner(), &cloud, &mut self.report)?;
            template.options.retain(|known| known.name != option.name);
            template.options.push(option);
        }
        Some(template)
    }
}

fn protocol(word: &Word, cloud: &Cloud, report: &mut Report) -> Option<Protocol> {
    let known = cloud.group.protocol_of(word.get_ref());
    if known.is_none() {
        let (name, words) = (word.get_ref(), cloud.group.protocol_words());
        report
            .error(word.span(), format!("`{name}` is no `protocol` of `{}`; write one of {words}", cloud.id));
    }
    known
}

fn ports(span: &toml::Spanned<Vec<Number>>, report: &mut Report) -> Option<(Port, Port)> {
    let port = |number: &Number| u32::try_from(*number.get_ref()).ok().and_then(Port::new);
    let found: Option<Vec<Port>> = span.get_ref().iter().map(port).collect();
    match found.as_deref() {
        Some([first, last]) if first <= last => Some((*first, *last)),
        Some(_) | None => {
            let what = "`ports` is no span of ports; write [first, last], both within 1 to 65535";
            report.error(span.span(), what);
            None
        }
    }
}

fn option(name: &Word, value: String, cloud: &Cloud, report: &mut Report) -> Option<ListenerOption> {
    let known: Vec<&str> = cloud.group.options.iter().map(|row| row.wire.as_str()).collect();
    if let Some(row) = cloud.group.options.iter().find(|row| row.wire == *name.get_ref()) {
        if let Some(allowed) = row.allowed_instead(&value) {
            report.error(name.span(), format!("`{}` is `{value}`; write {allowed}", row.wire));
            return None;
        }
        return Some(ListenerOption { name: row.wire.clone(), value });
    }
    let instead = instead(name.get_ref(), &known);
    report.error(name.span(), format!("`{}` is no option of `{}`; {instead}", name.get_ref(), cloud.id));
    None
}
