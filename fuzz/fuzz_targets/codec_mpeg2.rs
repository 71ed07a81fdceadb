//! Any bytes as headers of mpeg2video.
// covers: src/extract/bitstream/mpeg2.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::header(&["mpeg2video"], data));
