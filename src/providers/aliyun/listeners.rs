//! Where listeners sit in this cloud's replies: every list has its own names for their two fields.

use super::{envelope, values};
use crate::{
    mapping::Cloud,
    model::{Fault, Listener, Port},
    wire::{Document, NamedValue},
};

/// The names of the two fields in one list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names {
    /// The port.
    pub(super) port: &'static str,
    /// The protocol.
    pub(super) protocol: &'static str,
}

/// Writes the fields of a listener.
pub(super) fn write(listener: &Listener, names: Names, documented: bool, cloud: &Cloud) -> Vec<NamedValue> {
    let protocol = cloud.group.protocol_word(listener.protocol);
    vec![
        (names.port.into(), values::number(listener.port, documented)),
        (names.protocol.into(), Document::text(protocol)),
    ]
}

/// Reads the listener that a record tells of; none if it does not tell both fields.
pub(super) fn read(record: &Document, names: Names, cloud: &Cloud) -> Result<Option<Listener>, Fault> {
    let (Some(port), Some(word)) = (values::told(record, names.port), values::told(record, names.protocol))
    else {
        return Ok(None);
    };
    let port = port.parse().ok().and_then(Port::new);
    let listener =
        port.zip(cloud.group.protocol_of(&word)).map(|(port, protocol)| Listener { protocol, port });
    listener.map(Some).ok_or_else(|| envelope::lost(cloud, "a listener that makes no sense"))
}

/// Reads a list of listeners.
pub(super) fn read_all(items: &[Document], names: Names, cloud: &Cloud) -> Result<Vec<Listener>, Fault> {
    let half = || envelope::lost(cloud, "a listener without a port or a protocol");
    items.iter().map(|item| read(item, names, cloud)?.ok_or_else(half)).collect()
}
