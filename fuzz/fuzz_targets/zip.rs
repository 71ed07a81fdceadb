//! ZIP archives: directories, local headers, 64-bit fields.
// covers: src/extract/container/zip.rs src/extract/archive/zip.rs
#![no_main]

use libfuzzer_sys::fuzz_target;
use medialith::extract::archive;

#[path = "../parser.rs"]
mod parser;

fuzz_target!(|data: &[u8]| parser::run(data, archive::zip));
