//! Any bytes as IPTC datasets.
// covers: src/extract/embedded/iptc.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::embedded::iptc::parse, data));
