//! Any bytes as Standard MIDI.
// covers: src/extract/audio/midi.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::audio::midi, data));
