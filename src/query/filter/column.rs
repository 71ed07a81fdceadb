//! Leaves over columns with slots: dictionaries and numbers, of documents or of the elements of an array.

use super::operand::holds;
use super::scan::{self, Gather, Slots};
use super::{Leaf, keep_each};
use crate::error::Result;
use crate::index::{KeyColumn, Order, Packed, Postings, UnitSet};
use crate::model::query::{Comparison, Test};
use crate::query::guard::Context;
use crate::query::values;
use roaring::RoaringBitmap;
use std::ops::Range;

/// Postings are added up one by one to estimate up to this many values; more are estimated by blocks.
const COUNTED: u64 = 256;
/// Nanoseconds per unit when a column is passed over, where units are documents, and where they are elements, whose
/// documents are to be found; per document of a posting list, per list, per random access.
const SCAN_NS: u64 = 2;
const ELEMENT_SCAN_NS: u64 = 6;
const POSTING_NS: u64 = 2;
/// Bytes of a list's bitmap that are read in a nanosecond.
const BITMAP_BYTES_EACH_NS: u64 = 4;
const LIST_NS: u64 = 60;
const ACCESS_NS: u64 = 5;
/// The same per document of an order: they lie anywhere in the segment.
const ORDER_NS: u64 = 12;

/// Whether a document's value, or that of one of its elements, is among some.
#[derive(Clone)]
pub(crate) struct ColumnLeaf<'a> {
    pub(crate) column: Packed<'a>,
    pub(crate) wanted: Slots,
    /// Documents of each value, for dictionaries.
    pub(crate) postings: Option<Postings<'a>>,
    /// Where each document's elements begin, for columns of arrays and maps.
    pub(crate) elements: Option<Packed<'a>>,
    /// The documents in the order of their values, for some numbers.
    pub(crate) order: Option<Order<'a>>,
    pub(crate) docs: u32,
}

impl ColumnLeaf<'_> {
    /// Whether a unit's value is among those wanted.
    #[inline]
    pub(crate) fn fits(&self, unit: usize) -> bool {
        self.wanted.contains(self.column.get(unit))
    }

    /// The places in the order whose documents have a wanted value.
    fn places(&self) -> Option<(Order<'_>, Range<usize>)> {
        let order = self.order?;
        match self.wanted {
            Slots::Range(from, to) => Some((order, order.range(from, to))),
            Slots::List(_) => None,
        }
    }

    /// Documents in the lists of the wanted values, and nanoseconds to read these, if there are few lists.
    fn listed(&self) -> Option<(u64, u64)> {
        let postings = self.postings.as_ref().filter(|_| self.wanted.count() <= COUNTED)?;
        let mut all = (0, 0);
        for slot in self.wanted.iter() {
            let (documents, bitmap) = postings.size(slot as usize - 1);
            let ns = bitmap.map_or(documents * POSTING_NS, |bytes| bytes as u64 / BITMAP_BYTES_EACH_NS);
            all = (all.0 + documents, all.1 + ns + LIST_NS);
        }
        Some(all)
    }

    /// Nanoseconds to read the lists of the wanted values.
    fn union_ns(&self) -> u64 {
        let guessed = || {
            let documents = scan::estimate(self.column, &self.wanted);
            documents.saturating_mul(POSTING_NS).saturating_add(self.wanted.count().saturating_mul(LIST_NS))
        };
        self.listed().map_or_else(guessed, |(_, ns)| ns)
    }

    fn scan_ns(&self) -> u64 {
        let per_unit = if self.elements.is_some() { ELEMENT_SCAN_NS } else { SCAN_NS };
        self.column.len() as u64 * per_unit
    }

    fn scan(&self, docs: &Range<u32>, context: &Context<'_>) -> Result<RoaringBitmap> {
        let mut found = Gather::default();
        let Some(ends) = self.elements else {
            let mut set = UnitSet::new(docs.start as usize..docs.end as usize);
            scan::units(self.column, &self.wanted, set.range(), context, |units| {
                if units.len() == 1 {
                    set.insert(units.start)
                } else {
                    set.insert_range(units)
                }
                Ok(())
            })?;
            return Ok(set.into_bitmap());
        };
        let range = ends.get(docs.start as usize) as usize..ends.get(docs.end as usize) as usize;
        // The next document to decide.
        let mut doc = docs.start as usize;
        scan::units(self.column, &self.wanted, range, context, |units| {
            for unit in units {
                // Another element of a document that is decided already.
                if unit < ends.get(doc) as usize {
                    continue;
                }
                while doc < docs.end as usize && ends.get(doc + 1) as usize <= unit {
                    doc += 1;
                }
                found.push(doc as u32);
                doc += 1;
            }
            Ok(())
        })?;
        found.finish()
    }
}

impl Leaf for ColumnLeaf<'_> {
    fn estimate(&self) -> u64 {
        if let Some((_, places)) = self.places() {
            return places.len() as u64;
        }
        let units = self.listed().map_or_else(|| scan::estimate(self.column, &self.wanted), |(documents, _)| documents);
        units.min(u64::from(self.docs))
    }

    fn find_ns(&self) -> u64 {
        let ordered = self.places().map_or(u64::MAX, |(_, places)| places.len() as u64 * ORDER_NS);
        self.listed().map_or(u64::MAX, |(_, ns)| ns).min(self.scan_ns()).min(ordered)
    }

    fn look_ns(&self) -> u64 {
        if self.elements.is_some() { 5 * ACCESS_NS } else { ACCESS_NS }
    }

    fn find(&self, docs: &Range<u32>, context: &Context<'_>) -> Result<RoaringBitmap> {
        if self.wanted.is_empty() {
            return Ok(RoaringBitmap::new());
        }
        if let Some((order, places)) = self.places()
            && places.len() as u64 * ORDER_NS < self.scan_ns()
        {
            let mut found = UnitSet::new(docs.start as usize..docs.end as usize);
            let inside = |doc: &u32| docs.contains(doc);
            places.map(|at| order.doc(at)).filter(inside).for_each(|doc| found.insert(doc as usize));
            return Ok(found.into_bitmap());
        }
        let Some(postings) = self.postings.as_ref() else { return self.scan(docs, context) };
        if self.union_ns() > self.scan_ns() {
            return self.scan(docs, context);
        }
        let mut found = postings.union(self.wanted.iter().map(|slot| slot as usize - 1))?;
        if docs.start > 0 {
            found.remove_range(..docs.start);
        }
        found.remove_range(docs.end..);
        Ok(found)
    }

    fn keep(&self, among: &RoaringBitmap, context: &Context<'_>) -> Result<RoaringBitmap> {
        match self.elements {
            None if values::are_many(among, self.column) => {
                let mut kept = UnitSet::new(0..self.column.len());
                let (from, to) = self.wanted.bounds();
                let every = matches!(self.wanted, Slots::Range(..));
                values::in_chunks(among, self.column, context, |docs, slots| {
                    for (doc, slot) in docs.iter().zip(slots) {
                        if (from..=to).contains(slot) && (every || self.wanted.contains(*slot)) {
                            kept.insert(*doc as usize);
                        }
                    }
                })?;
                Ok(kept.into_bitmap())
            }
            None => keep_each(among, context, |doc| Ok(self.fits(doc as usize))),
            Some(ends) => keep_each(among, context, |doc| {
                let mut elements = ends.get(doc as usize) as usize..ends.get(doc as usize + 1) as usize;
                Ok(elements.any(|unit| self.fits(unit)))
            }),
        }
    }
}

/// Whether a document's value in a column of identifiers passes a test.
#[derive(Clone)]
pub(crate) struct PlainLeaf<'a> {
    pub(crate) column: KeyColumn<'a>,
    pub(crate) elements: Option<Packed<'a>>,
    pub(crate) test: Test,
    pub(crate) docs: u32,
}

impl PlainLeaf<'_> {
    pub(crate) fn fits(&self, unit: usize) -> bool {
        self.column.get(unit).is_some_and(|value| holds(&self.test, &value, true))
    }
}

impl Leaf for PlainLeaf<'_> {
    fn estimate(&self) -> u64 {
        // Identifiers name one thing each.
        match self.test {
            Test::Text(Comparison::Eq, _) => 1,
            _ => u64::from(self.docs),
        }
    }

    fn find_ns(&self) -> u64 {
        u64::from(self.docs) * self.look_ns()
    }

    fn look_ns(&self) -> u64 {
        40 * ACCESS_NS
    }

    fn find(&self, docs: &Range<u32>, context: &Context<'_>) -> Result<RoaringBitmap> {
        let mut all = RoaringBitmap::new();
        all.insert_range(docs.clone());
        self.keep(&all, context)
    }

    fn keep(&self, among: &RoaringBitmap, context: &Context<'_>) -> Result<RoaringBitmap> {
        keep_each(among, context, |doc| {
            let doc = doc as usize;
            Ok(match self.elements {
                None => self.fits(doc),
                Some(ends) => (ends.get(doc) as usize..ends.get(doc + 1) as usize).any(|unit| self.fits(unit)),
            })
        })
    }
}

/// Whether a document has any element of an array or map.
pub(crate) struct AnyElement<'a> {
    pub(crate) ends: Packed<'a>,
    pub(crate) docs: u32,
}

impl AnyElement<'_> {
    fn has(&self, doc: u32) -> bool {
        self.ends.get(doc as usize) < self.ends.get(doc as usize + 1)
    }
}

impl Leaf for AnyElement<'_> {
    fn estimate(&self) -> u64 {
        u64::from(self.docs).min(self.ends.get(self.docs as usize))
    }

    fn find_ns(&self) -> u64 {
        u64::from(self.docs) * ACCESS_NS
    }

    fn look_ns(&self) -> u64 {
        2 * ACCESS_NS
    }

    fn find(&self, docs: &Range<u32>, context: &Context<'_>) -> Result<RoaringBitmap> {
        let mut found = Gather::default();
        for doc in docs.clone() {
            if doc.is_multiple_of(1024) {
                context.tick()?;
            }
            if self.has(doc) {
                found.push(doc);
            }
        }
        found.finish()
    }

    fn keep(&self, among: &RoaringBitmap, context: &Context<'_>) -> Result<RoaringBitmap> {
        keep_each(among, context, |doc| Ok(self.has(doc)))
    }
}
