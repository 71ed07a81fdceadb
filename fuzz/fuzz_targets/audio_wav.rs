//! Any bytes as WAV, RF64 and BW64.
// covers: src/extract/audio/wav.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::audio::wav, data));
