//! Any bytes as headers of aac and aac_latm.
// covers: src/extract/bitstream/aac.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::header(&["aac", "aac_latm"], data));
