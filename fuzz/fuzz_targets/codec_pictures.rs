//! Any bytes as pictures of Motion JPEG and ProRes.
// covers: src/extract/bitstream/mjpeg.rs src/extract/bitstream/prores.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::header(&["mjpeg", "prores"], data));
