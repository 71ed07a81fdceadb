//! Any bytes as ISO base media and QuickTime.
// covers: src/extract/video/mp4 src/extract/container/bmff.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::video::mp4, data));
