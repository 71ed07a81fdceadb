//! Any bytes as MXF.
// covers: src/extract/video/mxf.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::video::mxf, data));
