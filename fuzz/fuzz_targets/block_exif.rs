//! Any bytes as an EXIF block.
// covers: src/extract/embedded/exif src/extract/container/tiff.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::embedded::exif::parse, data));
