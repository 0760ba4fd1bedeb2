//! Writes to one group stand in line: adds that wait go out together, and nobody waits for another group.

mod orders;
mod sockets;
