//! Writes a segment from any content that can be read column by column.

use super::format::{self, SectionId, SectionKind, SectionRow};
use crate::error::{Error, Result};
use crate::index::arena::{Arena, ArenaWriter};
use crate::index::column::{ColumnId, Part, elements_of};
use crate::index::keys::{self, Keywords};
use crate::index::numbers::{self, NumberColumn, Numbers};
use crate::index::packed::{self, Packed};
use crate::index::pairs::{self, PAIRS};
use crate::index::paths::{PathEntry, PathsWriter};
use crate::index::{digits, frequent, grams, order, places, words};
use crate::model::FieldId;
use std::collections::BTreeMap;
use std::io::Write;

/// What a segment is made from: new documents, or other segments. Everything is in URI order.
pub(crate) trait Content {
    /// Number of documents.
    fn docs(&self) -> usize;
    /// Calls `each` once per document. Asked for once, before what follows.
    fn paths(&mut self, each: &mut dyn FnMut(&PathEntry<'_>)) -> Result<()>;
    /// Arrays and maps that any document has, ascending.
    fn arrays(&self) -> Vec<FieldId>;
    /// Number of elements of an array or map in each document.
    fn element_counts(&self, array: FieldId) -> Result<Vec<u32>>;
    /// Columns that any document has a value in, ascending.
    fn columns(&self) -> Vec<ColumnId>;
    /// Values of a keyword column, one per unit. Each column is asked for once.
    fn keywords(&mut self, column: ColumnId) -> Result<Keywords>;
    /// Values of a plain column, one per unit, empty for none. Each column is asked for once.
    fn plain(&mut self, column: ColumnId) -> Result<ArenaWriter>;
    /// Values of a numeric column, one per unit. Each column is asked for once.
    fn numbers(&mut self, column: ColumnId) -> Result<Numbers>;
}

/// Writes sections one after another and remembers where they are.
pub(crate) struct Sink<'a> {
    out: &'a mut dyn Write,
    docs: u32,
    offset: u64,
    rows: Vec<SectionRow>,
}

impl<'a> Sink<'a> {
    pub(crate) fn new(out: &'a mut dyn Write, docs: u32) -> Result<Sink<'a>> {
        let mut sink = Sink { out, docs, offset: 0, rows: Vec::new() };
        sink.put(&[format::MAGIC.as_slice(), &format::VERSION.to_le_bytes()].concat())?;
        Ok(sink)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.out.write_all(bytes).map_err(|e| Error::io("write segment", e))?;
        self.offset += bytes.len() as u64;
        Ok(())
    }

    fn section(&mut self, kind: SectionKind, column: Option<ColumnId>, bytes: &[u8]) -> Result<()> {
        let (field, part) = column.map_or((0, 0), |c| (c.field.number(), c.part as u8));
        let (offset, len) = (self.offset, bytes.len() as u64);
        let checksum = crc32fast::hash(bytes);
        self.rows.push(SectionRow { id: SectionId { kind, field, part }, offset, len, checksum });
        self.put(bytes)
    }

    /// An arena with the indexes that its size calls for.
    fn arena(&mut self, kinds: [SectionKind; 4], column: Option<ColumnId>, bytes: &[u8], indexed: &[u8]) -> Result<()> {
        let [text, gram_kind, word_kind, frequent_kind] = kinds;
        self.section(text, column, bytes)?;
        let arena = Arena::new(indexed)?;
        if arena.text_len() >= grams::MIN_TEXT {
            self.section(gram_kind, column, &grams::build(&arena))?;
        }
        if arena.len() >= words::MIN_UNITS {
            self.section(word_kind, column, &words::build(&arena)?)?;
        }
        if self.docs as usize >= frequent::FEW_DOCS as usize && arena.len() >= frequent::MIN_UNITS {
            self.section(frequent_kind, column, &frequent::build(&arena)?)?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<u64> {
        self.rows.sort_by_key(|row| row.id);
        let tail = format::encode_tail(&self.rows, self.offset, self.docs);
        self.put(&tail)?;
        Ok(self.offset)
    }
}

/// Writes a segment; returns its bytes' number. The same content gives the same bytes.
pub(crate) fn write(content: &mut dyn Content, out: &mut dyn Write) -> Result<u64> {
    let docs = u32::try_from(content.docs()).map_err(|_| {
        Error::invalid(format!("segment: expected at most {} documents, got {}", u32::MAX, content.docs()))
    })?;
    let mut sink = Sink::new(out, docs)?;
    write_paths(content, &mut sink)?;
    for array in content.arrays() {
        let mut ends = vec![0u64];
        for count in content.element_counts(array)? {
            ends.push(ends.last().copied().unwrap_or(0) + u64::from(count));
        }
        let mut bytes = Vec::new();
        packed::write(&ends, &mut bytes);
        sink.section(SectionKind::Elements, Some(ColumnId::of(array)), &bytes)?;
    }
    let mut kept = Kept::default();
    for column in content.columns() {
        if column.is_plain() {
            let plain = content.plain(column)?.finish();
            match digits::build(&Arena::new(&plain)?) {
                Some(digits) => sink.section(SectionKind::Digits, Some(column), &digits)?,
                None => sink.section(SectionKind::Plain, Some(column), &plain)?,
            }
        } else if column.is_numeric() {
            write_numbers(content, column, &mut kept, &mut sink)?;
        } else {
            write_keywords(content, column, &mut kept, &mut sink)?;
        }
    }
    write_pairs(content, &kept, &mut sink)?;
    sink.finish()
}

/// Columns that others are written from.
#[derive(Default)]
struct Kept {
    latitudes: Vec<u8>,
    /// Ordinals and numbers of the fields of [`PAIRS`].
    paired: BTreeMap<FieldId, Vec<u8>>,
}

impl Kept {
    fn pair(&mut self, column: ColumnId, bytes: &[u8]) {
        if column.part == Part::Value && PAIRS.iter().any(|(a, b)| [*a, *b].contains(&column.field)) {
            self.paired.insert(column.field, bytes.to_vec());
        }
    }
}

/// The pairs of fields that both have values.
fn write_pairs(content: &dyn Content, kept: &Kept, sink: &mut Sink<'_>) -> Result<()> {
    for (keyword, number) in PAIRS {
        let (Some(ordinals), Some(numbers)) = (kept.paired.get(&keyword), kept.paired.get(&number)) else { continue };
        let column = ColumnId::of(keyword);
        let Some(doc_of) = docs_of_units(content, column)? else { continue };
        let numbers = NumberColumn::new(numbers)?.slots();
        if let Some(bytes) = pairs::build(&Packed::new(ordinals)?, &numbers, &doc_of) {
            sink.section(SectionKind::Pairs, Some(column), &bytes)?;
        }
    }
    Ok(())
}

fn write_paths(content: &mut dyn Content, sink: &mut Sink<'_>) -> Result<()> {
    let mut paths = PathsWriter::new();
    content.paths(&mut |entry| paths.push(entry))?;
    let sections = paths.finish();
    sink.section(SectionKind::RunStarts, None, &sections.run_starts)?;
    sink.section(SectionKind::RunFilenames, None, &sections.run_filenames)?;
    sink.section(SectionKind::FoldedFilenames, None, &sections.folded_filenames)?;
    sink.section(SectionKind::FolderSpellings, None, &sections.folder_spellings)?;
    sink.section(SectionKind::NameSpellings, None, &sections.name_spellings)?;
    sink.section(SectionKind::Fences, None, &sections.fences)?;
    sink.section(SectionKind::FenceRuns, None, &sections.fence_runs)?;
    let folders =
        [SectionKind::Folders, SectionKind::FolderGrams, SectionKind::FolderWords, SectionKind::FolderFrequent];
    sink.arena(folders, None, &sections.folders, &sections.folders)?;
    sink.section(SectionKind::FolderShared, None, &sections.folder_shared)?;
    let names = [SectionKind::Names, SectionKind::NameGrams, SectionKind::NameWords, SectionKind::NameFrequent];
    sink.arena(names, None, &sections.names, &sections.names)
}

/// A numeric column with what orders its documents. Latitudes are kept for the longitudes that come next.
fn write_numbers(content: &mut dyn Content, column: ColumnId, kept: &mut Kept, sink: &mut Sink<'_>) -> Result<()> {
    let bytes = numbers::write(&content.numbers(column)?);
    sink.section(SectionKind::Numbers, Some(column), &bytes)?;
    kept.pair(column, &bytes);
    let numbers = NumberColumn::new(&bytes)?;
    // Units of both are documents.
    let (section, on) = match (elements_of(column.field), column.part) {
        (Some(_), _) | (_, Part::Key) => return Ok(()),
        (None, Part::Value) => (order::build(&numbers).map(|bytes| (SectionKind::Order, bytes)), column),
        (None, Part::Latitude) => {
            kept.latitudes = bytes;
            return Ok(());
        }
        (None, Part::Longitude) => {
            let places = places::build(&NumberColumn::new(&kept.latitudes)?, &numbers);
            (places.map(|bytes| (SectionKind::Places, bytes)), ColumnId::of(column.field))
        }
    };
    match section {
        Some((kind, bytes)) => sink.section(kind, Some(on), &bytes),
        None => Ok(()),
    }
}

fn write_keywords(content: &mut dyn Content, column: ColumnId, kept: &mut Kept, sink: &mut Sink<'_>) -> Result<()> {
    let doc_of = docs_of_units(content, column)?;
    let searched = column.field.field().searched && column.part != Part::Key;
    let keywords = content.keywords(column)?;
    let doc = |unit: usize| doc_of.as_ref().map_or(unit as u32, |docs| docs.get(unit).copied().unwrap_or(0));
    let sections = keys::write(keywords, doc, searched)?;
    let some = Some(column);
    if searched {
        let text = sections.folded.as_ref().unwrap_or(&sections.dictionary);
        let kinds =
            [SectionKind::Dictionary, SectionKind::TextGrams, SectionKind::TextWords, SectionKind::TextFrequent];
        sink.arena(kinds, some, &sections.dictionary, text)?;
    } else {
        sink.section(SectionKind::Dictionary, some, &sections.dictionary)?;
    }
    if let Some(folded) = &sections.folded {
        sink.section(SectionKind::Folded, some, folded)?;
    }
    kept.pair(column, &sections.ordinals);
    sink.section(SectionKind::Ordinals, some, &sections.ordinals)?;
    sink.section(SectionKind::Postings, some, &sections.postings)
}

/// The document of each element of the column's array; `None` where units are documents.
fn docs_of_units(content: &dyn Content, column: ColumnId) -> Result<Option<Vec<u32>>> {
    let Some(array) = elements_of(column.field) else { return Ok(None) };
    let counts = content.element_counts(array)?;
    let repeat = |(doc, count): (usize, &u32)| std::iter::repeat_n(doc as u32, *count as usize);
    Ok(Some(counts.iter().enumerate().flat_map(repeat).collect()))
}
