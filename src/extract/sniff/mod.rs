//! What a file is: by its first bytes, then by its structure; the name's extension only breaks ties.

mod brands;
mod extension;
mod format;
mod frames;
mod magic;
mod packages;
mod text;

pub use format::{Format, MediaType};

use super::input::Input;
use super::warning::Parsed;
use file_format::FileFormat;

/// Bytes of the head that are looked at: more than the furthest signature, enough for a text's first lines.
const HEAD: u64 = 4096;
/// Bytes that the crate `file-format` may read. Its furthest signature (ISO 9660) lies at 32,769.
const FOREIGN: u64 = 64 << 10;

/// Names the format of the file. The cursor may be anywhere afterwards.
pub fn sniff(input: &mut Input<'_>, name: &str) -> Parsed<Format> {
    input.set_format("sniff");
    let head = input.peek_up_to(HEAD)?.to_vec();
    let extension = extension::of(name);
    if head.is_empty() {
        return Ok(Format::Unknown);
    }
    let format = match magic::find(&head) {
        Some(format) => structure(format, &head, input)?,
        None => unsigned(&head, input, &extension)?,
    };
    Ok(extension::refine(format, &extension))
}

/// Looks inside containers that hold several formats.
fn structure(format: Format, head: &[u8], input: &mut Input<'_>) -> Parsed<Format> {
    Ok(match format {
        Format::Zip => packages::zip(input)?,
        Format::Ole => packages::ole(input)?,
        Format::Mkv => frames::ebml(head),
        Format::Ogg => frames::ogg(head),
        Format::Wmv => frames::asf(head),
        Format::Ico | Format::Cur if !frames::is_icon(head) => Format::Unknown,
        Format::Bzip2 if !frames::is_bzip2(head) => Format::Unknown,
        other => other,
    })
}

/// Formats without a signature at a fixed place.
fn unsigned(head: &[u8], input: &mut Input<'_>, extension: &str) -> Parsed<Format> {
    let found = brands::bmff(head).or_else(|| frames::netpbm(head)).or_else(|| frames::mpeg_ts(head));
    if let Some(format) = found {
        return Ok(format);
    }
    if let Some(format) = frames::mpeg_audio(head, input)? {
        return Ok(format);
    }
    if let Some(format) = text::text(head, extension) {
        return Ok(format);
    }
    foreign(input)
}

/// The rarer rest: the crate's table of some hundred signatures, behind a small share of bytes.
fn foreign(input: &mut Input<'_>) -> Parsed<Format> {
    input.rewind();
    let found = FileFormat::from_reader(input.reader_of(FOREIGN));
    input.check()?;
    Ok(match found {
        Ok(FileFormat::ArbitraryBinaryData | FileFormat::Empty) | Err(_) => Format::Unknown,
        Ok(FileFormat::PlainText) => Format::Text,
        // The crate lends its names only through its static tables.
        Ok(other) => {
            let known = FileFormat::from_kind(other.kind()).iter().find(|known| **known == other);
            known.map_or(Format::Unknown, Format::Named)
        }
    })
}
