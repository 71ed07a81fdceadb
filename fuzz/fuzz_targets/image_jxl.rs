//! Any bytes as JPEG XL.
// covers: src/extract/image/jxl.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::image::jxl::parse, data));
