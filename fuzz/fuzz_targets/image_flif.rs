//! Any bytes as FLIF.
// covers: src/extract/image/flif.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::image::flif::parse, data));
