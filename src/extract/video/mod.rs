//! Video files, and sound in the same containers: tracks, lengths, tags, times and places.

mod matroska;
mod mp4;

pub use matroska::parse as matroska;
pub use mp4::parse as mp4;
