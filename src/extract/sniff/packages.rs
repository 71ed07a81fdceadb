//! ZIP archives and OLE compound files that are documents of some kind.

use super::format::Format;
use crate::extract::container::ole;
use crate::extract::container::zip::{self, Entry};
use crate::extract::input::Input;
use crate::extract::warning::Parsed;

/// Entries of a ZIP archive that are looked at: the telling ones come first in practice.
const ENTRIES: u32 = 64;

/// What a ZIP archive is, by the names of its entries: first by a stored `mimetype` entry (ODF 1.2 part 3, 3.3;
/// EPUB OCF 3.3, 4.3.2), else by parts that only one kind of package has.
pub(super) fn package(input: &mut Input<'_>) -> Parsed<Format> {
    input.rewind();
    let first = input.peek_up_to(160)?.to_vec();
    if let Some(format) = declared(&first) {
        return Ok(format);
    }
    // A damaged directory is the archive parser's business; for the kind the local headers must do then.
    let entries = match zip::directory(input, ENTRIES) {
        Ok(found) if !found.entries.is_empty() => found.entries,
        _ => zip::locals(input, ENTRIES).unwrap_or_default(),
    };
    // Some writers put the entry elsewhere, or pack it.
    if let Some(entry) = entries.iter().find(|entry| entry.name == b"mimetype")
        && let Ok(content) = zip::unpack(input, entry, 80)
        && let Some(format) = by_type(&content)
    {
        return Ok(format);
    }
    Ok(by_names(&entries))
}

/// The content of a `mimetype` entry that comes first, stored and without extra field, as both standards demand.
fn declared(first: &[u8]) -> Option<Format> {
    let name = first.get(30..38)?;
    if name != b"mimetype" {
        return None;
    }
    by_type(first.get(38..)?)
}

fn by_type(content: &[u8]) -> Option<Format> {
    let table: [(&[u8], Format); 7] = [
        (b"application/x-krita", Format::Krita),
        (b"image/openraster", Format::OpenRaster),
        (b"application/epub+zip", Format::Epub),
        (b"application/vnd.oasis.opendocument.text", Format::Odt),
        (b"application/vnd.oasis.opendocument.spreadsheet", Format::Ods),
        (b"application/vnd.oasis.opendocument.presentation", Format::Odp),
        (b"application/vnd.oasis.opendocument.graphics", Format::Odg),
    ];
    table.iter().find(|(start, _)| content.starts_with(start)).map(|(_, format)| *format)
}

fn by_names(entries: &[Entry]) -> Format {
    let has = |part: &[u8]| entries.iter().any(|entry| entry.name.starts_with(part));
    match () {
        () if has(b"word/") => Format::Docx,
        () if has(b"xl/") => Format::Xlsx,
        () if has(b"ppt/") => Format::Pptx,
        () if has(b"3D/") && has(b"[Content_Types].xml") => Format::Model3mf,
        () if has(b"FixedDocSeq") || has(b"FixedDocumentSequence") || has(b"Documents/1/FixedDoc") => Format::Xps,
        () if has(b"AndroidManifest.xml") => Format::Apk,
        () if has(b"META-INF/container.xml") => Format::Epub,
        () if has(b"META-INF/MANIFEST.MF") => Format::Jar,
        () => Format::Zip,
    }
}

/// What an OLE compound file is, by the names of its streams.
pub(super) fn ole(input: &mut Input<'_>) -> Parsed<Format> {
    let Ok(file) = ole::open(input) else { return Ok(Format::Ole) };
    let has = |name: &str| file.find(name).is_some();
    Ok(match () {
        () if has("WordDocument") => Format::Doc,
        () if has("Workbook") || has("Book") => Format::Xls,
        () if has("PowerPoint Document") => Format::Ppt,
        () => Format::Ole,
    })
}
