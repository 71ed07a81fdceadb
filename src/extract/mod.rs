//! Bytes of a media file to facts, and facts to members of the File document. Knows no store, no network.
//!
//! [`extract`] never fails a file: whatever the bytes are, it returns what could be read and warnings for the rest.
#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::as_conversions, clippy::string_slice)
)]

mod input;
mod limits;
mod reader;
mod warning;

pub mod sniff;

mod facts;

pub mod archive;
pub mod audio;
pub mod bitstream;
pub mod container;
pub mod document;
pub mod embedded;
pub mod image;
pub mod stream;
pub mod video;

pub mod pool;

#[cfg(test)]
mod tried;

mod credits;
mod digest;
mod exif_text;
mod labels;
mod resolve;
mod run;

/// Version of what parsers do with hostile bytes: raised when a file that cost a worker may be worth another try. The version
/// of the crate counts as well.
pub const VERSION: u32 = 1;

pub use credits::CREDITS;
pub use digest::{Digests, FileHash};
pub use facts::{Datum, Fact, Facts, Group, Moment};
pub use input::Input;
pub(crate) use input::length;
pub use limits::Limits;
pub use reader::Reader;
pub use resolve::PRECEDENCE;
pub use run::{Extracted, Hint, Options, Parse, extract, extract_with};
pub use sniff::{Format, MediaType};
pub use warning::{Parsed, Stop, Warning};
