//! Any bytes as headers of mp3.
// covers: src/extract/bitstream/mpeg_audio.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::header(&["mp3"], data));
