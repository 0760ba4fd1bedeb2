//! Floor 4: turns a call into a request for any [`Handler`](crate::dialect::Handler), and its answer into a reply in
//! the caller's own form. The engine stands behind one front, a simulated cloud behind another.

mod authenticate;
mod detect;
mod service;

pub use authenticate::{Caller, Gate};
pub use detect::{Speaker, detect, unrecognised};
pub use service::Front;
