//! An explanation as JSON, for tools and for the page: one and the same.

use super::{Caller, ExplainedCall, Explanation, Refusal, Said, Way, Ways};
use crate::{model::Loss, wire::Document};

impl Explanation<'_> {
    /// All of it.
    #[must_use]
    pub fn to_json(&self) -> Document {
        let Self { route, target, action, operation: _, items: _, group: _, calls, tables, losses, passed } =
            self;
        let loss = |loss: &Loss| {
            let name = route.here.name_of(&loss.field);
            Document::record([("field", Document::text(name)), ("reason", Document::text(&loss.reason))])
        };
        let there = if *passed { &route.here.title } else { &route.there.title };
        Document::record([
            ("dialect", Document::text(&route.here.id)),
            ("cloud", Document::text(&route.here.title)),
            ("action", Document::text(action)),
            ("client", Document::text(&route.client.credential.key_id)),
            ("target", Document::text(&*target.name)),
            ("target_cloud", Document::text(there)),
            ("calls", Document::List(calls.iter().map(|call| call_json(call, &target.scheme)).collect())),
            ("fields", tables_json(tables)),
            ("passed_on", Document::Bool(*passed)),
            ("losses", Document::List(losses.iter().map(loss).collect())),
        ])
    }
}

impl Refusal {
    /// All of it. `refused` stands in no other explanation.
    #[must_use]
    pub fn to_json(&self) -> Document {
        let Self { reply, kind, caller, tables } = self;
        let text = String::from_utf8_lossy(&reply.body);
        let body = Document::from_json(&reply.body).unwrap_or_else(|_| Document::text(text));
        let refused = Document::record([
            ("status", Document::number(i64::from(reply.status.as_u16()))),
            ("fault", Document::text(kind.name())),
            ("body", body),
        ]);
        let mut members = Vec::new();
        if let Some(Caller { dialect, title, there, action }) = caller {
            let there = there.as_ref().map_or(Document::Null, Document::text);
            members.extend([
                ("dialect", Document::text(dialect)),
                ("cloud", Document::text(title)),
                ("action", Document::text(action)),
                ("target_cloud", there),
            ]);
        }
        members.extend([("refused", refused), ("fields", tables_json(tables))]);
        Document::Record(members.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }
}

fn call_json(call: &ExplainedCall, scheme: &str) -> Document {
    let ExplainedCall { origin, invocation } = call;
    let params =
        invocation.params.iter().map(|param| (param.name.clone(), Document::Text(param.value.clone())));
    Document::record([
        ("endpoint", Document::text(origin)),
        ("action", Document::text(&invocation.action)),
        ("signature", Document::text(scheme)),
        ("params", Document::Record(params.collect())),
    ])
}

fn tables_json(tables: &[Ways]) -> Document {
    let table = |Ways { about, ways }: &Ways| {
        let about = about.as_ref().map_or(Document::Null, Document::text);
        Document::record([("about", about), ("ways", Document::List(ways.iter().map(way_json).collect()))])
    };
    Document::List(tables.iter().map(table).collect())
}

fn way_json(Way { word, from, to, fate, why }: &Way) -> Document {
    let from = from.as_ref().map_or(Document::Null, |Said { name, text, default }| {
        Document::record([
            ("name", Document::text(name)),
            ("value", Document::text(text)),
            ("default", Document::Bool(*default)),
        ])
    });
    let to = to.as_ref().map_or(Document::Null, |(name, text)| {
        Document::record([("name", Document::text(name)), ("value", Document::text(text))])
    });
    Document::record([
        ("field", Document::text(word)),
        ("from", from),
        ("to", to),
        ("fate", Document::text(fate.name())),
        ("why", why.as_ref().map_or(Document::Null, Document::text)),
    ])
}
