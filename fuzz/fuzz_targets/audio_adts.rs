//! Any bytes as AAC in ADTS frames.
// covers: src/extract/audio/adts.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::audio::adts, data));
