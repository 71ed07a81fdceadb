//! Any bytes as Monkey's Audio.
// covers: src/extract/audio/monkey.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::audio::monkey, data));
