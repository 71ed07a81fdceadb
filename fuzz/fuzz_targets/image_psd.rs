//! Any bytes as PSD.
// covers: src/extract/image/psd.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::image::psd::parse, data));
