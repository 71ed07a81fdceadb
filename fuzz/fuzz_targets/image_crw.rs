//! Any bytes as CRW.
// covers: src/extract/image/crw.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::image::crw::parse, data));
