//! Audio files: properties and tags.
//!
//! The crate `symphonia` reads what needs its knowledge of codecs and stays at the head of a file: ADTS. Own
//! walkers read the rest, whose pictures or samples it would read, or whose later parts it would not reach. M4A, WMA
//! and Matroska audio are read as the video containers that they are.

mod adts;
mod aiff;
mod ape_tag;
mod caf;
mod covers;
mod dsd;
mod flac;
mod id3;
mod lossless;
mod midi;
mod monkey;
mod mpeg;
mod musepack;
mod ogg;
mod pcm;
mod plain;
mod symphonic;
mod tags;
mod voc;
mod wav;
mod wavpack;

pub use adts::parse as adts;
pub use aiff::parse as aiff;
pub use caf::parse as caf;
pub use dsd::{dff, dsf};
pub use flac::parse as flac;
pub use lossless::{optim_frog, tak};
pub use midi::parse as midi;
pub use monkey::parse as monkey;
pub use mpeg::parse as mpeg;
pub use musepack::parse as musepack;
pub use ogg::parse as ogg;
pub use plain::{amr, au, dolby, dts, tta};
pub use voc::parse as voc;
pub use wav::{parse as wav, wave64};
pub use wavpack::parse as wavpack;

pub(super) use covers::cover;
pub(super) use id3::genre;
pub(super) use tags::{Found, Tag, tag};
pub(super) use wav::info as riff_info;
