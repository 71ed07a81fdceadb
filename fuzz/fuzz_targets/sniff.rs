//! Any bytes under any name: a format with a content type comes out.
// covers: src/extract/sniff
#![no_main]

use libfuzzer_sys::fuzz_target;
use medialith::extract::{Input, Limits, sniff};

fuzz_target!(|data: &[u8]| {
    let Some((choice, bytes)) = data.split_first() else { return };
    let names = ["", "a.md", "a.nef", "a.cbz", "a.docx", "a.mka", "a.mp3", "a.tga"];
    let (bytes, limits) = (bytes.to_vec(), Limits::default());
    let mut input = Input::new(&bytes, &limits);
    if let Ok(format) = sniff::sniff(&mut input, names[usize::from(*choice) % names.len()]) {
        assert!(format.content_type().contains('/'), "{format:?}");
    }
    assert!(input.bytes_read() <= limits.bytes, "the budget holds");
});
