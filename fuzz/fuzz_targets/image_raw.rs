//! Any bytes as a camera's raw file in TIFF's shape.
// covers: src/extract/image/tiff.rs src/extract/container/tiff.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::image::tiff::raw, data));
