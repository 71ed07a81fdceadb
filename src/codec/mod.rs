//! Bytes, and how they land on disk: order-preserving keys, frames with checksums, durable files.

mod read;

pub use read::ReadAt;
