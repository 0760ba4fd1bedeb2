//! The callers that are served.

use std::{collections::HashMap, ops::Range};

use super::{
    Client, OnLoss,
    raw::{RawClient, RawTarget, Word},
    resolve::Resolver,
    targets::REFUSE,
    words::{chosen, instead},
};
use crate::mapping::Shape;

impl Resolver<'_> {
    /// What every client is. No two of one dialect may have one key id.
    pub(super) fn clients(&mut self, raw: Vec<RawClient>, targets: &[RawTarget]) -> Option<Vec<Client>> {
        let mut first: HashMap<(String, String), Range<usize>> = HashMap::new();
        let mut clients = Vec::new();
        for raw in raw {
            let at = raw.credential.key_id.as_ref().map_or(0..0, Word::span);
            let client = self.client(raw, targets);
            if let Some(client) = &client {
                let identity = (client.dialect.clone(), client.credential.key_id.clone());
                match first.get(&identity) {
                    Some(other) => self.report_twin(at, other.clone()),
                    None => drop(first.insert(identity, at)),
                }
            }
            clients.push(client);
        }
        clients.into_iter().collect()
    }

    fn client(&mut self, raw: RawClient, targets: &[RawTarget]) -> Option<Client> {
        let RawClient { dialect, credential, target, on_loss, replies, untranslated, template } = raw;
        let known = dialect.as_ref().and_then(|dialect| {
            self.known("dialect", dialect)?;
            self.cloud(dialect)
        });
        let credential = self.credential(&credential);
        let target = target.and_then(|name| self.place(&name, targets));
        let policies = [("refuse", OnLoss::Refuse), ("report", OnLoss::Report)];
        let on_loss = chosen(&mut self.report, "on_loss", on_loss.as_ref(), policies);
        let shapes = [("live", Shape::Live), ("documented", Shape::Documented)];
        let replies = chosen(&mut self.report, "replies", replies.as_ref(), shapes);
        let untranslated = untranslated.and_then(|name| self.untranslated(&name, dialect.as_ref(), targets));
        let template = template.and_then(|raw| self.template(raw, target?, targets));
        Some(Client {
            dialect: known?.id.clone(),
            credential: credential?,
            target: target?,
            on_loss: on_loss?,
            replies: replies?,
            untranslated,
            template,
        })
    }

    /// The place of the target of this name.
    fn place(&mut self, name: &Word, targets: &[RawTarget]) -> Option<usize> {
        let names: Vec<&str> = targets.iter().map(|target| target.name.get_ref().as_str()).collect();
        let place = names.iter().position(|known| known == name.get_ref());
        if place.is_none() {
            let instead = match names.as_slice() {
                [] => format!("write a table [targets.{}]", name.get_ref()),
                names => instead(name.get_ref(), names),
            };
            self.report.error(name.span(), format!("`{}` is no target; {instead}", name.get_ref()));
        }
        place
    }

    /// The place of the target that is to get what is not translated: one of the client's own cloud.
    fn untranslated(&mut self, name: &Word, dialect: Option<&Word>, targets: &[RawTarget]) -> Option<usize> {
        if name.get_ref() == REFUSE {
            return None;
        }
        let place = self.place(name, targets)?;
        let spoken = |target: &RawTarget| target.provider.as_ref().map(|word| word.get_ref().clone());
        let (theirs, ours) = (targets.get(place).and_then(spoken)?, dialect?.get_ref());
        if theirs == *ours {
            return Some(place);
        }
        let alike = |target: &&RawTarget| spoken(target).is_some_and(|provider| provider == *ours);
        let fitting = targets.iter().filter(alike).map(|target| target.name.get_ref().as_str());
        let words: Vec<&str> = [REFUSE].into_iter().chain(fitting).collect();
        let (name_text, words) = (name.get_ref(), words.join(", "));
        let what = format!("`{name_text}` speaks `{theirs}` and this client `{ours}`; write one of {words}");
        self.report.error(name.span(), what);
        None
    }

    fn report_twin(&mut self, at: Range<usize>, first: Range<usize>) {
        let line = self.report.line_of(first);
        let what = format!("the client on line {line} has this key id in this dialect; write another");
        self.report.error(at, what);
    }
}
