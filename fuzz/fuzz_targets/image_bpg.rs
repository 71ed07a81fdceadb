//! Any bytes as BPG.
// covers: src/extract/image/bpg.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::image::bpg::parse, data));
