//! Any bytes as Matroska and WebM.
// covers: src/extract/video/matroska src/extract/container/ebml.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::video::matroska, data));
