//! Any bytes as ICO.
// covers: src/extract/image/ico.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::image::ico::parse, data));
