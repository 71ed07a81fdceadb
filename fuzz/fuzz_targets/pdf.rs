//! PDF documents: tables of objects, filters, fonts, content streams.
// covers: src/extract/document/pdf
#![no_main]

use libfuzzer_sys::fuzz_target;
use medialith::extract::document;

fuzz_target!(|data: &[u8]| medialith_fuzz::parse(document::pdf, data));
