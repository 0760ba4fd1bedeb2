//! Backend ids for clouds that have none: reversible, so that no store is needed to read one back.
//!
//! A handle decodes to group, target and port, carries a checksum, and is the same on every replica and after every
//! restart. Its form is UCloud's (`backend-` and lower-case letters and digits), which documents no length.

use std::net::IpAddr;

use data_encoding::{Encoding, Specification};

use crate::{
    crypto::sha256,
    model::{BackendId, GroupId, Port, ResourceId, Target},
};

const PREFIX: &str = "backend-";
const VERSION: u8 = 1;
const CHECKSUM: usize = 4;

/// Why text is no handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the id was not made by this gateway, or was damaged on the way")]
pub struct HandleError;

/// The handle of the backend that `target` and `port` make in `group`; none for a bare address, which a cloud that
/// names backends by address does not take.
#[must_use]
pub fn handle_of(group: &GroupId, target: &Target, port: Port) -> Option<BackendId> {
    let Target::Resource { id, address, kind: _ } = target else { return None };
    let address = address.map(|ip| ip.to_string()).unwrap_or_default();
    let mut bytes = vec![VERSION];
    bytes.extend(port.get().to_be_bytes());
    for part in [group.as_str(), id.as_str(), &address] {
        bytes.push(u8::try_from(part.len()).ok()?);
        bytes.extend(part.as_bytes());
    }
    let checksum = sha256(&bytes);
    bytes.extend(checksum.iter().take(CHECKSUM));
    BackendId::new(format!("{PREFIX}{}", alphabet()?.encode(&bytes)))
}

/// What a handle stands for.
///
/// # Errors
/// [`HandleError`] for anything that [`handle_of`] did not make.
pub fn read_handle(handle: &BackendId) -> Result<(GroupId, ResourceId, Option<IpAddr>, Port), HandleError> {
    let text = handle.as_str().strip_prefix(PREFIX).ok_or(HandleError)?;
    let bytes = alphabet().and_then(|base| base.decode(text.as_bytes()).ok()).ok_or(HandleError)?;
    let (body, checksum) = bytes.split_at_checked(bytes.len().saturating_sub(CHECKSUM)).ok_or(HandleError)?;
    if !sha256(body).starts_with(checksum) || checksum.len() != CHECKSUM {
        return Err(HandleError);
    }
    read_body(body).ok_or(HandleError)
}

fn read_body(body: &[u8]) -> Option<(GroupId, ResourceId, Option<IpAddr>, Port)> {
    let ([VERSION, high, low], mut rest) = body.split_first_chunk::<3>()? else { return None };
    let mut next = || {
        let (length, tail) = rest.split_first()?;
        let (text, tail) = tail.split_at_checked(usize::from(*length))?;
        rest = tail;
        std::str::from_utf8(text).ok()
    };
    let (group, resource, address) = (next()?, next()?, next()?);
    let address = if address.is_empty() { None } else { Some(address.parse().ok()?) };
    let port = Port::new(u32::from(u16::from_be_bytes([*high, *low])))?;
    Some((GroupId::new(group)?, ResourceId::new(resource)?, address, port))
}

/// Base 32 in lower case without padding.
fn alphabet() -> Option<Encoding> {
    let mut specification = Specification::new();
    specification.symbols.push_str("abcdefghijklmnopqrstuvwxyz234567");
    specification.encoding().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Kind;

    fn target(id: &str, address: Option<IpAddr>) -> Target {
        Target::Resource { kind: Kind::Instance, id: ResourceId::new(id).unwrap(), address }
    }

    #[test]
    fn a_damaged_handle_is_refused() {
        let group = GroupId::new("rsp-cige6j5e7p").unwrap();
        let handle =
            handle_of(&group, &target("i-bp1example00000001", None), Port::new(80).unwrap()).unwrap();
        let mut text = handle.as_str().to_owned();
        let last = if text.ends_with('a') { 'b' } else { 'a' };
        text.replace_range(12..13, &last.to_string());
        let damaged = BackendId::new(text).unwrap();
        assert!(damaged == handle || read_handle(&damaged) == Err(HandleError));
        assert_eq!(read_handle(&BackendId::new("backend-hjz2421u").unwrap()), Err(HandleError));
    }

    proptest! {
        #[test]
        fn a_handle_reads_back(
            group in "[a-z0-9-]{1,40}", id in "[a-z0-9-]{1,40}", port in 1_u32..=65_535, ip in any::<Option<[u8; 4]>>(),
        ) {
            let (group, port) = (GroupId::new(group).unwrap(), Port::new(port).unwrap());
            let ip = ip.map(IpAddr::from);
            let handle = handle_of(&group, &target(&id, ip), port).unwrap();
            prop_assert_eq!(read_handle(&handle), Ok((group, ResourceId::new(id).unwrap(), ip, port)));
        }

        #[test]
        fn reading_never_panics(text in ".+") {
            let _outcome = read_handle(&BackendId::new(text).unwrap());
        }
    }
}
