//! Audio files: properties and tags.
//!
//! The crate `symphonia` reads where it keeps to the head of a file: MPEG audio, ADTS, CAF, and ID3v2. Own walkers
//! read FLAC, Ogg, WAV and AIFF, whose pictures or samples it would read, or whose later parts it would not reach.
//! M4A and Matroska audio are read as the video containers that they are.

mod adts;
mod aiff;
mod covers;
mod flac;
mod id3;
mod mpeg;
mod ogg;
mod pcm;
mod symphonic;
mod tags;
mod wav;

pub use adts::parse as adts;
pub use aiff::parse as aiff;
pub use flac::parse as flac;
pub use mpeg::parse as mpeg;
pub use ogg::parse as ogg;
pub use symphonic::caf;
pub use wav::parse as wav;

pub(super) use covers::cover;
pub(super) use tags::{Tag, tag};
pub(super) use wav::info as riff_info;
