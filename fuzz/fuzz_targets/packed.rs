//! Single packed files: gzip, bzip2, xz, Zstandard, LZ4.
// covers: src/extract/archive/packed.rs src/extract/archive/vint.rs
#![no_main]

use libfuzzer_sys::fuzz_target;
use medialith::extract::{Parse, archive};

const PARSERS: [Parse; 5] = [archive::gzip, archive::bzip2, archive::xz, archive::zstd, archive::lz4];

fuzz_target!(|data: &[u8]| {
    let Some((choice, bytes)) = data.split_first() else { return };
    medialith_fuzz::parse(PARSERS[usize::from(*choice) % PARSERS.len()], bytes);
});
