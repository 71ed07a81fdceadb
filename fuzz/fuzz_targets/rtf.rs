//! Rich text.
// covers: src/extract/document/rtf.rs
#![no_main]

use libfuzzer_sys::fuzz_target;
use medialith::extract::document;

fuzz_target!(|data: &[u8]| medialith_fuzz::parse(document::rtf, data));
