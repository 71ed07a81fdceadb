//! Compound files and their property sets.
// covers: src/extract/container/ole.rs src/extract/document/office.rs
#![no_main]

use libfuzzer_sys::fuzz_target;
use medialith::extract::document;

fuzz_target!(|data: &[u8]| medialith_fuzz::parse(document::office, data));
