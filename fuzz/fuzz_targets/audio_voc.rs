//! Any bytes as Creative Voice files.
// covers: src/extract/audio/voc.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::audio::voc, data));
