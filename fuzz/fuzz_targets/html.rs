//! HTML pages.
// covers: src/extract/document/html.rs
#![no_main]

use libfuzzer_sys::fuzz_target;
use medialith::extract::document;

fuzz_target!(|data: &[u8]| medialith_fuzz::parse(document::html, data));
