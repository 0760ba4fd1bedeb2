//! weighbridge lets a tool written for one cloud's load balancer API work on another's.
//!
//! It accepts a request in the caller's cloud's language, verifies its signature, reads it into a common model, maps
//! ids, kinds, weights and regions by tables, signs anew, calls the other cloud, and answers as the caller's own would.
//!
//! # The map of the house
//!
//! A module imports only modules of a strictly lower floor; siblings do not know each other. `tests/it/layering.rs`
//! holds this, and that a cloud's name stands only in its own folder.
//!
//! | floor | modules | may know |
//! |---|---|---|
//! | 0 | [`crypto`] | bytes |
//! | 1 | [`model`], [`wire`] | the domain / HTTP messages as values |
//! | 2 | [`mapping`], [`auth`], [`http`], [`store`], [`telemetry`] | tables over the model / keys and time / sockets, TLS / what must not be forgotten / what an operator sees |
//! | 3 | [`dialect`], [`config`] | the seams / resolved settings |
//! | 4 | [`providers`], [`engine`], [`front`] | one cloud each / plans / detection and authentication |
//! | 5 | [`gateway`], [`simulator`] | compositions: front + engine + http; front + a load balancer in memory + http |
//! | 6 | [`cli`] | everything |
//!
//! # The way of one request
//!
//! `http` reads a [`wire::Call`]; [`front`] finds out whose language it is, has the provider's ingress unpack it, admits its
//! signer, and has it read into a [`model::Operation`]; the [`engine`] plans it (ids through the resource map, losses by
//! their policies), takes its turn among the group's writers, writes down in the [`store`] what takes several steps, and runs
//! them; each step is written by the target's egress, signed by its scheme and sent by
//! [`gateway`]; the outcome goes back the same way, and the ingress writes the reply. A call that is not to be translated
//! goes on as it came, signed anew, to a target of the caller's own cloud, or nowhere.
//!
//! [`dialect::Ingress`], [`dialect::Egress`] and [`dialect::Scheme`] are pure functions over messages: no clock, no
//! randomness, no sockets, no `async`. An operation addressed in the target's ids *is* a step, so one set of types serves
//! both sides, and a simulated cloud is the same [`front`] before another [`dialect::Handler`].
//!
//! # The way of a config
//!
//! [`config`] reads the files and says what they mean, or everything that is wrong with them. [`gateway`] makes a snapshot
//! of it: a front, an engine, connections to the targets. Whatever arrives is answered by the snapshot of that moment, to
//! its end; a reload exchanges it for another. Sockets, the store, turns and what is counted outlive them all.
//!
//! # The way of a look
//!
//! Each request has one [`telemetry::Account`], which whoever works on it fills: it becomes the line of the log, the metrics,
//! and a row on the page.
//!
//! `gateway::explain` sends a request the same way to a target that is only supposed, and follows each thing that it says.
//! The command line prints that, and the page on the admin listener shows it; both read a pasted request by
//! [`wire::read_request`].

pub mod auth;
pub mod cli;
pub mod config;
pub mod crypto;
pub mod dialect;
pub mod engine;
pub mod front;
pub mod gateway;
pub mod http;
pub mod mapping;
pub mod model;
pub mod providers;
pub mod simulator;
pub mod store;
pub mod telemetry;
pub mod wire;
