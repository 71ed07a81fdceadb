//! Any bytes as Windows Media.
// covers: src/extract/video/asf src/extract/container/asf.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::video::asf, data));
