//! Any bytes as Paint Shop Pro.
// covers: src/extract/image/psp.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::image::psp::parse, data));
