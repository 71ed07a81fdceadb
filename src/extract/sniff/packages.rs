//! ZIP archives and OLE compound files that are documents of some kind.

use super::format::Format;
use crate::extract::input::Input;
use crate::extract::warning::Parsed;

/// Entries of a ZIP archive that are looked at: the telling ones come first in practice.
const ENTRIES: u32 = 64;

/// What a ZIP archive is, by the names of its entries: first by a stored `mimetype` entry (ODF 1.2 part 3, 3.3;
/// EPUB OCF 3.3, 4.3.2), else by parts that only one kind of package has.
pub(super) fn zip(input: &mut Input<'_>) -> Parsed<Format> {
    input.rewind();
    let first = input.peek_up_to(160)?.to_vec();
    if let Some(format) = declared(&first) {
        return Ok(format);
    }
    let mut names = Vec::new();
    // A damaged directory is the archive parser's business; for the kind the local headers must do then.
    if directory(input, &mut names).is_err() || names.is_empty() {
        names.clear();
        let _ = locals(input, &mut names);
    }
    Ok(by_names(&names))
}

/// The content of a `mimetype` entry that comes first, stored and without extra field, as both standards demand.
fn declared(first: &[u8]) -> Option<Format> {
    let name = first.get(30..38)?;
    if name != b"mimetype" {
        return None;
    }
    let content = first.get(38..)?;
    let table: [(&[u8], Format); 5] = [
        (b"application/epub+zip", Format::Epub),
        (b"application/vnd.oasis.opendocument.text", Format::Odt),
        (b"application/vnd.oasis.opendocument.spreadsheet", Format::Ods),
        (b"application/vnd.oasis.opendocument.presentation", Format::Odp),
        (b"application/vnd.oasis.opendocument.graphics", Format::Odg),
    ];
    table.iter().find(|(start, _)| content.starts_with(start)).map(|(_, format)| *format)
}

fn by_names(names: &[Vec<u8>]) -> Format {
    let has = |part: &[u8]| names.iter().any(|name| name.starts_with(part));
    match () {
        () if has(b"word/") => Format::Docx,
        () if has(b"xl/") => Format::Xlsx,
        () if has(b"ppt/") => Format::Pptx,
        () if has(b"AndroidManifest.xml") => Format::Apk,
        () if has(b"META-INF/container.xml") => Format::Epub,
        () if has(b"META-INF/MANIFEST.MF") => Format::Jar,
        () => Format::Zip,
    }
}

/// Names from the central directory (APPNOTE 4.3.12), found through its end record (4.3.16).
fn directory(input: &mut Input<'_>, names: &mut Vec<Vec<u8>>) -> Parsed<()> {
    input.rewind();
    let len = input.end();
    let mut start = None;
    // The end record is 22 bytes long and may be followed by a comment of up to 65,535.
    for tail in [4096_u64, 66_000] {
        let from = len.saturating_sub(tail);
        input.seek(from, "end of central directory")?;
        let bytes = input.take_up_to(tail)?;
        start = bytes.windows(22).rposition(|w| w.starts_with(b"PK\x05\x06")).and_then(|at| {
            let place = bytes.get(at.checked_add(16)?..at.checked_add(20)?)?;
            Some(u64::from(u32::from_le_bytes(place.try_into().ok()?)))
        });
        if start.is_some() || from == 0 {
            break;
        }
    }
    let Some(start) = start else { return Ok(()) };
    input.seek(start, "central directory")?;
    for _ in 0..ENTRIES {
        input.entry()?;
        if input.remaining() < 46 || input.array::<4>("entry")? != *b"PK\x01\x02" {
            break;
        }
        input.skip(24, "entry")?;
        let (name, extra, comment) = (input.u16_le("name")?, input.u16_le("extra")?, input.u16_le("comment")?);
        input.skip(12, "entry")?;
        names.push(input.take(u64::from(name), "name")?);
        input.skip(u64::from(extra).saturating_add(u64::from(comment)), "entry")?;
    }
    Ok(())
}

/// Names from the local headers (APPNOTE 4.3.7), as far as their sizes are known.
fn locals(input: &mut Input<'_>, names: &mut Vec<Vec<u8>>) -> Parsed<()> {
    input.rewind();
    for _ in 0..ENTRIES {
        input.entry()?;
        if input.remaining() < 30 || input.array::<4>("local header")? != *b"PK\x03\x04" {
            break;
        }
        input.skip(14, "local header")?;
        let size = input.u32_le("compressed size")?;
        input.skip(4, "local header")?;
        let (name, extra) = (input.u16_le("name")?, input.u16_le("extra")?);
        names.push(input.take(u64::from(name), "name")?);
        if size == 0 {
            break;
        }
        input.skip(u64::from(extra).saturating_add(u64::from(size)), "entry")?;
    }
    Ok(())
}

/// What an OLE compound file is, by the names in its directory (MS-CFB 2.2 and 2.6).
pub(super) fn ole(input: &mut Input<'_>) -> Parsed<Format> {
    input.rewind();
    input.skip(30, "sector shift")?;
    let shift = u32::from(input.u16_le("sector shift")?);
    input.rewind();
    input.skip(48, "directory start")?;
    let first = u64::from(input.u32_le("directory start")?);
    // Sector 0 stands behind the header, which fills one sector.
    let start = first.saturating_add(1).checked_shl(shift).filter(|_| shift == 9 || shift == 12);
    let Some(start) = start.filter(|start| *start < input.end()) else { return Ok(Format::Ole) };
    input.seek(start, "directory")?;
    let directory = input.take_up_to(4096)?;
    let has = |name: &str| {
        let wide: Vec<u8> = name.bytes().flat_map(|byte| [byte, 0]).collect();
        directory.as_chunks::<128>().0.iter().any(|entry| entry.starts_with(&wide))
    };
    Ok(match () {
        () if has("WordDocument") => Format::Doc,
        () if has("Workbook") || has("Book") => Format::Xls,
        () if has("PowerPoint Document") => Format::Ppt,
        () => Format::Ole,
    })
}
