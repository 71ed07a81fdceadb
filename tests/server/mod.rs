//! The server over loopback: operations, the wire's edges, access, indexing, and answers equal to the library's.

mod access;
mod bindings;
mod buckets;
mod client;
mod documents;
mod documents_of_the_api;
#[cfg(feature = "cli")]
mod hostile;
mod indexing;
mod notifying;
mod operations;
mod pictures;
#[cfg(feature = "cli")]
mod process;
mod same_answers;
#[cfg(feature = "cli")]
mod store_events;
mod tls;
mod wire;
