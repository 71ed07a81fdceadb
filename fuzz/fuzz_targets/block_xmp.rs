//! Any bytes as an XMP packet.
// covers: src/extract/embedded/xmp
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| medialith_fuzz::parse(medialith::extract::embedded::xmp::parse, data));
