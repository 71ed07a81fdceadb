//! Orders hits and picks one page of them.
//!
//! The order is total: sort keys, missing values last in both directions, then the URI. In a segment every value has
//! a slot, a number ordered as the values are (0 for none), so hits are compared as integers; only the rows of a page
//! are turned into values that compare across segments.

use super::guard::Context;
use super::values::{Slotted, Values};
use crate::error::Result;
use crate::index::{ColumnId, DocId, KeyColumn, NumberColumn, Packed, Segment};
use crate::model::{Order, SortKey};
use roaring::RoaringBitmap;
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// Hits whose strings are ranked at a time.
const RANKED_AT_ONCE: usize = 1 << 16;

/// A sort value that compares across segments.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SortValue {
    /// Integers, instants, floats as order-preserving bits.
    Int(i64),
    /// Strings, byte by byte.
    Text(Vec<u8>),
    /// No value.
    Missing,
}

/// A place in the order: the row after which a page begins.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cursor {
    pub(crate) values: Vec<SortValue>,
    pub(crate) uri: Vec<u8>,
}

/// The hits of one segment.
pub(crate) struct PartHits<'a> {
    pub(crate) segment: &'a Segment,
    pub(crate) docs: RoaringBitmap,
    /// No document of the segment is deleted.
    pub(crate) whole: bool,
    /// All hits come after the cursor, if there is one: the search began there.
    pub(crate) past: bool,
}

impl PartHits<'_> {
    /// Whether every document of the segment is a hit.
    pub(crate) fn is_everything(&self) -> bool {
        self.whole && self.docs.len() == u64::from(self.segment.len())
    }
}

/// A row of which the URI is not read yet: most rows of most segments do not make it to the page.
struct Row {
    values: Vec<SortValue>,
    part: usize,
    doc: u32,
}

/// The first `count` rows after `after`, in order.
pub(crate) fn page(
    parts: &[PartHits<'_>],
    sort: &[SortKey],
    after: Option<&Cursor>,
    count: usize,
    context: &Context<'_>,
) -> Result<Vec<Cursor>> {
    if sort.is_empty() {
        return by_uri(parts, after, count);
    }
    let mut rows = Vec::new();
    for (at, part) in parts.iter().enumerate().filter(|(_, part)| !part.docs.is_empty()) {
        // Rows after the last that fits on the page are not worth finding in the other segments.
        let worst = worst_of(sort, &mut rows, count);
        let wanted = Wanted { after, count, worst: worst.as_ref() };
        // In a segment the documents' numbers decide between equal values as their URIs do.
        let mut of_part = Vec::new();
        let mut add = |part: &PartHits<'_>| -> Result<()> {
            first_rows(part, sort, &wanted, context, |values, doc| of_part.push(Row { values, part: at, doc }))?;
            of_part.sort_by(|a, b| compare(sort, &a.values, &b.values).then(a.doc.cmp(&b.doc)));
            of_part.truncate(count);
            Ok(())
        };
        if !needs_ranking(part.segment, sort)? || part.docs.len() <= RANKED_AT_ONCE as u64 {
            add(part)?;
        } else {
            // Strings that have no slots are held in memory while they are compared: a portion at a time.
            let mut hits = part.docs.iter();
            loop {
                let portion: Vec<u32> = hits.by_ref().take(RANKED_AT_ONCE).collect();
                if portion.is_empty() {
                    break;
                }
                add(&PartHits { docs: portion.into_iter().collect(), ..*part })?;
            }
        }
        rows.append(&mut of_part);
    }
    first_of_all(parts, sort, rows, count)
}

/// Which rows of a segment are asked for.
struct Wanted<'a> {
    /// Those after this place,
    after: Option<&'a Cursor>,
    /// the first so many of them,
    count: usize,
    /// whose first value does not come after this one.
    worst: Option<&'a SortValue>,
}

/// The first value of the last row that fits on a page, if the rows fill it; rows after that one go.
fn worst_of(sort: &[SortKey], rows: &mut Vec<Row>, count: usize) -> Option<SortValue> {
    let last = count.checked_sub(1).filter(|last| *last < rows.len())?;
    let (_, row, _) = rows.select_nth_unstable_by(last, |a, b| compare(sort, &a.values, &b.values));
    let worst = row.values.clone();
    // Their URIs decide between rows of equal values, and are not read yet.
    rows.retain(|row| compare(sort, &row.values, &worst).is_le());
    worst.into_iter().next()
}

/// The first rows of all segments, with their URIs, which decide between equal values.
fn first_of_all(parts: &[PartHits<'_>], sort: &[SortKey], mut rows: Vec<Row>, count: usize) -> Result<Vec<Cursor>> {
    rows.sort_by(|a, b| compare(sort, &a.values, &b.values));
    if let Some(last) = count.checked_sub(1).and_then(|last| rows.get(last)) {
        let past = rows.partition_point(|row| compare(sort, &row.values, &last.values).is_le());
        rows.truncate(past);
    }
    let uris = parts.iter().map(|part| part.segment.uris()).collect::<Result<Vec<_>>>()?;
    let cursor = |row: Row| -> Result<Cursor> {
        let uri = uris.get(row.part).map_or(Ok(Vec::new()), |uris| uris.get(row.doc as usize))?;
        Ok(Cursor { values: row.values, uri })
    };
    let mut page = rows.into_iter().map(cursor).collect::<Result<Vec<_>>>()?;
    page.sort_by(|a, b| compare(sort, &a.values, &b.values).then_with(|| a.uri.cmp(&b.uri)));
    page.truncate(count);
    Ok(page)
}

/// Whether some sort value has no slots in the segment.
fn needs_ranking(segment: &Segment, sort: &[SortKey]) -> Result<bool> {
    for key in sort {
        if !matches!(Values::of(segment, &key.field)?, Values::Uri | Values::Column(..)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Hands the first rows among the hits of one segment to `add`.
fn first_rows(
    part: &PartHits<'_>,
    sort: &[SortKey],
    wanted: &Wanted<'_>,
    context: &Context<'_>,
    mut add: impl FnMut(Vec<SortValue>, u32),
) -> Result<()> {
    context.tick()?;
    let (after, count) = (wanted.after, wanted.count);
    let first = walk(part, sort, wanted)?.map(|docs| PartHits { docs, ..*part });
    let part = first.as_ref().unwrap_or(part);
    let keys = sort.iter().map(|k| Key::new(part, k, context)).collect::<Result<Vec<_>>>()?;
    let docs = match keys.len() {
        1 => select::<1>(part, &keys, after, count)?,
        2 => select::<2>(part, &keys, after, count)?,
        _ => select::<{ crate::model::query::MAX_SORT_KEYS }>(part, &keys, after, count)?,
    };
    for (hit, doc) in docs {
        add(keys.iter().map(|key| key.value(hit, doc)).collect::<Result<_>>()?, doc);
    }
    Ok(())
}

/// The hits that can be among the wanted rows, found by walking the documents in the order of the first key and
/// testing each: `None` where there is no such order, or looking at all hits costs less.
fn walk(part: &PartHits<'_>, sort: &[SortKey], wanted: &Wanted<'_>) -> Result<Option<RoaringBitmap>> {
    let (after, count) = (wanted.after, wanted.count);
    let Some(key) = sort.first().filter(|key| key.field.key.is_none()) else { return Ok(None) };
    // A hit costs about as much as a step of the walk; on average every `len / hits`th step finds one.
    let hits = part.docs.len();
    let steps = hits / 2;
    if hits == 0 || (count as u64).saturating_mul(u64::from(part.segment.len())) / hits > steps {
        return Ok(None);
    }
    let column = ColumnId::of(key.field.id);
    let Some(order) = part.segment.order(column)? else { return Ok(None) };
    let descending = key.order == Order::Desc;
    let cursor = match after.and_then(|after| after.values.first()) {
        None => None,
        Some(SortValue::Int(value)) => Some(order.column().slot_at_most(*value).0),
        Some(_) => return Ok(None),
    };
    // Rows of the cursor's own value are walked again: other keys decide between them.
    let start = match cursor {
        None => 0,
        Some(slot) if descending => order.len() - order.range(0, slot).end,
        Some(slot) => order.range(slot, slot).start,
    };
    // Past the rows of the worst value none is wanted.
    let worst = match wanted.worst {
        Some(SortValue::Int(value)) => Some(order.column().slot_at_most(*value)),
        _ => None,
    };
    let is_past = |slot: u64| match worst {
        Some((worst, exact)) if descending => slot < worst || (slot == worst && !exact),
        Some((worst, _)) => slot > worst,
        None => false,
    };
    let place = |step: usize| if descending { order.len() - 1 - step } else { step };
    let (mut found, mut new, mut last) = (Vec::new(), 0, None);
    for step in start..order.len() {
        let doc = order.doc(place(step));
        if !part.docs.contains(doc) {
            if (step - start) as u64 > steps {
                return Ok(None);
            }
            continue;
        }
        let slot = order.column().slot(doc as usize);
        // Rows of one value are ordered by other keys, or by URI: all of them are needed.
        if (new >= count && last != Some(slot)) || is_past(slot) {
            return Ok(Some(found.into_iter().collect()));
        }
        new += usize::from(cursor != Some(slot));
        last = Some(slot);
        found.push(doc);
    }
    // What has no value comes last, and is in no order.
    Ok(None)
}

/// The order of two rows by their sort values.
fn compare(sort: &[SortKey], a: &[SortValue], b: &[SortValue]) -> Ordering {
    let by_values = sort.iter().zip(a.iter().zip(b)).map(|(key, (a, b))| match (a, b) {
        (SortValue::Missing, _) | (_, SortValue::Missing) => a.cmp(b),
        _ if key.order == Order::Desc => b.cmp(a),
        _ => a.cmp(b),
    });
    by_values.fold(Ordering::Equal, Ordering::then)
}

/// URI order: documents are sorted by it already, so the segments are merged row by row.
fn by_uri(parts: &[PartHits<'_>], after: Option<&Cursor>, count: usize) -> Result<Vec<Cursor>> {
    let mut walks = Vec::with_capacity(parts.len());
    let mut heap = BinaryHeap::new();
    for part in parts {
        let uris = part.segment.uris()?;
        let start = match after {
            Some(after) if !part.past => uris.find(&after.uri)?.map_or_else(|at| at, |at| at + 1),
            _ => 0,
        };
        let mut walk = Walk { hits: part.docs.range(start as u32..), uris, cursor: None, at: 0 };
        if let Some(uri) = walk.next()? {
            heap.push(Reverse((uri, walks.len())));
        }
        walks.push(walk);
    }
    let mut rows = Vec::with_capacity(count);
    while let Some(Reverse((uri, part))) = heap.pop() {
        rows.push(Cursor { values: Vec::new(), uri });
        if rows.len() == count {
            break;
        }
        if let Some(walk) = walks.get_mut(part)
            && let Some(uri) = walk.next()?
        {
            heap.push(Reverse((uri, part)));
        }
    }
    Ok(rows)
}

/// Walks the URIs of hits, reading on from the last one where the next is near.
struct Walk<'a, 'h> {
    hits: roaring::bitmap::Iter<'h>,
    uris: crate::index::Uris<'a>,
    cursor: Option<crate::index::UriCursor<'a>>,
    at: u32,
}

impl Walk<'_, '_> {
    fn next(&mut self) -> Result<Option<Vec<u8>>> {
        let Some(doc) = self.hits.next() else { return Ok(None) };
        let near = self.cursor.is_some() && doc - self.at < 16;
        let mut cursor = match self.cursor.take() {
            Some(cursor) if near => cursor,
            _ => {
                self.at = doc;
                self.uris.from(doc as usize)?
            }
        };
        while self.at <= doc {
            cursor.advance()?;
            self.at += 1;
        }
        let uri = cursor.uri.clone();
        self.cursor = Some(cursor);
        Ok(Some(uri))
    }
}

/// One sort key in one segment.
struct Key<'a> {
    source: Source<'a>,
    descending: bool,
}

/// Where a cursor's value stands among the ranks of a segment.
struct Bound {
    rank: u64,
    /// Whether rows of that rank have the cursor's value; otherwise they come before it.
    exact: bool,
}

enum Source<'a> {
    Numbers(NumberColumn<'a>),
    Dictionary(Packed<'a>, KeyColumn<'a>),
    /// The URI: documents are ordered by it.
    Uri(&'a Segment),
    /// Any other string: the slot of each hit among the distinct values of all hits.
    Ranked {
        slots: Vec<u32>,
        values: Vec<Vec<u8>>,
    },
}

impl<'a> Key<'a> {
    fn new(part: &PartHits<'a>, key: &SortKey, context: &Context<'_>) -> Result<Key<'a>> {
        Ok(Key { source: Source::new(part, key, context)?, descending: key.order == Order::Desc })
    }

    #[inline]
    fn rank(&self, slot: u64) -> u64 {
        match (slot, self.descending) {
            (0, _) => u64::MAX,
            (slot, false) => slot,
            (slot, true) => !slot,
        }
    }

    fn bound(&self, value: &SortValue) -> Result<Bound> {
        if *value == SortValue::Missing {
            return Ok(Bound { rank: u64::MAX, exact: true });
        }
        let (slot, exact) = self.source.at_most(value)?;
        let rank = match (self.descending, exact) {
            (false, _) => slot,
            (true, true) => !slot,
            (true, false) => !(slot + 1),
        };
        Ok(Bound { rank, exact })
    }

    fn value(&self, hit: usize, doc: u32) -> Result<SortValue> {
        self.source.value(hit, doc)
    }
}

impl<'a> Source<'a> {
    fn new(part: &PartHits<'a>, key: &SortKey, context: &Context<'_>) -> Result<Source<'a>> {
        let segment = part.segment;
        Ok(match Values::of(segment, &key.field)? {
            Values::Uri => Source::Uri(segment),
            Values::Column(Slotted::Numbers(numbers), _) => Source::Numbers(numbers),
            Values::Column(dictionary @ Slotted::Dictionary(keys, _), _) => {
                Source::Dictionary(dictionary.slots(), keys)
            }
            values => Source::ranked(&part.docs, context, |doc| values.text(segment, doc, context))?,
        })
    }

    fn ranked(
        docs: &RoaringBitmap,
        context: &Context<'_>,
        value: impl Fn(u32) -> Result<Option<Vec<u8>>>,
    ) -> Result<Source<'a>> {
        let mut found = Vec::with_capacity(docs.len() as usize);
        let mut bytes = 0;
        for (hit, doc) in docs.iter().enumerate() {
            let value = value(doc)?;
            bytes += value.as_ref().map_or(0, Vec::len) + size_of::<Vec<u8>>();
            if hit.is_multiple_of(1024) {
                context.tick()?;
                context.afford(bytes)?;
            }
            found.push(value);
        }
        let mut values: Vec<Vec<u8>> = found.iter().flatten().cloned().collect();
        values.sort_unstable();
        values.dedup();
        let slot =
            |v: &Option<Vec<u8>>| v.as_ref().and_then(|v| values.binary_search(v).ok()).map_or(0, |at| at as u32 + 1);
        let slots = found.iter().map(slot).collect();
        Ok(Source::Ranked { slots, values })
    }

    /// Smallest and largest slot among the documents of the block that `doc` is in, and where the next block begins;
    /// `None` where that is not known without looking at them.
    fn block(&self, doc: u32) -> Option<(u64, u64, u32)> {
        let slots = match self {
            Source::Numbers(numbers) => numbers.slots(),
            Source::Dictionary(ordinals, _) => *ordinals,
            _ => return None,
        };
        let (least, most) = slots.block_bounds(doc as usize);
        let size = crate::index::PACKED_BLOCK as u32;
        Some((least, most, (doc / size + 1).saturating_mul(size)))
    }

    /// The slot of a hit: its number among the hits, and its document.
    #[inline]
    fn slot(&self, hit: usize, doc: u32) -> u64 {
        match self {
            Source::Numbers(numbers) => numbers.slot(doc as usize),
            Source::Dictionary(ordinals, _) => ordinals.get(doc as usize),
            Source::Uri(_) => u64::from(doc) + 1,
            Source::Ranked { slots, .. } => slots.get(hit).copied().map_or(0, u64::from),
        }
    }

    /// The last slot whose value is at most `value`, 0 for none, and whether it is equal.
    fn at_most(&self, value: &SortValue) -> Result<(u64, bool)> {
        let from = |found: std::result::Result<usize, usize>| match found {
            Ok(at) => (at as u64 + 1, true),
            Err(at) => (at as u64, false),
        };
        Ok(match (self, value) {
            (Source::Numbers(numbers), SortValue::Int(order)) => numbers.slot_at_most(*order),
            (Source::Dictionary(_, KeyColumn::Dictionary { values, .. }), SortValue::Text(text)) => {
                from(values.search_sorted(text))
            }
            (Source::Uri(segment), SortValue::Text(text)) => from(segment.uris()?.find(text)?),
            (Source::Ranked { values, .. }, SortValue::Text(text)) => from(values.binary_search(text)),
            _ => (0, false),
        })
    }

    fn value(&self, hit: usize, doc: u32) -> Result<SortValue> {
        let slot = self.slot(hit, doc);
        let text = |bytes: Option<&[u8]>| bytes.map_or(SortValue::Missing, |b| SortValue::Text(b.to_vec()));
        Ok(match self {
            Source::Numbers(numbers) => numbers.order_of(slot).map_or(SortValue::Missing, SortValue::Int),
            Source::Dictionary(_, column) => text(column.get(doc as usize).as_deref()),
            Source::Uri(segment) => SortValue::Text(segment.uri(DocId(doc))?.into_bytes()),
            Source::Ranked { values, .. } => {
                text((slot as usize).checked_sub(1).and_then(|at| values.get(at)).map(Vec::as_slice))
            }
        })
    }
}

/// The first `count` hits after the cursor in a segment, as (number among the hits, document).
fn select<const N: usize>(
    part: &PartHits<'_>,
    keys: &[Key<'_>],
    after: Option<&Cursor>,
    count: usize,
) -> Result<Vec<(usize, u32)>> {
    let bounds = match after {
        Some(after) => {
            keys.iter().zip(&after.values).map(|(key, value)| key.bound(value)).collect::<Result<Vec<_>>>()?
        }
        None => Vec::new(),
    };
    let first_doc = match after {
        Some(after) => part.segment.uris()?.find(&after.uri)?.map_or_else(|at| at, |at| at + 1),
        None => 0,
    };
    // Several pages between two selections: a hit costs a comparison, not a heap operation.
    let room = (count * 4).max(1024);
    let mut rows: Vec<([u64; N], u32, u32)> = Vec::with_capacity(room);
    let mut worst: Option<([u64; N], u32, u32)> = None;
    let mut hits = part.docs.iter();
    let mut hit = 0;
    let mut blocks = Blocks::new(keys);
    while let Some(doc) = hits.next() {
        if let Some((ranks, _, _)) = &worst
            && let Some(next) = blocks.skip(doc, ranks.first().copied().unwrap_or(0))
        {
            hits.advance_to(next);
            continue;
        }
        let mut ranks = [0; N];
        ranks.iter_mut().zip(keys).for_each(|(rank, key)| *rank = key.rank(key.source.slot(hit, doc)));
        let row = (ranks, doc, hit as u32);
        hit += 1;
        if worst.is_some_and(|worst| row >= worst)
            || (after.is_some() && !is_after(&ranks, &bounds, doc as usize >= first_doc))
        {
            continue;
        }
        rows.push(row);
        if rows.len() == room {
            rows.select_nth_unstable(count);
            rows.truncate(count);
            worst = rows.iter().max().copied();
        }
    }
    rows.sort_unstable();
    rows.truncate(count);
    Ok(rows.into_iter().map(|(_, doc, hit)| (hit as usize, doc)).collect())
}

/// Leaves out blocks of documents whose best rank of the first key is worse than the worst row kept so far.
struct Blocks<'k, 'a> {
    /// The first key, where blocks may be left out at all.
    key: Option<&'k Key<'a>>,
    /// End of the block that was looked at last.
    end: u32,
}

impl<'k, 'a> Blocks<'k, 'a> {
    fn new(keys: &'k [Key<'a>]) -> Blocks<'k, 'a> {
        // Ranked keys count hits: none may be left out.
        let counted = keys.iter().any(|key| matches!(key.source, Source::Ranked { .. }));
        Blocks { key: keys.first().filter(|_| !counted), end: 0 }
    }

    /// Where to go on if the block of `doc` can be left out.
    fn skip(&mut self, doc: u32, worst: u64) -> Option<u32> {
        if doc < self.end {
            return None;
        }
        let key = self.key?;
        let (least, most, end) = key.source.block(doc)?;
        self.end = end;
        // Slot 0, no value, has the last rank: a block of nothing else has it too.
        let best = if most == 0 { u64::MAX } else { key.rank(if key.descending { most } else { least.max(1) }) };
        (best > worst).then_some(end)
    }
}

/// Whether a row comes after the cursor; `doc_is_after` decides between equal values.
fn is_after(ranks: &[u64], bounds: &[Bound], doc_is_after: bool) -> bool {
    for (rank, bound) in ranks.iter().zip(bounds) {
        match rank.cmp(&bound.rank) {
            Ordering::Less => return false,
            Ordering::Greater => return true,
            Ordering::Equal if !bound.exact => return false,
            Ordering::Equal => {}
        }
    }
    doc_is_after
}
