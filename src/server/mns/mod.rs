//! The MNS API on the wire: queues and topics over HTTP and XML, as the official MNS SDKs speak it (notifications.md 6).
//!
//! Lives on the listener of the IMM API, below `/queues` and `/topics`, with its access keys and roles. What it serves is
//! told in `docs/notifications.md`.

mod auth;
mod fault;
mod queue;
mod ring;
mod route;
mod topic;
mod xml;

/// Version of the API.
pub(super) const VERSION: &str = "2015-06-06";
/// Type of its documents.
pub(super) const CONTENT_TYPE: &str = "text/xml;charset=UTF-8";

pub(super) use fault::MnsFault;
pub(super) use ring::Ringer;
pub(super) use route::{Answer, Served, is_path, receive_again, serve};
