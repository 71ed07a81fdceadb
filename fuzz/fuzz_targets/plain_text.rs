//! Texts in any encoding: plain, Markdown, JSON, tables.
// covers: src/extract/document/plain.rs src/extract/document/charset.rs src/extract/document/table.rs
#![no_main]

use libfuzzer_sys::fuzz_target;
use medialith::extract::{Parse, document};

const PARSERS: [Parse; 5] = [document::text, document::markdown, document::json, document::csv, document::tsv];

fuzz_target!(|data: &[u8]| {
    let Some((choice, bytes)) = data.split_first() else { return };
    medialith_fuzz::parse(PARSERS[usize::from(*choice) % PARSERS.len()], bytes);
});
