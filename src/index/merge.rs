//! Many segments into one: documents in URI order, deleted ones left out, columns copied value by value.
//!
//! The same parts give the same bytes. Memory: one column of the output at a time, plus eight bytes a document.

use super::arena::{ArenaWriter, Units, Visit};
use super::column::{ColumnId, elements_of};
use super::keys::{Copier, KeyColumn, Keywords, Plain};
use super::numbers::Numbers;
use super::packed::Packed;
use super::paths::PathEntry;
use super::segment::{Content, Segment, write};
use super::snapshot::Part;
use super::uris::UriCursor;
use crate::error::{Error, Result};
use crate::model::FieldId;
use std::cmp::Ordering;
use std::collections::binary_heap::PeekMut;
use std::collections::{BTreeSet, BinaryHeap};
use std::io::Write;

/// What a merge wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Merged {
    /// Documents in the new segment.
    pub docs: u32,
    /// Its size in bytes.
    pub bytes: u64,
}

/// Merges the live documents of `parts` into one segment written to `out`. A URI may be live in one part only.
pub fn merge(parts: &[Part], out: &mut dyn Write) -> Result<Merged> {
    let mut content = Parts::new(parts);
    let bytes = write(&mut content, out)?;
    Ok(Merged { docs: content.docs() as u32, bytes })
}

/// Merges into a segment in memory.
pub fn merge_in_memory(parts: &[Part]) -> Result<Segment> {
    let mut bytes = Vec::new();
    merge(parts, &mut bytes)?;
    Segment::from_bytes(bytes)
}

/// Parts, and the order of their live documents.
struct Parts<'a> {
    parts: &'a [Part],
    /// Part and document, in URI order; empty until [`Content::paths`] has walked the URIs.
    order: Vec<(u32, u32)>,
    columns: Vec<ColumnId>,
}

impl<'a> Parts<'a> {
    fn new(parts: &'a [Part]) -> Parts<'a> {
        let columns: BTreeSet<ColumnId> = parts.iter().flat_map(|p| p.segment.columns()).collect();
        Parts { parts, order: Vec::new(), columns: columns.into_iter().collect() }
    }

    /// Stretches of neighbouring documents from one part, so that columns are copied piece by piece.
    fn stretches(&self) -> impl Iterator<Item = (usize, &[(u32, u32)])> {
        let chunks = self.order.chunk_by(|a, b| a.0 == b.0);
        chunks.filter_map(|chunk| Some((chunk.first()?.0 as usize, chunk)))
    }

    /// The units of a stretch: documents, or the elements of the column's array.
    fn units<'b>(array: Option<Packed<'b>>, docs: &'b [(u32, u32)]) -> impl Iterator<Item = usize> + 'b {
        docs.iter().flat_map(move |&(_, doc)| {
            let doc = doc as usize;
            match &array {
                None => doc..doc + 1,
                Some(ends) => ends.get(doc) as usize..ends.get(doc + 1) as usize,
            }
        })
    }

    /// The ends of the elements of a column's array in a part; `Some(None)` where units are documents, `None` where
    /// the part has no such array.
    fn ends(part: &Part, column: ColumnId) -> Result<Option<Option<Packed<'_>>>> {
        match elements_of(column.field) {
            None => Ok(Some(None)),
            Some(array) => Ok(part.segment.elements(array)?.map(Some)),
        }
    }
}

/// Walks the paths of the live documents of one part. The least by URI is the greatest, for the heap.
struct PathCursor<'a> {
    number: usize,
    part: &'a Part,
    uris: UriCursor<'a>,
    names: Units<'a>,
    name: &'a [u8],
    /// Folder texts, and that of the run.
    folders: Visit<'a>,
    folder: &'a [u8],
    paths: super::paths::Paths<'a>,
    /// The document reached, once there is one.
    doc: u32,
    next: u32,
    run: usize,
}

impl<'a> PathCursor<'a> {
    fn new(number: usize, part: &'a Part) -> Result<PathCursor<'a>> {
        let paths = part.segment.paths()?;
        let names = paths.names.units(0..paths.names.len());
        let (uris, mut folders) = (part.segment.uris()?.from(0)?, paths.folders.visit());
        let folder = if paths.runs() > 0 { folders.unit(0) } else { &[] };
        Ok(PathCursor { number, part, uris, names, name: &[], folders, folder, paths, doc: 0, next: 0, run: 0 })
    }

    /// Moves to the next live document; `false` at the end.
    fn advance(&mut self) -> Result<bool> {
        while self.uris.advance()? {
            self.name = self.names.next().unwrap_or(&[]);
            self.doc = self.next;
            self.next += 1;
            if self.part.deleted.contains(self.doc) {
                continue;
            }
            while self.run + 1 < self.paths.runs() && self.paths.docs(self.run).end <= self.doc {
                self.run += 1;
                self.folder = self.folders.unit(self.run);
            }
            return Ok(true);
        }
        Ok(false)
    }

    fn entry(&self) -> PathEntry<'_> {
        PathEntry {
            uri: &self.uris.uri,
            filename_at: self.paths.filename_at(self.run),
            folder: self.folder,
            folded_filename_at: self.paths.folded_filename_at(self.run),
            name: self.name,
        }
    }
}

impl Ord for PathCursor<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        (&other.uris.uri, other.number).cmp(&(&self.uris.uri, self.number))
    }
}

impl PartialOrd for PathCursor<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for PathCursor<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for PathCursor<'_> {}

impl Content for Parts<'_> {
    fn docs(&self) -> usize {
        self.parts.iter().map(|p| p.live() as usize).sum()
    }

    fn paths(&mut self, each: &mut dyn FnMut(&PathEntry<'_>)) -> Result<()> {
        // Boxed, because the heap moves them about.
        let mut heap: BinaryHeap<Box<PathCursor<'_>>> = BinaryHeap::new();
        for (number, part) in self.parts.iter().enumerate() {
            let mut cursor = Box::new(PathCursor::new(number, part)?);
            if cursor.advance()? {
                heap.push(cursor);
            }
        }
        self.order.reserve(self.docs());
        let mut last: Vec<u8> = Vec::new();
        while let Some(mut cursor) = heap.peek_mut() {
            if !self.order.is_empty() && last == cursor.uris.uri {
                let text = String::from_utf8_lossy(&last).into_owned();
                return Err(Error::corrupted(format!("index: {text:?} is live in two segments")));
            }
            last.clone_from(&cursor.uris.uri);
            self.order.push((cursor.number as u32, cursor.doc));
            each(&cursor.entry());
            if !cursor.advance()? {
                PeekMut::pop(cursor);
            }
        }
        Ok(())
    }

    fn arrays(&self) -> Vec<FieldId> {
        let arrays: BTreeSet<FieldId> = self.parts.iter().flat_map(|p| p.segment.arrays()).collect();
        arrays.into_iter().collect()
    }

    fn element_counts(&self, array: FieldId) -> Result<Vec<u32>> {
        let ends = self.parts.iter().map(|p| p.segment.elements(array)).collect::<Result<Vec<_>>>()?;
        let count = |&(part, doc): &(u32, u32)| {
            let ends = ends.get(part as usize).and_then(Option::as_ref);
            ends.map_or(0, |e| (e.get(doc as usize + 1) - e.get(doc as usize)) as u32)
        };
        Ok(self.order.iter().map(count).collect())
    }

    fn columns(&self) -> Vec<ColumnId> {
        self.columns.clone()
    }

    fn keywords(&mut self, column: ColumnId) -> Result<Keywords> {
        let mut out = Keywords::default();
        let keys = self.parts.iter().map(|p| p.segment.keys(column)).collect::<Result<Vec<_>>>()?;
        let mut copiers: Vec<Option<Copier<'_>>> = keys.iter().map(|k| k.as_ref().and_then(Copier::new)).collect();
        let ends = self.parts.iter().map(|p| Parts::ends(p, column)).collect::<Result<Vec<_>>>()?;
        for (part, docs) in self.stretches() {
            let Some(Some(ends)) = ends.get(part) else { continue };
            let units = Parts::units(*ends, docs);
            match copiers.get_mut(part) {
                Some(Some(copier)) => copier.append(units, &mut out),
                _ => units.for_each(|_| out.push(None)),
            }
        }
        Ok(out)
    }

    fn plain(&mut self, column: ColumnId) -> Result<ArenaWriter> {
        let mut out = ArenaWriter::new();
        let columns = self.parts.iter().map(|p| p.segment.keys(column)).collect::<Result<Vec<_>>>()?;
        let ends = self.parts.iter().map(|p| Parts::ends(p, column)).collect::<Result<Vec<_>>>()?;
        for (part, docs) in self.stretches() {
            let Some(Some(ends)) = ends.get(part) else { continue };
            let units = Parts::units(*ends, docs);
            match columns.get(part) {
                Some(Some(KeyColumn::Plain(Plain::Texts(values)))) => {
                    let mut values = values.visit();
                    units.for_each(|unit| out.push(values.unit(unit)));
                }
                Some(Some(KeyColumn::Plain(values))) => units.for_each(|unit| out.push(&values.get(unit))),
                _ => units.for_each(|_| out.push(&[])),
            }
        }
        Ok(out)
    }

    fn numbers(&mut self, column: ColumnId) -> Result<Numbers> {
        let mut out = super::column::no_numbers(column);
        let columns = self.parts.iter().map(|p| p.segment.numbers(column)).collect::<Result<Vec<_>>>()?;
        let ends = self.parts.iter().map(|p| Parts::ends(p, column)).collect::<Result<Vec<_>>>()?;
        for (part, docs) in self.stretches() {
            let Some(Some(ends)) = ends.get(part) else { continue };
            let units = Parts::units(*ends, docs);
            match columns.get(part) {
                Some(Some(column)) => column.append_to(units, &mut out),
                _ => units.for_each(|_| out.push_none()),
            }
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{File, Members, Value, field};
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use std::sync::Arc;

    fn arbitrary_file() -> impl Strategy<Value = File> {
        let name = "(a|b|\u{c9}t\u{e9}|\u{6771}\u{4eac}){1,2}(/[a-c]{1,2}){0,3}";
        let members = (
            proptest::option::of(0i64..50),
            proptest::option::of("[A-C]{1,3}"),
            proptest::option::of(-900i32..900),
            proptest::collection::vec(("[xyz]{1,2}", proptest::option::of(0u8..100)), 0..3),
            proptest::collection::btree_map("[k-m]", "[v-x]{1,2}", 0..3),
            0u8..4,
        );
        (name, members).prop_map(|(name, (size, title, place, labels, custom, filename))| {
            let mut file = File::new(format!("oss://bucket/{name}"));
            match filename {
                0 => {}
                1 => file.set(field::FILENAME, name.as_str()),
                2 => file.set(field::FILENAME, name.rsplit('/').next().unwrap()),
                _ => file.set(field::FILENAME, "Other"),
            }
            size.into_iter().for_each(|s| file.set(field::SIZE, s));
            title.into_iter().for_each(|t| file.set(field::TITLE, t));
            if let Some(place) = place {
                file.set(field::LAT_LONG, format!("{:.6},1.5", f64::from(place) / 10.0));
                file.set(field::PRODUCE_TIME, format!("20{:02}-01-02T03:04:05+08:00", place.unsigned_abs() % 100));
                file.set(field::ETAG, format!("\"{place}\""));
            }
            let label = |(name, confidence): (String, Option<u8>)| {
                let mut row = Members::new();
                row.set(field::LABEL_NAME, name);
                confidence.into_iter().for_each(|c| row.set(field::LABEL_CONFIDENCE, f64::from(c) / 100.0));
                row
            };
            file.set(field::LABELS, Value::Rows(labels.into_iter().map(label).collect()));
            file.set(field::CUSTOM_LABELS, Value::map(custom));
            file
        })
    }

    fn bytes(parts: &[Part]) -> Vec<u8> {
        let mut out = Vec::new();
        merge(parts, &mut out).unwrap();
        out
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn merged_equals_built(files in proptest::collection::vec((arbitrary_file(), 0usize..4), 0..60)) {
            // The last writer of a URI wins; earlier copies are deleted in their parts.
            let mut owner: BTreeMap<String, (usize, File)> = BTreeMap::new();
            let mut by_part: Vec<BTreeMap<String, File>> = vec![BTreeMap::new(); 4];
            for (file, part) in files {
                by_part[part].insert(file.uri().to_owned(), file.clone());
                owner.insert(file.uri().to_owned(), (part, by_part[part][file.uri()].clone()));
            }
            let parts: Vec<Part> = by_part.iter().enumerate().map(|(number, files)| {
                let segment = Segment::build(files.values()).unwrap();
                segment.verify().unwrap();
                let dead = files.keys().zip(0u32..).filter(|(uri, _)| owner[*uri].0 != number).map(|(_, doc)| doc);
                Part { segment: Arc::new(segment), deleted: Arc::new(dead.collect()) }
            }).collect();
            let all: Vec<File> = owner.values().map(|(_, file)| file.clone()).collect();
            let whole = Segment::build(&all).unwrap();
            for (doc, file) in all.iter().enumerate() {
                prop_assert_eq!(whole.find(file.uri()).unwrap().map(|d| d.0 as usize), Some(doc));
            }
            // Columns that only deleted documents had stay as empty columns: one merge of the result drops them.
            let merged = bytes(&parts);
            let again = bytes(&[Part::whole(Segment::from_bytes(merged.clone()).unwrap())]);
            prop_assert_eq!(&again, &merged);
            if parts.iter().all(|p| p.deleted.is_empty()) {
                prop_assert_eq!(&bytes(&[Part::whole(whole)]), &merged);
            } else {
                prop_assert_eq!(Segment::from_bytes(merged).unwrap().len(), whole.len());
            }
        }
    }
}
