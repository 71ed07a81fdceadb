//! The container: magic and version, sections, a table of contents with a checksum each, a footer.
//!
//! Layout and numbers: `docs/format.md`, "Segment file".

use crate::error::{Error, ErrorKind, Result};
use crate::index::varint;

/// First bytes of a segment.
pub(crate) const MAGIC: [u8; 6] = *b"MLSEG\0";
/// Format version, after the magic.
pub(crate) const VERSION: u16 = 4;
/// The checksum of the footer covers the version from this one on.
const SEALED_VERSION: u16 = 3;
/// Bytes of magic and version.
pub(crate) const HEADER_LEN: usize = 8;
/// Bytes of the footer: table offset, table length, table checksum, documents, magic.
pub(crate) const FOOTER_LEN: usize = 8 + 4 + 4 + 4 + 6;

/// What a section holds. Numbers are on disk: never changed (a test freezes them).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub(crate) enum SectionKind {
    /// Of format versions 1 to 3; no longer written.
    Uris = 1,
    RunStarts = 2,
    RunFilenames = 3,
    FoldedFilenames = 4,
    Folders = 5,
    FolderGrams = 6,
    /// Of format version 1: an FST of the words; no longer read.
    OldFolderWords = 7,
    Names = 8,
    NameGrams = 9,
    OldNameWords = 10,
    Elements = 11,
    Dictionary = 12,
    Folded = 13,
    Ordinals = 14,
    Postings = 15,
    Plain = 16,
    TextGrams = 17,
    OldTextWords = 18,
    Numbers = 19,
    FolderShared = 20,
    FolderFrequent = 21,
    NameFrequent = 22,
    TextFrequent = 23,
    Order = 24,
    Places = 25,
    FolderWords = 26,
    NameWords = 27,
    TextWords = 28,
    Digits = 29,
    Pairs = 30,
    FolderSpellings = 31,
    NameSpellings = 32,
    Fences = 33,
    FenceRuns = 34,
}

impl SectionKind {
    /// Greater than the number of any kind.
    pub(crate) const NUMBERS: usize = SectionKind::ALL.len() + 1;
    const ALL: [SectionKind; 34] = [
        SectionKind::Uris,
        SectionKind::RunStarts,
        SectionKind::RunFilenames,
        SectionKind::FoldedFilenames,
        SectionKind::Folders,
        SectionKind::FolderGrams,
        SectionKind::OldFolderWords,
        SectionKind::Names,
        SectionKind::NameGrams,
        SectionKind::OldNameWords,
        SectionKind::Elements,
        SectionKind::Dictionary,
        SectionKind::Folded,
        SectionKind::Ordinals,
        SectionKind::Postings,
        SectionKind::Plain,
        SectionKind::TextGrams,
        SectionKind::OldTextWords,
        SectionKind::Numbers,
        SectionKind::FolderShared,
        SectionKind::FolderFrequent,
        SectionKind::NameFrequent,
        SectionKind::TextFrequent,
        SectionKind::Order,
        SectionKind::Places,
        SectionKind::FolderWords,
        SectionKind::NameWords,
        SectionKind::TextWords,
        SectionKind::Digits,
        SectionKind::Pairs,
        SectionKind::FolderSpellings,
        SectionKind::NameSpellings,
        SectionKind::Fences,
        SectionKind::FenceRuns,
    ];
}

impl TryFrom<u8> for SectionKind {
    type Error = Error;
    fn try_from(tag: u8) -> Result<SectionKind> {
        let found = SectionKind::ALL.into_iter().find(|kind| *kind as u8 == tag);
        found.ok_or_else(|| Error::corrupted(format!("segment: expected a section of this version, got kind {tag}")))
    }
}

/// Names a section: its kind, the field it belongs to (0 for none), and which part of the field's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SectionId {
    pub(crate) kind: SectionKind,
    pub(crate) field: u16,
    pub(crate) part: u8,
}

/// One row of the table of contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SectionRow {
    pub(crate) id: SectionId,
    pub(crate) offset: u64,
    pub(crate) len: u64,
    pub(crate) checksum: u32,
}

/// Encodes table and footer.
pub(crate) fn encode_tail(rows: &[SectionRow], table_offset: u64, docs: u32) -> Vec<u8> {
    let mut table = Vec::new();
    varint::put(&mut table, rows.len() as u64);
    for row in rows {
        table.push(row.id.kind as u8);
        table.push(row.id.part);
        varint::put(&mut table, u64::from(row.id.field));
        varint::put(&mut table, row.offset);
        varint::put(&mut table, row.len);
        table.extend_from_slice(&row.checksum.to_le_bytes());
    }
    let len = table.len() as u32;
    let checksum = crc32fast::hash(&table).to_le_bytes();
    let mut footer = Vec::with_capacity(FOOTER_LEN);
    footer.extend_from_slice(&table_offset.to_le_bytes());
    footer.extend_from_slice(&len.to_le_bytes());
    footer.extend_from_slice(&docs.to_le_bytes());
    let sealed = crc32fast::hash(&[footer.as_slice(), &checksum, &VERSION.to_le_bytes()].concat());
    footer.extend_from_slice(&sealed.to_le_bytes());
    footer.extend_from_slice(&MAGIC);
    table.extend_from_slice(&footer);
    table
}

/// Reads and checks header, footer and table; sections are checked on first use.
pub(crate) fn decode(bytes: &[u8]) -> Result<(Vec<SectionRow>, u32)> {
    let short = || {
        Error::corrupted(format!("segment: expected at least {} bytes, got {}", HEADER_LEN + FOOTER_LEN, bytes.len()))
    };
    let (body, footer) =
        bytes.split_at_checked(bytes.len().checked_sub(FOOTER_LEN).ok_or_else(short)?).ok_or_else(short)?;
    let magic = body.get(..MAGIC.len()).ok_or_else(short)?;
    if magic != MAGIC || footer.get(FOOTER_LEN - MAGIC.len()..) != Some(&MAGIC) {
        return Err(Error::corrupted("segment: expected the segment magic at both ends, got other bytes"));
    }
    let version = u16::from_le_bytes(array(body, MAGIC.len()).ok_or_else(short)?);
    if version == 0 {
        return Err(Error::corrupted(format!("segment: expected a format version from 1 to {VERSION}, got 0")));
    }
    if version > VERSION {
        let text = format!("segment: this version reads formats up to {VERSION}, the file is format {version}");
        return Err(Error::new(ErrorKind::UnsupportedVersion, text));
    }
    let offset = u64::from_le_bytes(array(footer, 0).ok_or_else(short)?) as usize;
    let len = u32::from_le_bytes(array(footer, 8).ok_or_else(short)?) as usize;
    let docs = u32::from_le_bytes(array(footer, 12).ok_or_else(short)?);
    let sealed = u32::from_le_bytes(array(footer, 16).ok_or_else(short)?);
    let table = offset.checked_add(len).filter(|end| *end == body.len()).and_then(|end| body.get(offset..end));
    let mut table = table.ok_or_else(|| {
        Error::corrupted(format!("segment: table at {offset}, {len} bytes, does not end at the footer"))
    })?;
    let checksum = crc32fast::hash(table).to_le_bytes();
    // A version that turned into another readable one would not be noticed otherwise.
    let covered = version.to_le_bytes();
    let covered = if version < SEALED_VERSION { &[] } else { covered.as_slice() };
    let found = crc32fast::hash(&[footer.get(..16).unwrap_or(&[]), &checksum, covered].concat());
    if found != sealed {
        return Err(Error::corrupted(format!("segment: table checksum is {found:08x}, expected {sealed:08x}")));
    }
    let count = varint::take(&mut table)?;
    let mut rows = Vec::new();
    for _ in 0..count {
        rows.push(decode_row(&mut table, offset as u64)?);
    }
    Ok((rows, docs))
}

fn decode_row(table: &mut &[u8], end: u64) -> Result<SectionRow> {
    let head = varint::take_bytes(table, 2)?;
    let (kind, part) = (head.first().copied().unwrap_or(0), head.get(1).copied().unwrap_or(0));
    let field = varint::take(table)? as u16;
    let (offset, len) = (varint::take(table)?, varint::take(table)?);
    let checksum = u32::from_le_bytes(array(varint::take_bytes(table, 4)?, 0).unwrap_or_default());
    if offset.checked_add(len).is_none_or(|to| to > end) {
        return Err(Error::corrupted(format!("segment: section at {offset}, {len} bytes, is outside the file")));
    }
    Ok(SectionRow { id: SectionId { kind: SectionKind::try_from(kind)?, field, part }, offset, len, checksum })
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_frozen() {
        let numbers: Vec<u8> = SectionKind::ALL.iter().map(|k| *k as u8).collect();
        assert_eq!(numbers, (1..=34).collect::<Vec<u8>>());
        assert!(SectionKind::try_from(0).is_err() && SectionKind::try_from(35).is_err());
    }
}
