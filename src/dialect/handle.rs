//! Ids that the gateway makes up, reversible, so that no store is needed to read one back.
//!
//! A backend's id, for callers whose cloud gives one while the target's does not, decodes to group, server, address and
//! port. A group's id, for one that has no row in the resource map, decodes to what both clouds call it. Either carries a
//! checksum, and is the same on every replica and after every restart. The forms are the clouds' own (a prefix, then
//! lower-case letters and digits); neither cloud documents a length.

use std::{net::IpAddr, sync::LazyLock};

use data_encoding::{Encoding, Specification};

use crate::{
    crypto::sha256,
    model::{
        BackendId, GroupId, GroupRef, Kind, LoadBalancerId, Place, Port, ProjectId, RegionId, ResourceId,
        Target,
    },
};

const BACKEND_PREFIX: &str = "backend-";
const BACKEND: u8 = 1;
const GROUP: u8 = 2;
const CHECKSUM: usize = 4;

/// Most are no longer than so many bytes.
const USUAL: usize = 96;

/// Why text is no handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the id was not made by this gateway, or was damaged on the way")]
pub struct HandleError;

/// A group by what both clouds call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupHandle {
    /// The load balancer, as the caller's cloud names it, where that was known.
    pub load_balancer_here: Option<LoadBalancerId>,
    /// The group, as the target names it, and where it is there.
    pub there: GroupRef,
}

/// The handle of the backend that `target` and `port` make in `group`, all of them the target's; none for a bare
/// address, which a cloud that names backends by address does not take. `turn`, up to 15, is above 0 when the handles before
/// it belong to backends that have moved to another port since.
#[must_use]
pub fn handle_of(group: &GroupId, target: &Target, port: Port, turn: u8) -> Option<BackendId> {
    let Target::Resource { id, address, kind } = target else { return None };
    let address = address.map(|ip| ip.to_string()).unwrap_or_default();
    let [high, low] = port.get().to_be_bytes();
    let head = [BACKEND, turn << 4 | number_of(*kind), high, low];
    BackendId::new(write(BACKEND_PREFIX, &head, &[group.as_str(), id.as_str(), &address])?)
}

/// What a backend's handle stands for.
///
/// # Errors
/// [`HandleError`] for anything that [`handle_of`] did not make.
pub fn read_handle(handle: &BackendId) -> Result<(GroupId, Target, Port), HandleError> {
    let bytes = read(handle.as_str().strip_prefix(BACKEND_PREFIX).ok_or(HandleError)?)?;
    let ([BACKEND, kind, high, low], rest) = bytes.split_first_chunk::<4>().ok_or(HandleError)? else {
        return Err(HandleError);
    };
    let parts = parts_of(rest)?;
    let [group, id, address] = parts.as_slice() else { return Err(HandleError) };
    let address = match address.as_str() {
        "" => None,
        // An address has many spellings, and a backend one id.
        text => {
            let ip = text.parse().ok().filter(|ip: &IpAddr| ip.to_string() == text);
            Some(ip.ok_or(HandleError)?)
        }
    };
    let kind = Kind::ALL.into_iter().find(|known| number_of(*known) == kind & 0x0f).ok_or(HandleError)?;
    let port = Port::new(u32::from(u16::from_be_bytes([*high, *low]))).ok_or(HandleError)?;
    let id = ResourceId::new(id.as_str()).ok_or(HandleError)?;
    let group = GroupId::new(group.as_str()).ok_or(HandleError)?;
    Ok((group, Target::Resource { kind, id, address }, port))
}

/// The handle of a group, with the prefix that the caller's cloud gives its groups: `rsp-`, `vserver-`. None for ids
/// longer than any that exist.
#[must_use]
pub fn group_handle(prefix: &str, handle: &GroupHandle) -> Option<GroupId> {
    let GroupHandle { load_balancer_here, there } = handle;
    let GroupRef { load_balancer, group, place: Place { region, project } } = there;
    let parts = [
        load_balancer_here.as_ref().map_or("", LoadBalancerId::as_str),
        load_balancer.as_ref().map_or("", LoadBalancerId::as_str),
        group.as_str(),
        region.as_ref().map_or("", RegionId::as_str),
        project.as_ref().map_or("", ProjectId::as_str),
    ];
    GroupId::new(write(prefix, &[GROUP], &parts)?)
}

/// What a group's handle stands for.
///
/// # Errors
/// [`HandleError`] for anything that [`group_handle`] did not make with this prefix.
pub fn read_group_handle(prefix: &str, handle: &GroupId) -> Result<GroupHandle, HandleError> {
    let bytes = read(handle.as_str().strip_prefix(prefix).ok_or(HandleError)?)?;
    let Some((&GROUP, rest)) = bytes.split_first() else { return Err(HandleError) };
    let parts = parts_of(rest)?;
    let [load_balancer_here, load_balancer, group, region, project] = parts.as_slice() else {
        return Err(HandleError);
    };
    let place = Place { region: RegionId::new(region.as_str()), project: ProjectId::new(project.as_str()) };
    let group = GroupId::new(group.as_str()).ok_or(HandleError)?;
    let there = GroupRef { load_balancer: LoadBalancerId::new(load_balancer.as_str()), group, place };
    Ok(GroupHandle { load_balancer_here: LoadBalancerId::new(load_balancer_here.as_str()), there })
}

/// Numbers that stay the same whatever becomes of the order of the kinds.
const fn number_of(kind: Kind) -> u8 {
    match kind {
        Kind::Instance => 1,
        Kind::Interface => 2,
        Kind::Container => 3,
        Kind::Metal => 4,
        Kind::Address => 5,
        Kind::Hybrid => 6,
    }
}

fn write(prefix: &str, head: &[u8], parts: &[&str]) -> Option<String> {
    let mut bytes = Vec::with_capacity(USUAL);
    bytes.extend(head);
    for part in parts {
        bytes.push(u8::try_from(part.len()).ok()?);
        bytes.extend(part.as_bytes());
    }
    let checksum = sha256(&bytes);
    bytes.extend(checksum.iter().take(CHECKSUM));
    let mut text = String::with_capacity(2 * USUAL);
    text.push_str(prefix);
    ALPHABET.as_ref()?.encode_append(&bytes, &mut text);
    Some(text)
}

/// The bytes before the checksum, which has to be theirs.
fn read(text: &str) -> Result<Vec<u8>, HandleError> {
    let mut bytes =
        ALPHABET.as_ref().and_then(|base| base.decode(text.as_bytes()).ok()).ok_or(HandleError)?;
    let checksum = bytes.split_off(bytes.len().checked_sub(CHECKSUM).ok_or(HandleError)?);
    if sha256(&bytes).starts_with(&checksum) { Ok(bytes) } else { Err(HandleError) }
}

fn parts_of(mut rest: &[u8]) -> Result<Vec<String>, HandleError> {
    let mut parts = Vec::new();
    while let Some((length, tail)) = rest.split_first() {
        let (text, tail) = tail.split_at_checked(usize::from(*length)).ok_or(HandleError)?;
        parts.push(String::from_utf8(text.to_vec()).map_err(|_| HandleError)?);
        rest = tail;
    }
    Ok(parts)
}

/// Base 32 in lower case without padding.
static ALPHABET: LazyLock<Option<Encoding>> = LazyLock::new(|| {
    let mut specification = Specification::new();
    specification.symbols.push_str("abcdefghijklmnopqrstuvwxyz234567");
    specification.encoding().ok()
});

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn target(kind: Kind, id: &str, address: Option<IpAddr>) -> Target {
        Target::Resource { kind, id: ResourceId::new(id).unwrap(), address }
    }

    #[test]
    fn a_damaged_handle_is_refused() {
        let group = GroupId::new("rsp-cige6j5e7p").unwrap();
        let server = target(Kind::Instance, "i-bp1example00000001", None);
        let handle = handle_of(&group, &server, Port::new(80).unwrap(), 0).unwrap();
        for at in BACKEND_PREFIX.len()..handle.as_str().len() {
            let mut text = handle.as_str().to_owned();
            let other = if text.as_bytes()[at] == b'a' { "b" } else { "a" };
            text.replace_range(at..=at, other);
            assert_eq!(read_handle(&BackendId::new(text).unwrap()), Err(HandleError), "at {at}");
        }
        assert_eq!(read_handle(&BackendId::new("backend-hjz2421u").unwrap()), Err(HandleError));
    }

    proptest! {
        #[test]
        fn a_backends_handle_reads_back(
            group in "[a-z0-9-]{1,40}", id in "[a-z0-9-]{1,40}", port in 1_u32..=65_535,
            ip in any::<Option<[u8; 4]>>(), kind in 0_usize..4, turn in 0_u8..16,
        ) {
            let (group, port) = (GroupId::new(group).unwrap(), Port::new(port).unwrap());
            let server = target(Kind::ALL[kind], &id, ip.map(IpAddr::from));
            let handle = handle_of(&group, &server, port, turn).unwrap();
            prop_assert_eq!(read_handle(&handle), Ok((group, server, port)));
        }

        #[test]
        fn a_groups_handle_reads_back(
            here in "[a-z0-9-]{0,30}", there in "[a-z0-9-]{0,30}", group in "[a-z0-9-]{1,30}",
            region in "[a-z0-9-]{0,20}", project in "[a-z0-9-]{0,20}",
        ) {
            let place = Place { region: RegionId::new(region), project: ProjectId::new(project) };
            let group = GroupId::new(group).unwrap();
            let there = GroupRef { load_balancer: LoadBalancerId::new(there), group, place };
            let handle = GroupHandle { load_balancer_here: LoadBalancerId::new(here), there };
            let text = group_handle("rsp-", &handle).unwrap();
            prop_assert_eq!(read_group_handle("rsp-", &text), Ok(handle));
            prop_assert_eq!(read_group_handle("vserver-", &text), Err(HandleError));
        }

        #[test]
        fn reading_never_panics(text in ".+") {
            let _backend = read_handle(&BackendId::new(text.clone()).unwrap());
            let _group = read_group_handle("", &GroupId::new(text).unwrap());
        }
    }
}
