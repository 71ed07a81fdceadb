//! Any bytes as GIF.
// covers: src/extract/image/gif.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::image::gif::parse, data));
