//! Video files, and sound in the same containers: tracks, lengths, tags, times and places.

mod asf;
mod avi;
mod dv;
mod elementary;
mod flv;
mod hls;
mod matroska;
mod mp4;
mod mpeg;
mod mxf;
mod real;

pub use asf::parse as asf;
pub use avi::parse as avi;
pub use dv::parse as dv;
pub use elementary::{av1, h264, hevc, ivf, mpeg4};
pub use flv::parse as flv;
pub use hls::{Named, Part, Variant, local, parse as hls};
pub use matroska::parse as matroska;
pub use mp4::parse as mp4;
pub use mpeg::{program_stream, transport_stream};
pub use mxf::parse as mxf;
pub use real::{audio as real_audio, media as real_media};
