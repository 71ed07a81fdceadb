//! PDF documents: tables of objects, filters, fonts, content streams.
// covers: src/extract/document/pdf
#![no_main]

use libfuzzer_sys::fuzz_target;
use medialith::extract::document;

#[path = "../parser.rs"]
mod parser;

fuzz_target!(|data: &[u8]| parser::run(data, document::pdf));
