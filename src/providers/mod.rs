//! Floor 4: the clouds. Each is a folder of the same few role-named files; none knows another.

mod aliyun;
mod ucloud;

use crate::dialect::Provider;

/// Every cloud that is spoken here: the only list there is.
pub const PROVIDERS: &[Provider] = &[aliyun::PROVIDER, ucloud::PROVIDER];

/// The provider of this id.
#[must_use]
pub fn provider(id: &str) -> Option<&'static Provider> {
    PROVIDERS.iter().find(|provider| provider.id == id)
}
