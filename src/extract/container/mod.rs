//! Walkers of structures that several formats share. A walker knows its container, not what a format does with it.

pub mod asf;
pub mod bmff;
pub mod ebml;
pub mod ole;
pub mod pes;
pub mod riff;
pub mod tiff;
pub mod zip;
