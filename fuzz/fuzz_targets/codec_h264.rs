//! Any bytes as headers of h264.
// covers: src/extract/bitstream/h264.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::header(&["h264"], data));
