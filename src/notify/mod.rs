//! Telling others: the outbox, and what stands behind it.
//!
//! Owns the numbers of events, and their way to receivers. Must not know files, queries or the wire of the API. How a
//! message goes is told at the head of `outbox`; for users in `docs/notifications.md`.

mod outbox;

pub use outbox::{Announced, MAX_EVENTS, Outbox, OutboxState};
