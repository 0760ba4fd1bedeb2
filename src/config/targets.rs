//! The clouds that do the work.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use toml::Spanned;

use super::{
    Target, Unmapped,
    endpoint::Endpoint,
    raw::{RawTarget, Word},
    resolve::Resolver,
    words::{chosen, instead},
};
use crate::model::ProjectId;

impl Resolver<'_> {
    /// What a target is.
    pub(super) fn target(&mut self, raw: RawTarget) -> Option<Target> {
        let RawTarget {
            name,
            provider,
            endpoint,
            credential,
            signature,
            project,
            region,
            headers,
            ca,
            concurrency,
            unmapped,
        } = raw;
        self.check_name(&name);
        let scheme = provider.as_ref().and_then(|provider| self.scheme(provider, signature.as_ref()));
        let endpoint = endpoint.and_then(|endpoint| self.endpoint(&endpoint));
        let credential = self.credential(&credential);
        if let Some(project) = &project {
            self.check_project(provider.as_ref(), project);
        }
        let headers = self.headers(&headers);
        let ca = ca.and_then(|file| self.authority(&file));
        let concurrency = self.count("concurrency", concurrency.as_ref(), CONCURRENCY);
        let words = [("refuse", Unmapped::Refuse), ("same", Unmapped::Same)];
        let unmapped = chosen(&mut self.report, "unmapped", unmapped.as_ref(), words);
        Some(Target {
            name: name.into_inner().into(),
            provider: provider?.into_inner(),
            endpoint: endpoint?,
            credential: credential?,
            scheme: scheme?,
            project: project.map(Spanned::into_inner),
            region,
            headers,
            ca,
            concurrency,
            unmapped: unmapped?,
        })
    }

    /// A target called "refuse" could not be told from the word that clients may write in its place.
    fn check_name(&mut self, name: &Word) {
        let text = name.get_ref();
        if text.is_empty() || text == REFUSE {
            self.report.error(name.span(), format!("`{text}` is no name for a target; write another"));
        }
    }

    /// The scheme that the config names, or else the one that the cloud's tables do.
    fn scheme(&mut self, provider: &Word, named: Option<&Word>) -> Option<String> {
        let schemes = self.known("provider", provider)?.schemes;
        let cloud = self.cloud(provider)?;
        let (word, scheme) = match named {
            Some(named) => (named, named.get_ref()),
            None => (provider, &cloud.signature),
        };
        if !schemes.contains(&scheme.as_str()) {
            let whose = if named.is_some() { "" } else { ", which the mapping tables name," };
            let what =
                format!("`{scheme}`{whose} is no `signature` of this cloud; {}", instead(scheme, schemes));
            self.report.error(word.span(), what);
            return None;
        }
        Some(scheme.clone())
    }

    fn endpoint(&mut self, word: &Word) -> Option<String> {
        match Endpoint::read(word.get_ref()) {
            Ok(endpoint) => {
                if endpoint.exposed {
                    self.report.warn(word.span(), EXPOSED);
                }
                Some(endpoint.text)
            }
            Err(flaw) => {
                let what = format!("{} {flaw}; {ENDPOINT}", shown(word.get_ref()));
                self.report.error(word.span(), what);
                None
            }
        }
    }

    fn check_project(&mut self, provider: Option<&Word>, project: &Spanned<ProjectId>) {
        let cloud = provider.and_then(|provider| self.tables.as_ref()?.cloud(provider.get_ref()));
        if cloud.is_some_and(|cloud| cloud.group.project.is_none()) {
            self.report.warn(project.span(), "this cloud has no projects; leave `project` out");
        }
    }

    fn headers(&mut self, raw: &[(Word, Word)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in raw {
            let Some((header, value)) = self.header(name, value) else { continue };
            // Also refused: more headers than the map can hold.
            if !matches!(headers.try_insert(header, value), Ok(None)) {
                let what = format!("the header `{}` is there already; leave one out", name.get_ref());
                self.report.error(name.span(), what);
            }
        }
        headers
    }

    /// A header. Its value may be a key, so no message repeats it.
    fn header(&mut self, name: &Word, value: &Word) -> Option<(HeaderName, HeaderValue)> {
        let text = name.get_ref();
        let header = match HeaderName::try_from(text) {
            Ok(header) if !FRAMING.contains(&header) => Some(header),
            Ok(_) => {
                let what = format!("the header `{text}` is the transport's to write; leave it out");
                self.report.error(name.span(), what);
                None
            }
            Err(_) => {
                let what = format!("`{text}` is no name of a header; write letters, digits and hyphens");
                self.report.error(name.span(), what);
                None
            }
        };
        // It may be a key, so `Debug` must not print it.
        let sensitive = |mut value: HeaderValue| {
            value.set_sensitive(true);
            value
        };
        let bytes = HeaderValue::from_bytes(value.get_ref().as_bytes()).map(sensitive);
        if bytes.is_err() {
            let what = format!("the header `{text}` has a control character in its value; leave it out");
            self.report.error(value.span(), what);
        }
        Some((header?, bytes.ok()?))
    }
}

/// How many calls of one fan-out are in flight, where the config does not say.
const CONCURRENCY: usize = 8;

/// What a client writes in `untranslated` when it means no target.
pub(super) const REFUSE: &str = "refuse";

const EXPOSED: &str = "calls to this host travel in clear: the secret is not sent, but others on the way can read them, \
                       repeat them and forge their replies; write https://";

const ENDPOINT: &str = "write http://HOST or https://HOST, with :PORT if need be; HOST may hold {region}";

/// What the transport writes itself.
const FRAMING: [HeaderName; 7] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::HOST,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// An endpoint for a message, without what may be a secret: a user's name, and what follows the host.
fn shown(endpoint: &str) -> String {
    if endpoint.contains('@') {
        return "the endpoint".to_owned();
    }
    let (scheme, rest) = endpoint.split_once("://").map_or(("", endpoint), |(scheme, rest)| (scheme, rest));
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let cut = if host.len() < rest.len() { "…" } else { "" };
    let mark = if scheme.is_empty() { "" } else { "://" };
    format!("`{scheme}{mark}{host}{cut}`")
}
