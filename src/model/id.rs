//! Ids as newtypes, so that a group's id cannot stand where a server's belongs.
//!
//! Both clouds document shapes (`rsp-…`, `vserver-…`) but neither documents lengths, so an id is any text that is
//! not empty; whether it is known is the resource map's to say. A copy shares the text: one request has some dozens.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

macro_rules! text_ids {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(into = "String", try_from = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes the text of an id; empty text is no id.
            #[must_use]
            pub fn new(text: impl AsRef<str>) -> Option<Self> {
                Some(text.as_ref()).filter(|text| !text.is_empty()).map(|text| Self(text.into()))
            }

            /// The id as both clouds write it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The same, shared.
            #[must_use]
            pub fn text(&self) -> Arc<str> {
                Arc::clone(&self.0)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.as_ref().to_owned()
            }
        }

        impl TryFrom<String> for $name {
            type Error = &'static str;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::new(text).ok_or("an id is not empty")
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

text_ids! {
    /// A server group: a `VServer` group, a `VServer`.
    GroupId;
    /// A load balancer instance.
    LoadBalancerId;
    /// A server, network interface or container: the thing that receives traffic.
    ResourceId;
    /// A backend's own id inside a group, on clouds that give it one.
    BackendId;
    /// A region.
    RegionId;
    /// A project, on clouds that have them.
    ProjectId;
    /// A virtual private cloud.
    VpcId;
    /// A subnet.
    SubnetId;
}
