//! Bytes, and how they land on disk: order-preserving keys, bounded cursors, frames with checksums, durable files.
//!
//! Knows no nouns of the model and no store. Every layout written through here is described in `docs/format.md`.

pub mod bin;
pub mod file;
pub mod frame;
pub mod order;
mod read;
pub mod take;

pub use read::ReadAt;
pub use take::Take;
