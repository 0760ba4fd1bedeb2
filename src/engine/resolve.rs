//! The caller's ids → the target's, through the resource map.

use crate::{
    config::{Client, Config, ResourceMap, ServerColumn, Target as TargetCloud, Unmapped},
    dialect::{GroupHandle, group_handle, read_group_handle},
    mapping::{Cloud, Places},
    model::{
        Fault, FaultKind, Field, GroupId, GroupRef, LoadBalancerId, LoadBalancerRef, Place, ProjectId,
        RegionId, Target,
    },
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

    /// Whether caller and target speak of one cloud, so that every id is the same there.
    #[must_use]
    pub fn same_cloud(&self) -> bool {
        self.here.id == self.there.id
    }

    /// The group as the target names it, with the region and the project that its calls need: by its row, by what its id
    /// itself says, or as it is.
    ///
    /// # Errors
    /// [`FaultKind::UnknownGroup`] without any of them, [`FaultKind::UnknownRegion`] when nothing says where it is.
    pub fn group(&self, group: &GroupRef) -> Result<GroupRef, Fault> {
        let mapped = match self.resources.group(&self.here.id, group, &self.there.id) {
            Some(row) => row.clone(),
            None if self.same_cloud() => group.clone(),
            None => match self.made_group(group) {
                Some(made) => made,
                None => self.unmapped_group(group)?,
            },
        };
        let place = self.place(&mapped.place, &group.place)?;
        Ok(GroupRef { place, ..mapped })
    }

    /// Where a call has to go: "the group's row, else the region table, else the target's default".
    ///
    /// # Errors
    /// [`FaultKind::UnknownRegion`] when none of them answers.
    pub fn place(&self, row: &Place, asked: &Place) -> Result<Place, Fault> {
        let by_table = || {
            let told = asked.region.as_ref()?;
            self.places.translate(&self.here.id, told, &self.there.id).cloned()
        };
        let region = row.region.clone().or_else(by_table).or_else(|| self.target.region.clone());
        let region = region.ok_or_else(|| {
            let told = asked.region.as_ref().map_or("none", RegionId::as_str);
            let detail = format!(
                "the request names {told}, no row of the resource map names one, the region table has no place for it, and the target has no default"
            );
            Fault::of_field(FaultKind::UnknownRegion, self.here.group.region.clone(), detail)
        })?;
        let project = row.project.clone().or_else(|| self.target.project.clone());
        Ok(Place { region: Some(region), project })
    }

    /// The load balancer of one of the caller's groups, by its row or by what its id itself says.
    pub(super) fn balancer_of(&self, group: &GroupRef) -> Option<LoadBalancerId> {
        let row = self.resources.group(&self.here.id, group, &self.here.id);
        let made = || read_group_handle(&self.here.group.id_prefix, &group.group).ok()?.load_balancer_here;
        row.and_then(|row| row.load_balancer.clone()).or_else(made)
    }

    /// A group that was made through a gateway: its id says what both sides call it.
    fn made_group(&self, group: &GroupRef) -> Option<GroupRef> {
        let GroupHandle { load_balancer_here, there } =
            read_group_handle(&self.here.group.id_prefix, &group.group).ok()?;
        let fits = match (&group.load_balancer, &load_balancer_here) {
            (Some(asked), Some(made)) => asked == made,
            (None, _) | (_, None) => true,
        };
        // An id can be made up by anybody who knows how. What it names has to be on a load balancer that a row gives the
        // caller, unless every id of the target is the caller's to name.
        let known = || {
            let own = load_balancer_here.as_ref()?;
            let beside = self.resources.balancers(&self.here.id, own, &self.there.id);
            let row = beside.into_iter().find(|row| Some(&row.id) == there.load_balancer.as_ref())?;
            let elsewhere = row.place.region.is_some() && row.place.region != there.place.region;
            (!elsewhere).then_some(())
        };
        let allowed = self.target.unmapped == Unmapped::Same || known().is_some();
        (fits && allowed).then_some(there)
    }

    /// The group as the caller names it, with its load balancer, where `load_balancer` is not known otherwise: by its row,
    /// or else by an id that says what the target calls it.
    #[must_use]
    pub fn group_here(&self, there: &GroupRef, load_balancer: Option<&LoadBalancerId>) -> GroupRef {
        if let Some(row) = self.row_of(there) {
            return row.clone();
        }
        let place = Place { region: self.region_here(&there.place), project: None };
        let own = load_balancer.cloned().or_else(|| self.balancer_here(there.load_balancer.as_ref()?));
        let same = || {
            let (wanted, given) = (self.here.group.load_balancer.is_some(), &there.load_balancer);
            match given {
                Some(balancer) if !wanted => GroupId::new(format!("{balancer}/{}", there.group)),
                Some(_) | None => Some(there.group.clone()),
            }
        };
        let made = || {
            let handle = GroupHandle { load_balancer_here: own.clone(), there: there.clone() };
            group_handle(&self.here.group.id_prefix, &handle)
        };
        let group = match self.target.unmapped {
            Unmapped::Same => same(),
            Unmapped::Refuse => made(),
        };
        GroupRef { load_balancer: own, group: group.unwrap_or_else(|| there.group.clone()), place }
    }

    /// The row in which the target has `there`, in the caller's words.
    pub(super) fn row_of(&self, there: &GroupRef) -> Option<&'c GroupRef> {
        self.resources.group(&self.there.id, there, &self.here.id)
    }

    /// A group that the target is known to have, by its id alone, with the place of its row.
    pub(super) fn group_there(&self, group: &GroupId) -> GroupRef {
        let bare = GroupRef { load_balancer: None, group: group.clone(), place: Place::default() };
        self.resources.group(&self.there.id, &bare, &self.there.id).cloned().unwrap_or(bare)
    }

    /// The region of the caller's cloud that stands for a place of the target's.
    pub(super) fn region_here(&self, there: &Place) -> Option<RegionId> {
        self.places.translate(&self.there.id, there.region.as_ref()?, &self.here.id).cloned()
    }

    /// The load balancers of the target that stand for one of the caller's.
    ///
    /// # Errors
    /// [`FaultKind::UnknownLoadBalancer`] without a row, [`FaultKind::UnknownRegion`] when nothing says where it is.
    pub fn balancers(&self, balancer: &LoadBalancerRef) -> Result<Vec<LoadBalancerRef>, Fault> {
        let mut found = self.resources.balancers(&self.here.id, &balancer.id, &self.there.id);
        if found.is_empty() && (self.same_cloud() || self.target.unmapped == Unmapped::Same) {
            found = vec![LoadBalancerRef { id: balancer.id.clone(), place: Place::default() }];
        }
        if found.is_empty() {
            let detail = format!(
                "`{}` has no row in the gateway's resource map that names a load balancer of {}; add a [[load_balancer]] for it to the `resources` file",
                balancer.id, self.there.title
            );
            return Err(Fault::of_field(FaultKind::UnknownLoadBalancer, balancer.id.to_string(), detail));
        }
        let placed = |row: LoadBalancerRef| {
            Ok(LoadBalancerRef { place: self.place(&row.place, &balancer.place)?, id: row.id })
        };
        found.into_iter().map(placed).collect()
    }

    /// The load balancer of the target on which groups of one of the caller's are made, where a row says so.
    ///
    /// # Errors
    /// [`FaultKind::UnknownRegion`] when nothing says where it is.
    pub(super) fn balancer_for_groups(
        &self,
        here: &LoadBalancerRef,
    ) -> Result<Option<LoadBalancerRef>, Fault> {
        let row = self.resources.balancer(&self.here.id, &here.id, &self.there.id);
        let placed = |row: &LoadBalancerRef| {
            Ok(LoadBalancerRef { place: self.place(&row.place, &here.place)?, id: row.id.clone() })
        };
        row.map(placed).transpose()
    }

    /// The places in which the target may have load balancers that the caller knows: those of rows that lie in the
    /// region asked for, or that of the region table where ids need no row.
    ///
    /// # Errors
    /// [`FaultKind::UnknownRegion`] when nothing says where that is.
    pub(super) fn balancer_places(&self, asked: &Place) -> Result<Vec<Place>, Fault> {
        if self.target.unmapped == Unmapped::Same {
            return Ok(vec![self.place(&Place::default(), asked)?]);
        }
        let mut places: Vec<Place> = Vec::new();
        for (here, there) in self.resources.balancer_places(&self.here.id, &self.there.id) {
            let fits = |region: &RegionId| asked.region.as_ref().is_none_or(|asked| asked == region);
            if here.region.as_ref().is_none_or(fits) {
                let place = self.place(there, asked)?;
                if !places.contains(&place) {
                    places.push(place);
                }
            }
        }
        Ok(places)
    }

    /// Where the target has what one of the caller's load balancers stands for, where rows agree on it.
    pub(super) fn balancer_place(&self, here: &LoadBalancerId) -> Option<Place> {
        let found = self.resources.balancers(&self.here.id, here, &self.there.id);
        let first = found.first()?.place.clone();
        found.iter().all(|row| row.place.region == first.region).then_some(first)
    }

    /// The caller's load balancers that stand for one of the target's; none for one that the caller does not know.
    #[must_use]
    pub fn balancers_here(&self, there: &LoadBalancerId) -> Vec<LoadBalancerRef> {
        let found = self.resources.balancers(&self.there.id, there, &self.here.id);
        if found.is_empty() && (self.same_cloud() || self.target.unmapped == Unmapped::Same) {
            return vec![LoadBalancerRef { id: there.clone(), place: Place::default() }];
        }
        found
    }

    fn balancer_here(&self, there: &LoadBalancerId) -> Option<LoadBalancerId> {
        self.balancers_here(there).into_iter().next().map(|balancer| balancer.id)
    }

    /// The regions of the caller's cloud that a request may name: those that the region table or a row leads from.
    #[must_use]
    pub fn regions(&self) -> Vec<RegionId> {
        let mut regions = self.places.shared(&self.here.id, &self.there.id);
        let rows = self.resources.group_places(&self.here.id).iter().filter_map(|place| place.region.clone());
        for region in rows {
            if !regions.contains(&region) {
                regions.push(region);
            }
        }
        regions
    }

    /// The projects of the caller's cloud that rows name, or else one that stands for all.
    #[must_use]
    pub fn projects(&self) -> Vec<ProjectId> {
        let mut projects: Vec<ProjectId> = Vec::new();
        let rows =
            self.resources.group_places(&self.here.id).iter().filter_map(|place| place.project.clone());
        for project in rows {
            if !projects.contains(&project) {
                projects.push(project);
            }
        }
        if projects.is_empty() {
            projects.extend(self.here.group.default_project.clone().and_then(ProjectId::new));
        }
        projects
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
            Some(column) => Ok(mapped_server(&column, server)),
            None if self.same_cloud() => Ok(server.clone()),
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
        column.map_or_else(|| server.clone(), |column| mapped_server(&column, server))
    }

    /// Whether a row leads from a server of the target's to one of the caller's.
    pub(super) fn has_row(&self, there: &Target) -> bool {
        self.resources.server(&self.there.id, there, &self.here.id).is_some()
    }

    /// Whether the caller chose an address that the row in between has no place for. One that the row itself names is
    /// what the row is about.
    pub(super) fn hides_address(&self, caller: &Target, there: &Target) -> bool {
        let chosen = caller.address();
        let named = || {
            self.resources.server(&self.here.id, caller, &self.here.id).and_then(|row| row.target.address())
        };
        let resource = matches!(caller, Target::Resource { .. });
        resource && chosen.is_some() && there.address() != chosen && named() != chosen
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
    let chosen = if caller.kind().is_address() { None } else { caller.address() };
    let address = row_address.or(chosen.filter(|_| kind.has_addresses()));
    Target::Resource { kind, id: id.clone(), address }
}

fn full_name(group: &GroupRef) -> String {
    match &group.load_balancer {
        Some(load_balancer) => format!("{load_balancer}/{}", group.group),
        None => group.group.to_string(),
    }
}
