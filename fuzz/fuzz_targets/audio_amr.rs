//! Any bytes as AMR.
// covers: src/extract/audio/plain.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::audio::amr, data));
