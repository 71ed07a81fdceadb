//! RAR archives, 4 and 5.
// covers: src/extract/archive/rar.rs
#![no_main]

use libfuzzer_sys::fuzz_target;
use medialith::extract::archive;

fuzz_target!(|data: &[u8]| medialith_fuzz::parse(archive::rar, data));
