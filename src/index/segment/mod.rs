//! One immutable segment: sections in a checksummed container, in memory or mapped from a file of ours.

mod format;
mod map;
mod reader;
mod writer;

pub use reader::Segment;
pub(crate) use writer::{Content, write};
