//! Any bytes as MPEG program streams.
// covers: src/extract/video/mpeg src/extract/container/pes.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::video::program_stream, data));
