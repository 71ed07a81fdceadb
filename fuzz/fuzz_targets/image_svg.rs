//! Any bytes as SVG.
// covers: src/extract/image/svg.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::image::svg::parse, data));
