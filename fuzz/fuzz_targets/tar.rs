//! Tar archives of every dialect.
// covers: src/extract/archive/tar.rs
#![no_main]

use libfuzzer_sys::fuzz_target;
use medialith::extract::archive;

fuzz_target!(|data: &[u8]| medialith_fuzz::parse(archive::tar, data));
