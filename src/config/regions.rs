//! Whether something says in which region a target's groups are.

use super::{
    raw::{RawClient, RawTarget},
    resolve::Resolver,
    resources::ResourceMap,
};
use crate::{mapping::Tables, model::GroupRef};

impl Resolver<'_> {
    /// Reports each target of which a call would have no region: "the group's row, else the region table, else the
    /// target's default".
    pub(super) fn check_regions(
        &mut self,
        clients: &[RawClient],
        targets: &[RawTarget],
        resources: Option<&ResourceMap>,
    ) {
        let (Some(tables), Some(resources)) = (self.tables.clone(), resources) else { return };
        for target in targets.iter().filter(|target| target.region.is_none()) {
            let there = target.provider.as_ref().map(|word| word.get_ref().as_str()).unwrap_or_default();
            let callers = clients.iter().filter(|client| is_named(target, client));
            let dialects = callers.filter_map(|client| Some(client.dialect.as_ref()?.get_ref().as_str()));
            let lost = dialects
                .filter(|here| *here != there)
                .find_map(|here| placeless(&tables, resources, here, there));
            if let Some(lost) = lost {
                let (at, whose) = match &target.endpoint {
                    Some(endpoint) if endpoint.get_ref().contains(REGION) => {
                        (endpoint.span(), "`{region}` has")
                    }
                    Some(_) | None => (target.name.span(), "calls have"),
                };
                let what = format!(
                    "{whose} no region for {lost}; write region = \"ID\" for this target, or in that row"
                );
                self.report.error(at, what);
            }
        }
    }
}

fn is_named(target: &RawTarget, client: &RawClient) -> bool {
    client.target.as_ref().is_some_and(|name| name.get_ref() == target.name.get_ref())
}

/// The first group of the cloud `here` whose row leads to no region of the cloud `there`.
fn placeless(tables: &Tables, resources: &ResourceMap, here: &str, there: &str) -> Option<String> {
    resources.groups_of(here).find_map(|group: &GroupRef| {
        let row = resources.group(here, group, there)?;
        let told = group.place.region.as_ref()?;
        let is_placed =
            row.place.region.is_some() || tables.places.translate(here, told, there).is_some();
        (!is_placed).then(|| {
            format!(
                "the group `{}`: its row names none for `{there}`, and the region table knows none beside `{told}`",
                row.group
            )
        })
    })
}

const REGION: &str = "{region}";
