//! Reads a segment: finds sections, verifies each before its first use.

use super::format::{self, SectionId, SectionKind, SectionRow};
use super::map::Bytes;
use crate::error::{Error, Result};
use crate::index::DocId;
use crate::index::arena::Arena;
use crate::index::column::{ColumnId, Part};
use crate::index::frequent::Frequent;
use crate::index::grams::Grams;
use crate::index::keys::KeyColumn;
use crate::index::numbers::NumberColumn;
use crate::index::order::Order;
use crate::index::packed::Packed;
use crate::index::pairs::Pairs;
use crate::index::paths::Paths;
use crate::index::places::Places;
use crate::index::text_column::TextColumn;
use crate::index::uris::{FrontCoded, Spelled, Uris};
use crate::index::words::Words;
use crate::model::FieldId;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// An immutable segment. Cheap to share behind an `Arc`.
pub struct Segment {
    bytes: Bytes,
    rows: Vec<SectionRow>,
    /// Place in `rows` + 1 of the sections that belong to no field, by kind: those are asked for all the time.
    plain: [u16; SectionKind::NUMBERS],
    verified: Vec<AtomicBool>,
    /// The largest slot of each section that is a column of numbers, once it was asked for.
    largest: Vec<OnceLock<u64>>,
    docs: u32,
}

impl std::fmt::Debug for Segment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Segment").field("docs", &self.docs).field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}

impl Segment {
    /// A segment of bytes in memory.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Segment> {
        Segment::new(Bytes::Owned(bytes))
    }

    /// Maps a segment file. Reads header, footer and table; sections are verified on first use.
    pub fn open(path: &Path) -> Result<Segment> {
        let named = |e: Error| Error::new(e.kind(), format!("{}: {}", path.display(), e.message()));
        Segment::new(Bytes::map(path)?).map_err(named)
    }

    /// Lets the system take back the memory of what was read from a segment file; it is read again where it is needed.
    pub fn release_pages(&self) {
        self.bytes.release_pages();
    }

    fn new(bytes: Bytes) -> Result<Segment> {
        let (rows, docs) = format::decode(&bytes)?;
        let verified = rows.iter().map(|_| AtomicBool::new(false)).collect();
        let largest = rows.iter().map(|_| OnceLock::new()).collect();
        let mut plain = [0; SectionKind::NUMBERS];
        for (row, place) in rows.iter().zip(1..).filter(|(row, _)| (row.id.field, row.id.part) == (0, 0)) {
            plain.get_mut(row.id.kind as usize).into_iter().for_each(|slot| *slot = place);
        }
        let segment = Segment { bytes, rows, plain, verified, largest, docs };
        let starts = Packed::new(segment.needed(SectionKind::RunStarts)?)?;
        let counted = starts.get(starts.len().saturating_sub(1));
        if counted != u64::from(docs) {
            return Err(Error::corrupted(format!("segment: {docs} documents, {counted} in its folders")));
        }
        Ok(segment)
    }

    /// Number of documents, deleted ones included.
    pub fn len(&self) -> u32 {
        self.docs
    }

    /// Whether there is no document.
    pub fn is_empty(&self) -> bool {
        self.docs == 0
    }

    /// Bytes in memory or on disk.
    pub fn size_bytes(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Bytes held in memory by this process: 0 for a mapped file.
    pub fn memory_bytes(&self) -> u64 {
        if let Bytes::Owned(bytes) = &self.bytes { bytes.len() as u64 } else { 0 }
    }

    /// Name and size in bytes of every section, for reports.
    pub fn section_sizes(&self) -> Vec<(String, u64)> {
        let name = |id: SectionId| match FieldId::from_number(id.field) {
            Some(field) => format!("{:?} of {field}", id.kind),
            None => format!("{:?}", id.kind),
        };
        self.rows.iter().map(|row| (name(row.id), row.len)).collect()
    }

    /// Checks every section's checksum and structure.
    pub fn verify(&self) -> Result<()> {
        for row in &self.rows {
            self.section(row.id)?;
        }
        self.paths()?;
        self.folders()?;
        self.names()?;
        for column in self.columns() {
            if column.is_numeric() {
                self.numbers(column)?;
                self.order(column)?;
                self.places(column.field)?;
            } else if let Some(KeyColumn::Dictionary { folded, .. }) = self.keys(column)? {
                self.values(column, folded)?;
            }
        }
        let mut uris = self.uris()?.from(0)?;
        let mut last = Vec::new();
        let mut count = 0u32;
        while uris.advance()? {
            if count > 0 && uris.uri <= last {
                return Err(Error::corrupted(format!("segment: URI {count} does not follow the one before")));
            }
            last.clone_from(&uris.uri);
            count += 1;
        }
        Ok(())
    }

    /// The document of a URI.
    pub fn find(&self, uri: &str) -> Result<Option<DocId>> {
        Ok(self.uris()?.find(uri.as_bytes())?.ok().map(|at| DocId(at as u32)))
    }

    /// The URI of a document.
    pub fn uri(&self, doc: DocId) -> Result<String> {
        let bytes = self.uris()?.get(doc.0 as usize)?;
        String::from_utf8(bytes)
            .map_err(|_| Error::corrupted(format!("segment: URI of document {} is not UTF-8", doc.0)))
    }

    /// A section's bytes, verified; `None` where the segment has none.
    pub(crate) fn section(&self, id: SectionId) -> Result<Option<&[u8]>> {
        if (id.field, id.part) == (0, 0) {
            return self.plain(id.kind);
        }
        self.rows.binary_search_by_key(&id, |row| row.id).map_or(Ok(None), |at| self.row(at))
    }

    /// The bytes of a row's section, verified.
    fn row(&self, at: usize) -> Result<Option<&[u8]>> {
        let (Some(row), Some(verified)) = (self.rows.get(at), self.verified.get(at)) else { return Ok(None) };
        let range = row.offset as usize..(row.offset + row.len) as usize;
        let bytes = self
            .bytes
            .get(range)
            .ok_or_else(|| Error::corrupted(format!("segment: {:?} is outside the file", row.id)))?;
        // A race verifies twice, which is harmless.
        if !verified.load(Ordering::Acquire) {
            let found = crc32fast::hash(bytes);
            if found != row.checksum {
                let expected = row.checksum;
                return Err(Error::corrupted(format!(
                    "segment: {:?} has checksum {found:08x}, expected {expected:08x}",
                    row.id
                )));
            }
            verified.store(true, Ordering::Release);
        }
        Ok(Some(bytes))
    }

    fn plain(&self, kind: SectionKind) -> Result<Option<&[u8]>> {
        let place = self.plain.get(kind as usize).copied().unwrap_or(0);
        usize::from(place).checked_sub(1).map_or(Ok(None), |at| self.row(at))
    }

    fn needed(&self, kind: SectionKind) -> Result<&[u8]> {
        self.plain(kind)?.ok_or_else(|| Error::corrupted(format!("segment: lacks its {kind:?} section")))
    }

    fn of_column(&self, kind: SectionKind, column: ColumnId) -> Result<Option<&[u8]>> {
        self.section(SectionId { kind, field: column.field.number(), part: column.part as u8 })
    }

    pub(crate) fn uris(&self) -> Result<Uris<'_>> {
        if let Some(uris) = self.plain(SectionKind::Uris)? {
            return Ok(Uris::FrontCoded(FrontCoded::new(uris)?));
        }
        let spellings = [
            self.needed(SectionKind::FolderSpellings)?,
            self.needed(SectionKind::NameSpellings)?,
            self.needed(SectionKind::Fences)?,
        ];
        Ok(Uris::Spelled(Spelled::new(self.paths()?, spellings)?))
    }

    pub(crate) fn paths(&self) -> Result<Paths<'_>> {
        let sections = [
            self.needed(SectionKind::RunStarts)?,
            self.needed(SectionKind::RunFilenames)?,
            self.needed(SectionKind::FoldedFilenames)?,
            self.needed(SectionKind::Folders)?,
            self.needed(SectionKind::Names)?,
        ];
        Paths::new(sections, self.plain(SectionKind::FenceRuns)?)
    }

    /// Folder texts as a searchable column; unit = run.
    pub(crate) fn folders(&self) -> Result<TextColumn<'_>> {
        let arena = Arena::new(self.needed(SectionKind::Folders)?)?;
        let shared = Packed::new(self.needed(SectionKind::FolderShared)?)?;
        let kinds = [SectionKind::FolderGrams, SectionKind::FolderWords, SectionKind::FolderFrequent];
        Ok(TextColumn { shared: Some(shared), ..self.text_column(arena, kinds, (0, 0))? })
    }

    /// Name texts as a searchable column; unit = document.
    pub(crate) fn names(&self) -> Result<TextColumn<'_>> {
        let arena = Arena::new(self.needed(SectionKind::Names)?)?;
        let kinds = [SectionKind::NameGrams, SectionKind::NameWords, SectionKind::NameFrequent];
        self.text_column(arena, kinds, (0, 0))
    }

    /// A keyword column's folded values as a searchable column; unit = ordinal.
    pub(crate) fn values<'a>(&'a self, column: ColumnId, folded: Arena<'a>) -> Result<TextColumn<'a>> {
        let kinds = [SectionKind::TextGrams, SectionKind::TextWords, SectionKind::TextFrequent];
        self.text_column(folded, kinds, (column.field.number(), column.part as u8))
    }

    /// An arena with those of its indexes that are there.
    fn text_column<'a>(
        &'a self,
        arena: Arena<'a>,
        [grams, words, frequent]: [SectionKind; 3],
        (field, part): (u16, u8),
    ) -> Result<TextColumn<'a>> {
        let section = |kind| self.section(SectionId { kind, field, part });
        let grams = section(grams)?.map(Grams::new).transpose()?;
        let frequent = section(frequent)?.map(Frequent::new).transpose()?;
        let units = arena.len();
        if grams.is_some_and(|g| g.blocks() != arena.blocks()) || frequent.is_some_and(|f| f.len() != units) {
            return Err(Error::corrupted(format!("segment: the grams are not those of a text of {units} units")));
        }
        Ok(TextColumn { arena, grams, words: section(words)?.map(Words::new).transpose()?, frequent, shared: None })
    }

    pub(crate) fn keys(&self, column: ColumnId) -> Result<Option<KeyColumn<'_>>> {
        KeyColumn::new([
            self.of_column(SectionKind::Dictionary, column)?,
            self.of_column(SectionKind::Folded, column)?,
            self.of_column(SectionKind::Ordinals, column)?,
            self.of_column(SectionKind::Postings, column)?,
            self.of_column(SectionKind::Plain, column)?,
            self.of_column(SectionKind::Digits, column)?,
        ])
    }

    pub(crate) fn numbers(&self, column: ColumnId) -> Result<Option<NumberColumn<'_>>> {
        let id = SectionId { kind: SectionKind::Numbers, field: column.field.number(), part: column.part as u8 };
        let Some(numbers) = self.section(id)?.map(NumberColumn::new).transpose()? else { return Ok(None) };
        let place = self.rows.binary_search_by_key(&id, |row| row.id).ok();
        let largest = place.and_then(|at| self.largest.get(at));
        Ok(Some(largest.map_or(numbers, |largest| numbers.remembering(largest))))
    }

    /// The documents of a numeric column in the order of its values, where that is stored.
    pub(crate) fn order(&self, column: ColumnId) -> Result<Option<Order<'_>>> {
        let (order, numbers) = (self.of_column(SectionKind::Order, column)?, self.numbers(column)?);
        order.zip(numbers).map(|(order, numbers)| Order::new(order, numbers)).transpose()
    }

    /// The documents of a keyword of an array by the number beside it, where that is stored.
    pub(crate) fn pairs(&self, column: ColumnId) -> Result<Option<Pairs<'_>>> {
        self.of_column(SectionKind::Pairs, column)?.map(Pairs::new).transpose()
    }

    /// The documents of a field of places by where they are, where that is stored.
    pub(crate) fn places(&self, field: FieldId) -> Result<Option<Places<'_>>> {
        let places = self.of_column(SectionKind::Places, ColumnId::of(field))?;
        places.map(|places| Places::new(places, self.docs as usize)).transpose()
    }

    /// Where the elements of each document begin in an array's columns; one entry more than documents.
    pub(crate) fn elements(&self, array: FieldId) -> Result<Option<Packed<'_>>> {
        self.of_column(SectionKind::Elements, ColumnId::of(array))?.map(Packed::new).transpose()
    }

    /// Arrays and maps present, ascending.
    pub(crate) fn arrays(&self) -> Vec<FieldId> {
        let rows = self.rows.iter().filter(|row| row.id.kind == SectionKind::Elements);
        rows.filter_map(|row| FieldId::from_number(row.id.field)).collect()
    }

    /// Columns present, ascending.
    pub(crate) fn columns(&self) -> Vec<ColumnId> {
        let main = |kind| {
            matches!(kind, SectionKind::Numbers | SectionKind::Dictionary | SectionKind::Plain | SectionKind::Digits)
        };
        let rows = self.rows.iter().filter(|row| main(row.id.kind));
        let id = |row: &SectionRow| {
            Some(ColumnId { field: FieldId::from_number(row.id.field)?, part: Part::from_number(row.id.part)? })
        };
        let mut columns: Vec<ColumnId> = rows.filter_map(id).collect();
        columns.sort_unstable();
        columns
    }
}
