//! 7z archives: packed headers too.
// covers: src/extract/archive/seven.rs
#![no_main]

use libfuzzer_sys::fuzz_target;
use medialith::extract::archive;

#[path = "../parser.rs"]
mod parser;

fuzz_target!(|data: &[u8]| parser::run(data, archive::seven));
