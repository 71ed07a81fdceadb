//! HTML pages.
// covers: src/extract/document/html.rs
#![no_main]

use libfuzzer_sys::fuzz_target;
use medialith::extract::document;

#[path = "../parser.rs"]
mod parser;

fuzz_target!(|data: &[u8]| parser::run(data, document::html));
