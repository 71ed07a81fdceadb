//! Any bytes as headers of vp8 and vp9.
// covers: src/extract/bitstream/vpx.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::header(&["vp8", "vp9"], data));
