//! ZIP archives: directories, local headers, 64-bit fields.
// covers: src/extract/container/zip.rs src/extract/archive/zip.rs
#![no_main]

use libfuzzer_sys::fuzz_target;
use medialith::extract::archive;

fuzz_target!(|data: &[u8]| medialith_fuzz::parse(archive::zip, data));
