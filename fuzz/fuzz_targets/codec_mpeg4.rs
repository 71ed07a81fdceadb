//! Any bytes as headers of mpeg4 and flv1.
// covers: src/extract/bitstream/mpeg4.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::header(&["mpeg4", "flv1"], data));
