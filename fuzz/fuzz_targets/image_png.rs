//! Any bytes as PNG.
// covers: src/extract/image/png.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::image::png::parse, data));
