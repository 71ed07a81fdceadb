//! Any bytes as a colour profile.
// covers: src/extract/embedded/icc.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::embedded::icc::parse, data));
