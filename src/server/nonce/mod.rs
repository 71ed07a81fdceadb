//! Nonces that were used: each request is answered once, also after a restart.
//!
//! `memory` decides and bounds, `journal` is what a restart reads.

mod journal;
mod memory;

pub(super) use memory::{Nonces, Seen};
