//! Headers of codecs as they stand in their bit streams: what containers leave out or say wrongly.
//!
//! Each file reads one codec into a [`Stream`](crate::extract::stream::Stream); none knows a container. What a
//! header does not say stays as the container said it.

mod units;
mod vui;
#[cfg(test)]
mod written;

pub mod aac;
pub mod ac3;
pub mod av1;
pub mod dts;
pub mod h264;
pub mod hevc;
pub mod mjpeg;
pub mod mpeg2;
pub mod mpeg4;
pub mod mpeg_audio;
pub mod pictures;
pub mod prores;
pub mod replication;
pub mod vc1;
pub mod vpx;

mod guess;

pub use guess::{configuration, elementary, first_frame, samples};
