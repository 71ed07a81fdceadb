//! Any bytes as Photoshop's resources.
// covers: src/extract/embedded/photoshop.rs
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::embedded::photoshop::parse, data));
