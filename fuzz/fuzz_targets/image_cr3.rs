//! Any bytes as CR3.
// covers: src/extract/image/raw.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::image::raw::cr3, data));
