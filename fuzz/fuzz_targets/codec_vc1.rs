//! Any bytes as headers of vc1 and wmv3.
// covers: src/extract/bitstream/vc1.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::header(&["vc1", "wmv3"], data));
