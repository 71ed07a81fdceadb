//! Any bytes as JPEG 2000.
// covers: src/extract/image/jp2.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::image::jp2::parse, data));
