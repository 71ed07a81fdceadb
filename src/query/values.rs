//! The values of a field in the documents of one segment, wherever they are kept.

use super::filter::{filename, fold_case};
use super::guard::Context;
use crate::error::Result;
use crate::index::{
    ColumnId, ColumnPart, DocId, KeyColumn, NumberColumn, PACKED_BLOCK, Packed, Paths, Postings, Segment, elements_of,
};
use crate::model::field::{FILENAME, URI};
use crate::model::{FieldId, FieldPath, KeyCase, Kind};
use roaring::RoaringBitmap;
use std::collections::BTreeSet;
use std::ops::Range;

/// A column whose values have slots: numbers ordered as the values are, 0 for none.
#[expect(
    clippy::large_enum_variant,
    reason = "a few for each query and segment: boxing them would cost more than the room"
)]
pub(crate) enum Slotted<'a> {
    Numbers(NumberColumn<'a>),
    Dictionary(KeyColumn<'a>, Postings<'a>),
}

impl<'a> Slotted<'a> {
    pub(crate) fn slots(&self) -> Packed<'a> {
        match self {
            Slotted::Numbers(numbers) => numbers.slots(),
            Slotted::Dictionary(keys, _) => keys.ordinals().unwrap_or_default(),
        }
    }

    /// Number of different values, where every slot up to it is one.
    pub(crate) fn distinct(&self) -> Option<usize> {
        if let Slotted::Dictionary(_, postings) = self { Some(postings.len()) } else { None }
    }

    /// The value of a slot.
    pub(crate) fn value(&self, slot: u64) -> Shared<'a> {
        match self {
            Slotted::Numbers(numbers) => Shared::Int(numbers.order_of(slot).unwrap_or_default()),
            Slotted::Dictionary(KeyColumn::Dictionary { values, .. }, _) if slot > 0 => {
                Shared::Text(values.unit(slot as usize - 1))
            }
            Slotted::Dictionary(..) => Shared::Text(&[]),
        }
    }
}

/// A value that compares across segments, where it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shared<'a> {
    /// Integers, instants, floats as order-preserving bits.
    Int(i64),
    /// Strings, byte by byte.
    Text(&'a [u8]),
}

/// Which units of a column belong to a document.
pub(crate) struct Elements<'a>(Option<Packed<'a>>);

impl Elements<'_> {
    /// The units of a document.
    #[inline]
    fn of(&self, doc: u32) -> Range<usize> {
        let doc = doc as usize;
        match self.0 {
            None => doc..doc + 1,
            Some(ends) => ends.get(doc) as usize..ends.get(doc + 1) as usize,
        }
    }

    /// Hands every value of `docs` to `each`, as (document, slot).
    pub(crate) fn each(
        &self,
        docs: &RoaringBitmap,
        slots: Packed<'_>,
        context: &Context<'_>,
        mut each: impl FnMut(u32, u64),
    ) -> Result<()> {
        if self.0.is_none() && are_many(docs, slots) {
            return in_chunks(docs, slots, context, |docs, slots| {
                docs.iter().zip(slots).filter(|(_, slot)| **slot != 0).for_each(|(doc, slot)| each(*doc, *slot));
            });
        }
        for (seen, doc) in docs.iter().enumerate() {
            if seen.is_multiple_of(4096) {
                context.tick()?;
            }
            for unit in self.of(doc) {
                let slot = slots.get(unit);
                if slot != 0 {
                    each(doc, slot);
                }
            }
        }
        Ok(())
    }

    /// Hands all values of `docs` to `each`, many at a time, with 0 where there is none.
    pub(crate) fn all(
        &self,
        docs: &RoaringBitmap,
        slots: Packed<'_>,
        context: &Context<'_>,
        mut each: impl FnMut(&[u64]),
    ) -> Result<()> {
        if self.0.is_none() && are_many(docs, slots) {
            return in_chunks(docs, slots, context, |_, slots| each(slots));
        }
        self.each(docs, slots, context, |_, slot| each(&[slot]))
    }

    /// Hands every different value of each document to `each`.
    pub(crate) fn each_distinct(
        &self,
        docs: &RoaringBitmap,
        slots: Packed<'_>,
        context: &Context<'_>,
        mut each: impl FnMut(u64),
    ) -> Result<()> {
        if self.0.is_none() {
            return self.each(docs, slots, context, |_, slot| each(slot));
        }
        let (mut last, mut seen) = (u32::MAX, Vec::new());
        self.each(docs, slots, context, |doc, slot| {
            if doc != last {
                seen.clear();
                last = doc;
            }
            if !seen.contains(&slot) {
                seen.push(slot);
                each(slot);
            }
        })
    }
}

/// Values of one in so many documents are looked up one by one; of more, block by block.
const SPARSE: u64 = 128;
/// Of a block in which one in so many values is wanted all are decoded.
const DENSE: usize = 2;

/// Whether the values of so many documents are better read block by block.
pub(crate) fn are_many(docs: &RoaringBitmap, slots: Packed<'_>) -> bool {
    docs.len().saturating_mul(SPARSE) > slots.len() as u64
}

/// Hands `docs` and their slots, 0 for no value, to `each`: a part of a block at a time.
pub(crate) fn in_chunks(
    docs: &RoaringBitmap,
    slots: Packed<'_>,
    context: &Context<'_>,
    mut each: impl FnMut(&[u32], &[u64]),
) -> Result<()> {
    let (mut buffer, mut room, mut few) = ([0u32; PACKED_BLOCK], [0u64; PACKED_BLOCK], [0u64; PACKED_BLOCK]);
    let mut hits = docs.iter();
    loop {
        context.tick()?;
        let mut rest: &[u32] = hits.next_many(&mut buffer);
        if rest.is_empty() {
            return Ok(());
        }
        while let Some(first) = rest.first() {
            let block = *first as usize / PACKED_BLOCK;
            let start = block * PACKED_BLOCK;
            let (these, others) = rest.split_at(rest.partition_point(|doc| (*doc as usize) < start + PACKED_BLOCK));
            let values = few.get_mut(..these.len()).unwrap_or(&mut []);
            let wanted = values.iter_mut().zip(these);
            if these.len() * DENSE > PACKED_BLOCK {
                let all = slots.block(block, &mut room);
                wanted.for_each(|(value, doc)| *value = all.get(*doc as usize - start).copied().unwrap_or(0));
            } else if start + PACKED_BLOCK <= slots.len() {
                let reader = slots.reader(block);
                wanted.for_each(|(value, doc)| *value = reader.get(*doc as usize - start));
            } else {
                wanted.for_each(|(value, doc)| *value = slots.get(*doc as usize));
            }
            each(these, values);
            rest = others;
        }
    }
}

/// Where the values of a field are.
pub(crate) enum Values<'a> {
    /// Nowhere, in this segment's columns.
    Unindexed(FieldId),
    Column(Slotted<'a>, Elements<'a>),
    Plain(KeyColumn<'a>, Elements<'a>),
    Uri,
    Filename(Paths<'a>),
    Entry(MapEntry<'a>),
}

impl<'a> Values<'a> {
    /// The values of a field, or of an entry of a map field.
    pub(crate) fn of(segment: &'a Segment, path: &FieldPath) -> Result<Values<'a>> {
        let column = ColumnId::of(path.id);
        match (path.id, path.id.field().kind, &path.key) {
            (URI, ..) => return Ok(Values::Uri),
            (FILENAME, ..) => return Ok(Values::Filename(segment.paths()?)),
            (_, Kind::Map(case), Some(name)) => {
                let entry = MapEntry::new(segment, column, name, case)?;
                return Ok(entry.map_or(Values::Unindexed(path.id), Values::Entry));
            }
            _ => {}
        }
        let elements = Elements(elements_of(path.id).map_or(Ok(None), |array| segment.elements(array))?);
        if let Some(numbers) = segment.numbers(column)? {
            return Ok(Values::Column(Slotted::Numbers(numbers), elements));
        }
        Ok(match segment.keys(column)? {
            None => Values::Unindexed(path.id),
            Some(plain @ KeyColumn::Plain(_)) => Values::Plain(plain, elements),
            Some(keys @ KeyColumn::Dictionary { postings, .. }) => {
                Values::Column(Slotted::Dictionary(keys, postings), elements)
            }
        })
    }

    /// Hands the different texts of a document's values to `each`, where they are not in a column with slots.
    pub(crate) fn each_text(
        &self,
        segment: &Segment,
        doc: u32,
        context: &Context<'_>,
        mut each: impl FnMut(Vec<u8>),
    ) -> Result<()> {
        let Values::Plain(column, elements) = self else {
            self.text(segment, doc, context)?.into_iter().for_each(each);
            return Ok(());
        };
        let texts = elements.of(doc).filter_map(|unit| column.get(unit)).map(|value| value.to_vec());
        texts.collect::<BTreeSet<_>>().into_iter().for_each(&mut each);
        Ok(())
    }

    /// The text of a document's value, the first of several, where it is not in a column with slots.
    pub(crate) fn text(&self, segment: &Segment, doc: u32, context: &Context<'_>) -> Result<Option<Vec<u8>>> {
        Ok(match self {
            Values::Column(..) => None,
            Values::Plain(column, elements) => elements.of(doc).find_map(|unit| column.get(unit)).map(|v| v.to_vec()),
            Values::Uri => Some(segment.uris()?.get(doc as usize)?),
            Values::Filename(paths) => filename(segment, paths, doc)?,
            Values::Entry(entry) => entry.get(doc),
            Values::Unindexed(field) => match context.derived {
                Some(derived) => match derived.constant(*field) {
                    Some(constant) => Some(constant.as_bytes().to_vec()),
                    None if derived.is_derived(*field) => {
                        derived.of(*field, &segment.uri(DocId(doc))?).map(String::into_bytes)
                    }
                    None => None,
                },
                None => None,
            },
        })
    }
}

/// The entry of one key in a map field.
pub(crate) struct MapEntry<'a> {
    ends: Packed<'a>,
    keys: KeyColumn<'a>,
    values: KeyColumn<'a>,
    name: String,
    case: KeyCase,
}

impl<'a> MapEntry<'a> {
    fn new(segment: &'a Segment, column: ColumnId, name: &str, case: KeyCase) -> Result<Option<MapEntry<'a>>> {
        let keys = segment.keys(ColumnId { part: ColumnPart::Key, ..column })?;
        let parts = (segment.elements(column.field)?, keys, segment.keys(column)?);
        let (Some(ends), Some(keys), Some(values)) = parts else { return Ok(None) };
        let name = if case == KeyCase::Sensitive { name.to_owned() } else { fold_case(name).into_owned() };
        Ok(Some(MapEntry { ends, keys, values, name, case }))
    }

    /// The value in a document, without case where case does not count.
    fn get(&self, doc: u32) -> Option<Vec<u8>> {
        let doc = doc as usize;
        let mut elements = self.ends.get(doc) as usize..self.ends.get(doc + 1) as usize;
        let same = |key: &[u8]| match self.case {
            KeyCase::Sensitive => key == self.name.as_bytes(),
            _ => fold_case(&String::from_utf8_lossy(key)) == self.name,
        };
        let element = elements.find(|element| self.keys.get(*element).is_some_and(|key| same(&key)))?;
        let value = self.values.get(element)?;
        Some(match self.case {
            KeyCase::Insensitive => fold_case(&String::from_utf8_lossy(&value)).into_owned().into_bytes(),
            _ => value.to_vec(),
        })
    }
}
