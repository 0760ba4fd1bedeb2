//! Where the state of health of backends sits in replies.
//!
//! DescribeHealthStatus, "Response parameters".

use super::{
    backends, envelope,
    listeners::{self, Names},
    values,
};
use crate::{
    mapping::Cloud,
    model::{Checked, Fault},
    wire::{Document, NamedValue},
};

/// The parameter that names the port of a listener.
pub(super) const PORT: &str = "ListenerPort";
/// The parameter that names the protocol of a listener.
pub(super) const PROTOCOL: &str = "ListenerProtocol";

const LISTENER: Names = Names { port: PORT, protocol: "Protocol" };
const STATE: &str = "ServerHealthStatus";

/// Writes what health checks say.
pub(super) fn write(checked: &[Checked], documented: bool, cloud: &Cloud) -> Result<Vec<NamedValue>, Fault> {
    let item = |checked: &Checked| {
        let backend = backends::identity(&checked.target, checked.port);
        let mut members = backends::write_fields(&backend, &backends::IDENTITY, documented, &cloud.backend)?;
        if let Some(listener) = &checked.listener {
            members.extend(listeners::write(listener, LISTENER, documented, cloud));
        }
        members.push((STATE.into(), Document::text(cloud.group.health_word(checked.health))));
        Ok(Document::Record(members))
    };
    let items = checked.iter().map(item).collect::<Result<_, Fault>>()?;
    Ok(vec![(backends::LIST.into(), envelope::list(backends::ITEM, items))])
}

/// Reads what health checks say.
pub(super) fn read(body: &Document, cloud: &Cloud) -> Result<Vec<Checked>, Fault> {
    let items = envelope::items(body, backends::LIST, backends::ITEM)
        .ok_or_else(|| envelope::lost(cloud, "with no list of backends"))?;
    let checked = |item: &Document| {
        let backend = backends::read_told(item, cloud)?;
        let state = values::told(item, STATE).unwrap_or_default();
        Ok(Checked {
            target: backend.target,
            port: backend.port,
            listener: listeners::read(item, LISTENER, cloud)?,
            health: cloud.group.health_of(&state),
        })
    };
    items.iter().map(checked).collect()
}
