//! 7z archives: packed headers too.
// covers: src/extract/archive/seven.rs
#![no_main]

use libfuzzer_sys::fuzz_target;
use medialith::extract::archive;

fuzz_target!(|data: &[u8]| medialith_fuzz::parse(archive::seven, data));
