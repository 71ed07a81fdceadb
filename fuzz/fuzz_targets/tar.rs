//! Tar archives of every dialect.
// covers: src/extract/archive/tar.rs
#![no_main]

use libfuzzer_sys::fuzz_target;
use medialith::extract::archive;

#[path = "../parser.rs"]
mod parser;

fuzz_target!(|data: &[u8]| parser::run(data, archive::tar));
