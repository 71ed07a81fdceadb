//! Rich text.
// covers: src/extract/document/rtf.rs
#![no_main]

use libfuzzer_sys::fuzz_target;
use medialith::extract::document;

#[path = "../parser.rs"]
mod parser;

fuzz_target!(|data: &[u8]| parser::run(data, document::rtf));
