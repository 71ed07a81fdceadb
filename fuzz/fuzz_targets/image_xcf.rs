//! Any bytes as XCF.
// covers: src/extract/image/xcf.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::image::xcf::parse, data));
