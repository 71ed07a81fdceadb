//! Any bytes as Musepack 7 and 8.
// covers: src/extract/audio/musepack.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::audio::musepack, data));
