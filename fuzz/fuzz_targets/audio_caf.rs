//! Any bytes as Core Audio files.
// covers: src/extract/audio/symphonic.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::audio::caf, data));
