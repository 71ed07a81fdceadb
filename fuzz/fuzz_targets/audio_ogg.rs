//! Any bytes as Ogg with its codecs.
// covers: src/extract/audio/ogg
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::audio::ogg, data));
