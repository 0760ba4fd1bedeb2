//! The load balancers: as many as the groups at the start name. None is made or unmade.

use super::{CREATED, Held, State};
use crate::model::{
    Detail, Fault, FaultKind, Group, GroupRef, ListLoadBalancers, Listener, LoadBalancer, LoadBalancerId,
    LoadBalancerRef, ProjectId, Reach, RegionId,
};

/// The load balancers of these groups.
pub(super) fn of(groups: &[GroupRef]) -> Vec<LoadBalancer> {
    let mut balancers: Vec<LoadBalancer> = Vec::new();
    for group in groups {
        let Some(id) = &group.load_balancer else { continue };
        if balancers.iter().any(|known| known.id == *id) {
            continue;
        }
        balancers.push(LoadBalancer {
            id: id.clone(),
            place: group.place.clone(),
            name: Some(id.to_string()),
            address: Some(format!("203.0.113.{}", balancers.len() % 254 + 1)),
            reach: Reach::Internet,
            vpc: None,
            subnet: None,
            created: Some(CREATED),
            listeners: Vec::new(),
            groups: Vec::new(),
            group_count: 0,
        });
    }
    balancers
}

impl State {
    /// The load balancers that fit, and how many they are in all.
    pub(in crate::simulator) fn list_balancers(
        &self,
        list: &ListLoadBalancers,
    ) -> (Vec<LoadBalancer>, usize) {
        let ListLoadBalancers { filter, page, detail, place: _ } = list;
        let fitting: Vec<_> = self.balancers.iter().filter(|balancer| filter.fits(balancer)).collect();
        let total = fitting.len();
        let held = self.lock();
        let part = page.of(fitting).into_iter();
        (part.map(|balancer| self.detailed(balancer, *detail, &held)).collect(), total)
    }

    /// One load balancer, with its listeners.
    pub(in crate::simulator) fn describe_balancer(
        &self,
        name: &LoadBalancerRef,
    ) -> Result<LoadBalancer, Fault> {
        let balancer = self.balancer(&name.id)?;
        let listeners = listeners(self.lock().shown(&balancer.id, self.moment()));
        Ok(LoadBalancer { listeners, ..balancer.clone() })
    }

    /// Where there is something, each region once.
    pub(in crate::simulator) fn regions(&self) -> Vec<RegionId> {
        once(self.places.iter().filter_map(|place| place.region.clone()))
    }

    /// Whose there is something, each project once.
    pub(in crate::simulator) fn projects(&self) -> Vec<ProjectId> {
        once(self.places.iter().filter_map(|place| place.project.clone()))
    }

    /// The load balancer of this id.
    pub(super) fn balancer(&self, id: &LoadBalancerId) -> Result<&LoadBalancer, Fault> {
        let unknown = || Fault::of_field(FaultKind::UnknownLoadBalancer, id.to_string(), "");
        self.balancers.iter().find(|balancer| balancer.id == *id).ok_or_else(unknown)
    }

    fn detailed(&self, balancer: &LoadBalancer, detail: Detail, held: &Held) -> LoadBalancer {
        let shown = held.shown(&balancer.id, self.moment());
        match detail {
            Detail::Summary => balancer.clone(),
            Detail::GroupCount => LoadBalancer { group_count: shown.count(), ..balancer.clone() },
            Detail::Groups => {
                let groups: Vec<Group> = shown.collect();
                let listeners = listeners(groups.iter().cloned());
                LoadBalancer { group_count: groups.len(), groups, listeners, ..balancer.clone() }
            }
        }
    }
}

fn listeners(groups: impl Iterator<Item = Group>) -> Vec<Listener> {
    groups.flat_map(|group| group.listeners).collect()
}

fn once<T: PartialEq>(all: impl Iterator<Item = T>) -> Vec<T> {
    all.fold(Vec::new(), |mut known, next| {
        if !known.contains(&next) {
            known.push(next);
        }
        known
    })
}
