//! Any bytes as HEIF or AVIF.
// covers: src/extract/image/heif src/extract/container/bmff.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::image::heif::parse, data));
