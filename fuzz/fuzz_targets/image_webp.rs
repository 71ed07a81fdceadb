//! Any bytes as WebP.
// covers: src/extract/image/webp.rs src/extract/container/riff.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::image::webp::parse, data));
