//! Any bytes as AIFF and AIFF-C.
// covers: src/extract/audio/aiff.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::audio::aiff, data));
