//! Any bytes as BMP.
// covers: src/extract/image/bmp.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::image::bmp::parse, data));
