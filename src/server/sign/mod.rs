//! Who sent a request, and is it as they sent it: V3 (`ACS3-HMAC-SHA256`) and legacy (`HMAC-SHA1`) signatures (wire.md 2).
//!
//! Pure functions over names and values. Knows nothing of sockets, keys on disk or actions.

pub mod acs3;
mod canonical;
mod clock;
pub mod legacy;
pub mod mns;

pub use canonical::{canonical_query, encode};
pub use clock::Clock;
pub(super) use clock::in_window;
