//! Documents in packages: what the bytes say becomes the parts of an archive, so that the XML inside is reached.
// covers: src/extract/document/ooxml.rs src/extract/document/odf.rs src/extract/document/epub.rs src/extract/document/xml.rs
#![no_main]

use libfuzzer_sys::fuzz_target;
use medialith::extract::{Parse, document};

/// Parts that the parsers look for, by the kind of package.
const KINDS: [&[&str]; 5] = [
    &["[Content_Types].xml", "_rels/.rels", "docProps/core.xml", "docProps/app.xml", "word/document.xml"],
    &["[Content_Types].xml", "docProps/core.xml", "xl/workbook.xml", "xl/sharedStrings.xml"],
    &["[Content_Types].xml", "docProps/core.xml", "ppt/presentation.xml", "ppt/slides/slide1.xml"],
    &["META-INF/container.xml", "OEBPS/content.opf", "OEBPS/a.xhtml", "META-INF/encryption.xml"],
    &["META-INF/manifest.xml", "meta.xml", "content.xml"],
];

const PARSERS: [Parse; 5] = [document::docx, document::xlsx, document::pptx, document::epub, document::odf];

fuzz_target!(|data: &[u8]| {
    let Some((choice, rest)) = data.split_first() else { return };
    let kind = usize::from(*choice) % KINDS.len();
    // The parts are what stands between bytes that no text holds.
    let parts = rest.split(|byte| *byte == 0xFF).chain(std::iter::repeat(&b""[..]));
    let entries: Vec<(&str, &[u8])> = KINDS[kind].iter().copied().zip(parts).collect();
    medialith_fuzz::parse(PARSERS[kind], &stored(&entries));
});

/// An archive of those entries, stored (APPNOTE 4.3).
fn stored(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in entries {
        let at = (bytes.len() as u32).to_le_bytes();
        let size = (content.len() as u32).to_le_bytes();
        let len = (name.len() as u16).to_le_bytes();
        let common = [&b"\x14\0\0\0\0\0\0\0\0\0\0\0\0\0"[..], &size, &size, &len, &[0, 0]].concat();
        bytes.extend([&b"PK\x03\x04"[..], &common, name.as_bytes(), content].concat());
        directory.extend([&b"PK\x01\x02\x14\0"[..], &common, &[0; 10], &at, name.as_bytes()].concat());
    }
    let count = (entries.len() as u16).to_le_bytes();
    let place = [(directory.len() as u32).to_le_bytes(), (bytes.len() as u32).to_le_bytes()].concat();
    let end = [&b"PK\x05\x06\0\0\0\0"[..], &count, &count, &place, &[0, 0]].concat();
    [bytes, directory, end].concat()
}
