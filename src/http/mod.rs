//! Floor 2: HTTP/1.1 over real sockets, on both legs, and nothing else.
//!
//! Above here a message is a value (`crate::wire`); below here it is bytes. Nothing in this module knows a cloud, reads
//! a parameter, or decides what a reply says, with one exception that is written down in `request_line`.
//!
//! | file | what it holds |
//! |---|---|
//! | `server` | sockets, TLS and connections: who is let in, and how all of it ends |
//! | `workers` | the threads that connections are served on |
//! | `door` | bounds that may be replaced while serving, and who came |
//! | `exchange` | one request on one connection: read, answered, written |
//! | `head` | how long a request's head may be, and how long it may take or not even begin |
//! | `refusal` | what is said to those whose request is not read |
//! | `request_line` | request lines that are longer than hyper takes, made answerable |
//! | `body` | bodies read up to a bound |
//! | `client` | the pooled client, and what a failed call means for the one who made it |
//! | `pool` | its connections, kept for the next call |
//! | `tls` | certificates and keys, from files to rustls |
//! | `certificate` | what is wrong with a certificate or a key, before anybody meets it |
//! | `trust` | which servers' certificates a client takes |

mod body;
mod certificate;
mod client;
mod door;
mod exchange;
mod head;
#[cfg(test)]
mod loopback;
mod pool;
mod refusal;
mod request_line;
mod server;
mod tls;
mod trust;
mod workers;

pub use certificate::{
    CertificateFlaw, check_authorities, check_chain, check_key, read_certificates, read_private_key,
};
pub use client::{Client, SendError};
pub use door::Door;
pub use exchange::{Answer, Arrived, Bounds, Overrun, Service};
pub use server::{Listener, SharedServerConfig, serve, serve_on};
pub use tls::{TlsError, server_config};
pub use workers::Workers;
