//! Ordinal -> ascending list of u32 (documents, units or blocks).
//!
//! Short lists are differences as variable-length numbers, long ones roaring bitmaps, whichever is smaller.
//! Layout: `docs/format.md`, "Postings".

use super::packed::{self, Packed};
use super::unit_set::UnitSet;
use super::varint;
use crate::error::{Error, Result};
use roaring::RoaringBitmap;

/// Lists longer than this are roaring bitmaps.
const LONGEST_LIST: usize = 48;

/// Writes lists in ordinal order.
#[derive(Default)]
pub(crate) struct PostingsWriter {
    offsets: Vec<u64>,
    body: Vec<u8>,
}

impl PostingsWriter {
    /// Appends the list of the next ordinal; `list` ascends strictly.
    pub(crate) fn push(&mut self, list: &[u32]) -> Result<()> {
        self.offsets.push(self.body.len() as u64);
        if list.len() <= LONGEST_LIST {
            varint::put(&mut self.body, (list.len() as u64) << 1);
            let mut last = 0;
            for &value in list {
                varint::put(&mut self.body, u64::from(value - last));
                last = value;
            }
            return Ok(());
        }
        varint::put(&mut self.body, (list.len() as u64) << 1 | 1);
        let mut bitmap = RoaringBitmap::from_sorted_iter(list.iter().copied())
            .map_err(|e| Error::new(crate::ErrorKind::Internal, format!("postings out of order: {e}")))?;
        bitmap.optimize();
        bitmap.serialize_into(&mut self.body).map_err(|e| Error::io("write postings", e))
    }

    /// The section's bytes.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.offsets.push(self.body.len() as u64);
        let mut packed = Vec::new();
        packed::write(&self.offsets, &mut packed);
        let mut out = Vec::with_capacity(packed.len() + self.body.len() + 10);
        varint::put(&mut out, packed.len() as u64);
        out.extend_from_slice(&packed);
        out.extend_from_slice(&self.body);
        out
    }
}

/// Reads lists in place.
#[derive(Clone, Copy)]
pub(crate) struct Postings<'a> {
    offsets: Packed<'a>,
    body: &'a [u8],
}

impl<'a> Postings<'a> {
    pub(crate) fn new(mut bytes: &'a [u8]) -> Result<Postings<'a>> {
        let len = varint::take(&mut bytes)? as usize;
        let offsets = Packed::new(varint::take_bytes(&mut bytes, len)?)?;
        Ok(Postings { offsets, body: bytes })
    }

    /// Number of lists.
    pub(crate) fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Number of documents in the list of `ordinal`; 0 where it cannot be read.
    pub(crate) fn count(&self, ordinal: usize) -> u64 {
        self.head(ordinal).map_or(0, |(count, _, _)| count)
    }

    /// The same, and the bytes of its bitmap if it is one.
    pub(crate) fn size(&self, ordinal: usize) -> (u64, Option<usize>) {
        self.head(ordinal).map_or((0, None), |(count, is_bitmap, bytes)| (count, is_bitmap.then_some(bytes.len())))
    }

    fn head(&self, ordinal: usize) -> Result<(u64, bool, &'a [u8])> {
        let (from, to) = (self.offsets.get(ordinal) as usize, self.offsets.get(ordinal + 1) as usize);
        let mut bytes = self.body.get(from..to).ok_or_else(|| {
            Error::corrupted(format!("postings: list {ordinal} at {from}..{to} is outside {} bytes", self.body.len()))
        })?;
        let head = varint::take(&mut bytes)?;
        Ok((head >> 1, head & 1 == 1, bytes))
    }

    /// Adds the list of `ordinal`, to `short` if it is short.
    fn add(&self, ordinal: usize, short: &mut Vec<u32>, bitmaps: &mut Vec<RoaringBitmap>) -> Result<()> {
        let (count, is_bitmap, mut bytes) = self.head(ordinal)?;
        if is_bitmap {
            bitmaps.push(read_bitmap(bytes)?);
            return Ok(());
        }
        let mut value = 0u32;
        for _ in 0..count {
            value = value.wrapping_add(varint::take(&mut bytes)? as u32);
            short.push(value);
        }
        Ok(())
    }

    /// The union of several lists.
    pub(crate) fn union(&self, ordinals: impl IntoIterator<Item = usize>) -> Result<RoaringBitmap> {
        let mut bitmaps = Vec::new();
        let mut short = Vec::new();
        for ordinal in ordinals {
            self.add(ordinal, &mut short, &mut bitmaps)?;
        }
        if !short.is_empty() {
            bitmaps.push(unordered_bitmap(short));
        }
        Ok(roaring::MultiOps::union(bitmaps))
    }
}

/// Any numbers as a bitmap; many by way of a set of bits, unless they are far apart.
fn unordered_bitmap(mut list: Vec<u32>) -> RoaringBitmap {
    let end = list.iter().max().map_or(0, |most| *most as usize + 1);
    if list.len() > end / 1024 && end < 1 << 31 {
        let mut set = UnitSet::new(0..end);
        list.iter().for_each(|unit| set.insert(*unit as usize));
        return set.into_bitmap();
    }
    list.sort_unstable();
    list.into_iter().collect()
}

fn read_bitmap(bytes: &[u8]) -> Result<RoaringBitmap> {
    RoaringBitmap::deserialize_from(bytes).map_err(|e| Error::corrupted(format!("postings: not a roaring bitmap: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn lists_come_back(lists in proptest::collection::vec(proptest::collection::btree_set(0u32..70_000, 0..200), 0..12)) {
            let mut writer = PostingsWriter::default();
            for list in &lists {
                writer.push(&list.iter().copied().collect::<Vec<_>>()).unwrap();
            }
            let bytes = writer.finish();
            let postings = Postings::new(&bytes).unwrap();
            prop_assert_eq!(postings.len(), lists.len());
            for (ordinal, list) in lists.iter().enumerate() {
                    prop_assert!(postings.union([ordinal]).unwrap().iter().eq(list.iter().copied()));
            }
            let all: std::collections::BTreeSet<u32> = lists.iter().flatten().copied().collect();
            prop_assert!(postings.union(0..lists.len()).unwrap().iter().eq(all));
        }
    }
}
