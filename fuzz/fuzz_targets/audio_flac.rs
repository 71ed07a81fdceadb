//! Any bytes as FLAC.
// covers: src/extract/audio/flac.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::audio::flac, data));
