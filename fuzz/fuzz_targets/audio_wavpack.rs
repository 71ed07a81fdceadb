//! Any bytes as WavPack.
// covers: src/extract/audio/wavpack.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::audio::wavpack, data));
