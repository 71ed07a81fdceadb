//! Any bytes as JPEG.
// covers: src/extract/image/jpeg.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::image::jpeg::parse, data));
