//! The caller's ids → the target's, through the resource map.

use std::net::IpAddr;

use super::same_cloud;
use crate::{
    config::{Client, Config, ResourceMap, ServerColumn, Target as TargetCloud, Unmapped},
    mapping::{Cloud, Places},
    model::{Fault, FaultKind, Field, GroupId, GroupRef, LoadBalancerId, Place, RegionId, Target},
};

/// Who is calling, who does the work, and what lies between.
#[derive(Debug, Clone, Copy)]
pub struct Route<'c> {
    /// The caller.
    pub client: &'c Client,
    /// The cloud that does the work, as configured.
    pub target: &'c TargetCloud,
    /// The tables of the caller's cloud.
    pub here: &'c Cloud,
    /// The tables of the target's cloud.
    pub there: &'c Cloud,
    resources: &'c ResourceMap,
    places: &'c Places,
}

impl<'c> Route<'c> {
    /// The route of the client at a place in the config.
    ///
    /// # Errors
    /// [`FaultKind::Internal`] for a place that the config does not have.
    pub fn of(config: &'c Config, client: usize) -> Result<Self, Fault> {
        let nowhere = || Fault::new(FaultKind::Internal, "the config does not have this client");
        let client = config.clients.get(client).ok_or_else(nowhere)?;
        let target = config.targets.get(client.target).ok_or_else(nowhere)?;
        Ok(Self {
            here: config.tables.cloud(&client.dialect).ok_or_else(nowhere)?,
            there: config.tables.cloud(&target.provider).ok_or_else(nowhere)?,
            client,
            target,
            resources: &config.resources,
            places: &config.tables.places,
        })
    }

    /// The group as the target names it, with the region and the project that its calls need.
    ///
    /// # Errors
    /// [`FaultKind::UnknownGroup`] without a row, [`FaultKind::UnknownRegion`] when nothing says where it is.
    pub fn group(&self, group: &GroupRef) -> Result<GroupRef, Fault> {
        let mapped = match self.resources.group(&self.here.id, group, &self.there.id) {
            Some(row) => row.clone(),
            None if same_cloud(self.here, self.there) => group.clone(),
            None => self.unmapped_group(group)?,
        };
        let region = self.region(&mapped, group).ok_or_else(|| {
            let told = group.place.region.as_ref().map_or("none", RegionId::as_str);
            let detail = format!(
                "the request names {told}, the group's row names none, the region table has no place for it, and the target has no default"
            );
            Fault::of_field(FaultKind::UnknownRegion, self.here.group.region.clone(), detail)
        })?;
        let project = mapped.place.project.or_else(|| self.target.project.clone());
        Ok(GroupRef { place: Place { region: Some(region), project }, ..mapped })
    }

    /// "the group's row, else the region table, else the target's default".
    fn region(&self, mapped: &GroupRef, group: &GroupRef) -> Option<RegionId> {
        let by_table = || {
            let told = group.place.region.as_ref()?;
            self.places.translate(&self.here.id, told, &self.there.id).cloned()
        };
        mapped.place.region.clone().or_else(by_table).or_else(|| self.target.region.clone())
    }

    fn unmapped_group(&self, group: &GroupRef) -> Result<GroupRef, Fault> {
        let name = &self.here.group.group;
        let unknown =
            |detail: String| Fault::of_field(FaultKind::UnknownGroup, group.group.to_string(), detail);
        match self.target.unmapped {
            Unmapped::Refuse => {
                let detail = format!(
                    "`{name}` is `{}`, which has no row in the gateway's resource map; add a [[group]] for it to the `resources` file",
                    full_name(group)
                );
                Err(unknown(detail))
            }
            Unmapped::Same => self.same_group(group).ok_or_else(|| {
                unknown(format!("`{name}` is `{}`; write load balancer and group as `ID/ID`", group.group))
            }),
        }
    }

    /// The ids as they are. A target that wants the load balancer beside the group gets it out of `load balancer/group`
    /// where the caller's requests have no place for it.
    fn same_group(&self, group: &GroupRef) -> Option<GroupRef> {
        let wants = self.there.group.load_balancer.is_some();
        let (load_balancer, id) = match (&group.load_balancer, wants) {
            (_, false) => (None, group.group.clone()),
            (Some(load_balancer), true) => (Some(load_balancer.clone()), group.group.clone()),
            (None, true) => {
                let (load_balancer, id) = group.group.as_str().split_once('/')?;
                (Some(LoadBalancerId::new(load_balancer)?), GroupId::new(id)?)
            }
        };
        Some(GroupRef { load_balancer, group: id, place: Place::default() })
    }

    /// The server as the target names it.
    ///
    /// # Errors
    /// [`FaultKind::UnknownServer`] without a row.
    pub fn server(&self, server: &Target) -> Result<Target, Fault> {
        match self.resources.server(&self.here.id, server, &self.there.id) {
            Some(column) => Ok(mapped_server(column, server)),
            None if same_cloud(self.here, self.there) => Ok(server.clone()),
            None => match self.target.unmapped {
                Unmapped::Same => Ok(server.clone()),
                Unmapped::Refuse => Err(self.unknown_server(server)),
            },
        }
    }

    /// The server as the caller names it; one that the map does not know keeps the target's name.
    #[must_use]
    pub fn server_here(&self, server: &Target) -> Target {
        let column = self.resources.server(&self.there.id, server, &self.here.id);
        column.map_or_else(|| server.clone(), |column| mapped_server(column, server))
    }

    /// Whether the caller chose an address that the row in between has no place for. One that the row itself names is
    /// what the row is about.
    pub(super) fn hides_address(&self, caller: &Target, there: &Target) -> bool {
        let chosen = address_of(caller);
        let named = || {
            self.resources
                .server(&self.here.id, caller, &self.here.id)
                .and_then(|row| address_of(&row.target))
        };
        let resource = matches!(caller, Target::Resource { .. });
        resource && chosen.is_some() && address_of(there) != chosen && named() != chosen
    }

    fn unknown_server(&self, server: &Target) -> Fault {
        let field = match server {
            Target::Resource { .. } => Field::Resource,
            Target::Address { .. } => Field::Address,
        };
        let name = self.here.backend.wire_name(field);
        let detail = format!(
            "`{name}` is `{server}`, which has no row in the gateway's resource map; add a [[server]] for it to the `resources` file"
        );
        Fault::of_field(FaultKind::UnknownServer, name.to_owned(), detail)
    }
}

/// The row's server, of the kind that the row names or else of the caller's. An address that the caller chose stays
/// chosen.
fn mapped_server(column: &ServerColumn, caller: &Target) -> Target {
    let Target::Resource { kind: stand_in, id, address: row_address } = &column.target else {
        return column.target.clone();
    };
    let callers = if caller.kind().is_address() { *stand_in } else { caller.kind() };
    let kind = column.kind.unwrap_or(callers);
    let chosen = if caller.kind().is_address() { None } else { address_of(caller) };
    let address = row_address.or(chosen.filter(|_| kind.has_addresses()));
    Target::Resource { kind, id: id.clone(), address }
}

fn address_of(target: &Target) -> Option<IpAddr> {
    match target {
        Target::Resource { address, id: _, kind: _ } => *address,
        Target::Address { ip, vpc: _, subnet: _, kind: _ } => Some(*ip),
    }
}

fn full_name(group: &GroupRef) -> String {
    match &group.load_balancer {
        Some(load_balancer) => format!("{load_balancer}/{}", group.group),
        None => group.group.to_string(),
    }
}
