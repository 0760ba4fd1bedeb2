//! Floor 3: the seams. What a cloud publishes ([`Provider`]: an [`Ingress`], an [`Egress`], signature
//! [`Scheme`]s), and what stands behind a front ([`Handler`]). All but the handler are pure functions over messages.

mod arrival;
mod asked;
mod handle;
mod handler;
mod provider;
mod scheme;

pub use arrival::Arrival;
pub use asked::Asked;
pub use handle::{GroupHandle, HandleError, group_handle, handle_of, read_group_handle, read_handle};
pub use handler::{Answer, BoxFuture, Handler, Request, Wanted, end_of};
pub use provider::{Egress, Envelope, Ingress, Likeness, Provider, Receipt, Showcase};
pub use scheme::{Claim, Invocation, Scheme};
