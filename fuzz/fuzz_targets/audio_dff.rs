//! Any bytes as DSDIFF.
// covers: src/extract/audio/dsd.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::audio::dff, data));
