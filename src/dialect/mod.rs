//! Floor 3: the seams. What a cloud publishes ([`Provider`]: an [`Ingress`], an [`Egress`], signature
//! [`Scheme`]s), and what stands behind a front ([`Handler`]). All but the handler are pure functions over messages.

mod arrival;
mod handle;
mod handler;
mod provider;
mod scheme;

pub use arrival::Arrival;
pub use handle::{HandleError, handle_of, read_handle};
pub use handler::{Answer, BoxFuture, Handler, Request};
pub use provider::{Egress, Envelope, Ingress, Likeness, Provider, Showcase};
pub use scheme::{Claim, Invocation, Scheme};
