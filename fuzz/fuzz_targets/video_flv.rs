//! Any bytes as Flash video.
// covers: src/extract/video/flv.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::video::flv, data));
