//! One record of the log of answers, in bytes: how many follow, a part of their digest, and what is said.

use jiff::Timestamp;

use super::index::take;
use crate::{
    crypto::sha256,
    store::{GroupKey, RequestDigest},
};

/// The bytes before what is said.
pub(super) const HEAD: usize = 12;

/// A record of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// When it is out of date. Of what says that something is void: when all of that is.
    pub(super) until: Timestamp,
    pub(super) said: Said,
}

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// This was answered to a request.
    Answer { request: RequestDigest, group: Option<GroupKey>, answer: String },
    /// What was answered of a group before is void.
    Forget(GroupKey),
    /// The same of all groups of a target.
    ForgetTarget(String),
}

impl Record {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        const NONE: RequestDigest = [0; 32];
        let (kind, request, cloud, group, answer) = match &self.said {
            Said::Answer { request, group: Some(group), answer } => {
                (1, request, &*group.cloud, &*group.group, answer.as_str())
            }
            Said::Answer { request, group: None, answer } => (2, request, "", "", answer.as_str()),
            Said::Forget(group) => (3, &NONE, &*group.cloud, &*group.group, ""),
            Said::ForgetTarget(cloud) => (4, &NONE, cloud.as_str(), "", ""),
        };
        let mut bytes = Vec::with_capacity(HEAD + 64 + cloud.len() + group.len() + answer.len());
        bytes.extend([0; HEAD]);
        bytes.push(kind);
        bytes.extend(self.until.as_millisecond().to_le_bytes());
        bytes.extend(request);
        for text in [cloud, group, answer] {
            bytes.extend(length_of(text.as_bytes()).to_le_bytes());
            bytes.extend(text.as_bytes());
        }
        let (head, body) = bytes.split_at_mut(HEAD);
        head.copy_from_slice(&head_of(body));
        bytes
    }

    /// The first of these bytes' records, and how many bytes it takes; none where a write was cut off.
    pub(super) fn read(bytes: &[u8]) -> Option<(Self, usize)> {
        let mut rest = bytes;
        let head: [u8; HEAD] = take(&mut rest)?;
        let mut body = rest.get(..body_length(&head)?)?;
        let length = HEAD + body.len();
        if head_of(body) != head {
            return None;
        }
        let [kind] = take(&mut body)?;
        let until = Timestamp::from_millisecond(i64::from_le_bytes(take(&mut body)?)).ok()?;
        let request = take(&mut body)?;
        let (cloud, group, answer) = (text(&mut body)?, text(&mut body)?, text(&mut body)?);
        let said = match kind {
            1 => Said::Answer {
                request,
                group: Some(GroupKey { cloud: cloud.into(), group: group.into() }),
                answer,
            },
            2 => Said::Answer { request, group: None, answer },
            3 => Said::Forget(GroupKey { cloud: cloud.into(), group: group.into() }),
            4 => Said::ForgetTarget(cloud),
            _ => return None,
        };
        Some((Self { until, said }, length))
    }
}

/// How many bytes follow a head.
pub(super) fn body_length(head: &[u8; HEAD]) -> Option<usize> {
    head.first_chunk().and_then(|length| usize::try_from(u32::from_le_bytes(*length)).ok())
}

fn head_of(body: &[u8]) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    let (length, check) = head.split_at_mut(4);
    length.copy_from_slice(&length_of(body).to_le_bytes());
    for (to, from) in check.iter_mut().zip(sha256(body)) {
        *to = from;
    }
    head
}

/// No answer is as long as four gigabytes; one that was would be taken for cut off.
fn length_of(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

fn text(from: &mut &[u8]) -> Option<String> {
    let length = usize::try_from(u32::from_le_bytes(take(from)?)).ok()?;
    let (text, rest) = from.split_at_checked(length)?;
    *from = rest;
    str::from_utf8(text).ok().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_cut_off_anywhere_or_garbled_is_no_record() {
        let group = GroupKey { cloud: "prod".into(), group: "一/g".into() };
        let answer = Said::Answer { request: [7; 32], group: Some(group.clone()), answer: "{}".to_owned() };
        let of_none = Said::Answer { request: [8; 32], group: None, answer: String::new() };
        for said in [answer, of_none, Said::Forget(group), Said::ForgetTarget("prod".to_owned())] {
            let record = Record { until: "2026-01-02T03:04:05.678Z".parse().unwrap(), said };
            let bytes = record.to_bytes();
            assert_eq!(Record::read(&bytes), Some((record.clone(), bytes.len())));
            assert_eq!(Record::read(&[bytes.clone(), vec![9]].concat()), Some((record, bytes.len())));
            for at in 0..bytes.len() {
                assert_eq!(Record::read(&bytes[..at]), None);
                let mut garbled = bytes.clone();
                garbled[at] ^= 1;
                assert_eq!(Record::read(&garbled), None, "{at}");
            }
        }
        assert_eq!(Record::read(&[0; 100]), None);
    }
}
