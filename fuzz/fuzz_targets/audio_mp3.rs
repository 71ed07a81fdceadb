//! Any bytes as MPEG audio between ID3 and APE tags.
// covers: src/extract/audio/mpeg.rs src/extract/audio/id3 src/extract/audio/ape_tag.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::audio::mpeg, data));
