//! Any bytes as AVI.
// covers: src/extract/video/avi.rs src/extract/container/riff.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::video::avi, data));
