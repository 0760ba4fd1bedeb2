//! The gateway is killed in the middle of what it does, and started again: what it had begun is whole then, or as before.
//!
//! The gateway is the built binary in a process of its own, with its store in a file; the clouds are simulated in this
//! process and live on. A gate in the way of their changes tells the moment.

mod case;
mod crowd;
mod deeds;
mod matrix;
mod random;
mod scene;
mod view;
