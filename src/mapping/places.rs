//! Which region here is which region there.

use crate::model::RegionId;

/// The region table: one row per place, one column per cloud.
#[derive(Debug, Clone, Default)]
pub struct Places {
    pub(in crate::mapping) rows: Vec<Vec<(String, RegionId)>>,
}

impl Places {
    /// The region of the cloud `to` where the cloud `from` has `region`. The first row that knows both answers.
    #[must_use]
    pub fn translate(&self, from: &str, region: &RegionId, to: &str) -> Option<&RegionId> {
        let column =
            |row: &'_ Vec<(String, RegionId)>, cloud: &str| row.iter().position(|(name, _)| name == cloud);
        self.rows.iter().find_map(|row| {
            let (here, there) = (column(row, from)?, column(row, to)?);
            (&row.get(here)?.1 == region).then(|| row.get(there).map(|(_, region)| region))?
        })
    }

    /// The regions of the cloud `of` that have one of the cloud `other`, in the order of the table, each once.
    #[must_use]
    pub fn shared(&self, of: &str, other: &str) -> Vec<RegionId> {
        let mut regions: Vec<RegionId> = Vec::new();
        for row in self.rows.iter().filter(|row| row.iter().any(|(cloud, _)| cloud == other)) {
            let own = row.iter().filter(|(cloud, _)| cloud == of).map(|(_, region)| region);
            let fresh: Vec<RegionId> = own.filter(|region| !regions.contains(region)).cloned().collect();
            regions.extend(fresh);
        }
        regions
    }
}
