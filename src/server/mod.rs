//! The IMM 2020-09-30 API over HTTP: official SDKs work against it unmodified.
//!
//! Owns the wire: HTTP, signatures, parameters, shapes of answers, error documents, access keys, limits per caller. Asks
//! the engine for everything else, on a bounded pool of threads. `docs/server.md` is for operators, `docs/imm.md` says
//! what is served.

mod access;
mod action;
mod auth;
mod fault;
pub mod http;
mod inline;
mod limiter;
mod listen;
mod log;
mod metrics;
mod mns;
mod nonce;
mod openapi;
mod options;
mod params;
mod receivers;
mod service;
pub mod sign;
mod state;
mod store_events;
mod tls;

pub use access::{AccessKeys, Grant, Issued, NewKey, Role, SealKey};
pub use action::{ACTIONS, Action, Kind, Need, Param, UNSERVED, read_changed_file, read_input_file};
pub use fault::status_of;
pub use listen::Server;
pub use log::Log;
pub use openapi::document as openapi;
pub use options::{Options, TlsFiles};
pub use params::Params;
pub use sign::Clock;
pub use store_events::EventToken;
