//! Any bytes as DV.
// covers: src/extract/video/dv.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::video::dv, data));
