//! Any bytes as MRW.
// covers: src/extract/image/raw.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::image::raw::mrw, data));
