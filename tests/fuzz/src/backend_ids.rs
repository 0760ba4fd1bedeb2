//! Ids that the gateway makes up: one that decodes is the only id of what it stands for.

use data_encoding::BASE32_NOPAD;
use weighbridge::{
    crypto::sha256,
    dialect::{group_handle, handle_of, read_group_handle, read_handle},
    model::{BackendId, GroupId},
};

/// The prefixes of backends' ids and of groups'.
const BACKEND: &str = "backend-";
const GROUP: &str = "vserver-";

pub fn run(input: &[u8]) {
    if let Ok(text) = std::str::from_utf8(input) {
        backend(text);
        group(text);
    }
    // No fuzzer finds the checksum of an id, so the input stands for what an id holds as well.
    let held = with_checksum(input);
    backend(&format!("{BACKEND}{held}"));
    group(&format!("{GROUP}{held}"));
}

fn backend(text: &str) {
    let Some(id) = BackendId::new(text) else { return };
    let read = read_handle(&id);
    assert_eq!(read, read_handle(&id), "it reads the same twice");
    let Ok((group, target, port)) = read else { return };
    let mut ids = (0..16).filter_map(|turn| handle_of(&group, &target, port, turn));
    assert!(ids.any(|known| known == id), "{text} is no id of {target} on port {port} of {group}");
}

fn group(text: &str) {
    let Some(id) = GroupId::new(text) else { return };
    let Ok(handle) = read_group_handle(GROUP, &id) else { return };
    assert_eq!(group_handle(GROUP, &handle), Some(id), "{handle:?} has another id");
}

fn with_checksum(held: &[u8]) -> String {
    let bytes: Vec<u8> = held.iter().chain(sha256(held).iter().take(4)).copied().collect();
    BASE32_NOPAD.encode(&bytes).to_ascii_lowercase()
}
