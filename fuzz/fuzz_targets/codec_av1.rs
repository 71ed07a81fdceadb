//! Any bytes as headers of av1.
// covers: src/extract/bitstream/av1.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::header(&["av1"], data));
