//! Any bytes as headers of hevc.
// covers: src/extract/bitstream/hevc.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::header(&["hevc"], data));
