//! A set of units as one bit each: what searches collect large answers in.
//!
//! Setting a bit costs a nanosecond, where a roaring bitmap searches its container first; at the end the bits become
//! one in a few microseconds.

use roaring::RoaringBitmap;
use std::ops::Range;

/// Bits of a word. The blocks of an arena are as long, so that a block's units are one word.
const WORD: usize = 64;

/// Units of a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnitSet {
    /// Unit of the first bit, a multiple of [`WORD`].
    base: usize,
    range: Range<usize>,
    words: Vec<u64>,
}

impl UnitSet {
    /// No unit yet, of those in `range`.
    pub(crate) fn new(range: Range<usize>) -> UnitSet {
        let base = range.start / WORD * WORD;
        let words = vec![0; range.end.saturating_sub(base).div_ceil(WORD)];
        UnitSet { base, range, words }
    }

    /// The units that it was made for.
    pub(crate) fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// Adds a unit; those outside the range are left out at the end.
    #[inline]
    pub(crate) fn insert(&mut self, unit: usize) {
        if let Some(word) = self.words.get_mut(unit.wrapping_sub(self.base) / WORD) {
            *word |= 1 << (unit % WORD);
        }
    }

    /// Adds units.
    pub(crate) fn insert_range(&mut self, units: Range<usize>) {
        let (start, end) = (units.start.max(self.range.start), units.end.min(self.range.end));
        if start >= end {
            return;
        }
        set_bits(&mut self.words, start - self.base..end - self.base);
    }

    /// Adds the units whose bits are set in `bytes`, lowest first; `unit`, a multiple of 64, is that of the first bit.
    pub(crate) fn insert_bits(&mut self, unit: usize, bytes: &[u8]) {
        let (first, base) = (unit / WORD, self.base / WORD);
        let words = self.words.get_mut(first.saturating_sub(base)..).unwrap_or(&mut []);
        for (word, bits) in words.iter_mut().zip(bytes.chunks(WORD / 8).skip(base.saturating_sub(first))) {
            let mut full = [0; WORD / 8];
            full.iter_mut().zip(bits).for_each(|(to, from)| *to = *from);
            *word |= u64::from_le_bytes(full);
        }
    }

    /// Removes a unit.
    #[inline]
    pub(crate) fn remove(&mut self, unit: usize) {
        if let Some(word) = self.words.get_mut(unit.wrapping_sub(self.base) / WORD) {
            *word &= !(1 << (unit % WORD));
        }
    }

    /// Keeps the units that `other`, of the same range, has too.
    pub(crate) fn intersect(&mut self, other: &UnitSet) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word &= other);
    }

    /// Adds the units of a set of a part of the range.
    pub(crate) fn unite(&mut self, part: &UnitSet) {
        let at = part.base.saturating_sub(self.base) / WORD;
        let words = self.words.get_mut(at..).unwrap_or(&mut []);
        words.iter_mut().zip(&part.words).for_each(|(word, part)| *word |= part);
    }

    /// Groups of 64 units that have any, ascending; group `n` begins with unit 64 n.
    pub(crate) fn groups(&self) -> impl Iterator<Item = usize> {
        let first = self.base / WORD;
        self.words.iter().enumerate().filter(|(_, word)| **word != 0).map(move |(at, _)| first + at)
    }

    /// The set as a bitmap.
    pub(crate) fn into_bitmap(mut self) -> RoaringBitmap {
        if let Some(first) = self.words.first_mut() {
            *first &= u64::MAX << (self.range.start - self.base);
        }
        let past = self.range.end.saturating_sub(self.base) % WORD;
        if let Some(last) = self.words.last_mut().filter(|_| past > 0) {
            *last &= u64::MAX >> (WORD - past);
        }
        let mut bytes = vec![0; self.words.len() * (WORD / 8)];
        let places = bytes.chunks_exact_mut(WORD / 8);
        places.zip(&self.words).for_each(|(place, word)| place.copy_from_slice(&word.to_le_bytes()));
        RoaringBitmap::from_lsb0_bytes(self.base as u32, &bytes)
    }
}

/// Sets the bits of a range, which may not be empty.
#[inline]
pub(crate) fn set_bits(words: &mut [u64], bits: Range<usize>) {
    let last = bits.end - 1;
    let (head, tail) = (u64::MAX << (bits.start % WORD), u64::MAX >> (WORD - 1 - last % WORD));
    match words.get_mut(bits.start / WORD..=last / WORD) {
        Some([only]) => *only |= head & tail,
        Some([front, middle @ .., back]) => {
            *front |= head;
            middle.fill(u64::MAX);
            *back |= tail;
        }
        _ => {}
    }
}

/// Ascending units as a bitmap; many of them by way of a set.
pub(crate) fn bitmap_of(units: &[u32], range: Range<usize>) -> RoaringBitmap {
    /// Fewer are appended to a bitmap faster than the bits of a set are cleared and counted.
    const FEW: usize = 1024;
    if units.len() < FEW
        && let Ok(bitmap) = RoaringBitmap::from_sorted_iter(units.iter().copied())
    {
        return bitmap;
    }
    let mut set = UnitSet::new(range);
    units.iter().for_each(|unit| set.insert(*unit as usize));
    set.into_bitmap()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn equals_a_plain_set(
            (from, len) in (0usize..300, 0usize..2000),
            single in proptest::collection::vec(0usize..2500, 0..60),
            ranges in proptest::collection::vec((0usize..2500, 0usize..400), 0..6),
            (bits_at, bits) in (0usize..40, proptest::collection::vec(any::<u8>(), 0..40)),
            gone in proptest::collection::vec(0usize..2500, 0..60),
        ) {
            let range = from..from + len;
            let mut set = UnitSet::new(range.clone());
            let mut plain = BTreeSet::new();
            for (start, len) in ranges {
                set.insert_range(start..start + len);
                plain.extend(start..start + len);
            }
            set.insert_bits(bits_at * 64, &bits);
            plain.extend((0..bits.len() * 8).filter(|at| bits[at / 8] >> (at % 8) & 1 == 1).map(|at| bits_at * 64 + at));
            for unit in single {
                set.insert(unit);
                plain.insert(unit);
            }
            for unit in gone {
                set.remove(unit);
                plain.remove(&unit);
            }
            plain.retain(|unit| range.contains(unit));
            let found: Vec<u32> = set.into_bitmap().iter().collect();
            prop_assert_eq!(&found, &plain.iter().map(|unit| *unit as u32).collect::<Vec<_>>());
            prop_assert!(bitmap_of(&found, range).iter().eq(found));
        }
    }
}
