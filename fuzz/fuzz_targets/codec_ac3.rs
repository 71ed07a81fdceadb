//! Any bytes as headers of ac3.
// covers: src/extract/bitstream/ac3.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::header(&["ac3"], data));
