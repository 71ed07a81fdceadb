//! The documents of a keyword by a number that stands beside it in one element of an array: a label of at least some
//! confidence, a gender of some age.
//!
//! Of each keyword with many elements the documents are listed by stretches of the number, so that a range of it takes
//! most lists whole or not at all. Layout: `docs/format.md`, "Pairs".

use super::column::ColumnId;
use super::packed::{self, Packed};
use super::unit_set::UnitSet;
use super::varint;
use crate::error::{Error, Result};
use crate::model::FieldId;
use crate::model::field;
use std::ops::RangeInclusive;

/// Keywords and the numbers that are asked for together with them.
pub(crate) const PAIRS: [(FieldId, FieldId); 2] =
    [(field::LABEL_NAME, field::LABEL_CONFIDENCE), (field::FIGURE_GENDER, field::FIGURE_AGE)];
/// Keywords of fewer elements are looked at document by document.
const MIN_ELEMENTS: usize = 1024;
/// Most stretches of the number.
const MOST_STRETCHES: usize = 64;
/// Numbers between two that are looked at to find where stretches begin.
const SAMPLED: usize = 16;

/// The section's bytes for the columns of a keyword and a number of the same elements; `None` where no keyword has
/// enough of them. `doc_of` gives the document of each element, ascending.
pub(crate) fn build(keywords: &Packed<'_>, numbers: &Packed<'_>, doc_of: &[u32]) -> Option<Vec<u8>> {
    let mut counts: Vec<usize> = Vec::new();
    keywords.each(|_, slot| {
        let slot = slot as usize;
        if slot >= counts.len() {
            counts.resize(slot + 1, 0);
        }
        counts.get_mut(slot).into_iter().for_each(|count| *count += 1);
    });
    let frequent = (1..).zip(counts.iter().skip(1)).filter(|(_, count)| **count >= MIN_ELEMENTS);
    let kept: Vec<u64> = frequent.map(|(slot, _)| slot).collect();
    let firsts = stretches(numbers);
    if kept.is_empty() || firsts.is_empty() {
        return None;
    }
    let mut row_of = vec![usize::MAX; counts.len()];
    kept.iter().enumerate().for_each(|(row, slot)| row_of.get_mut(*slot as usize).into_iter().for_each(|to| *to = row));
    // The list of each element, and the document.
    let mut entries: Vec<(u32, u32)> = Vec::new();
    let mut numbers_of = Reader::new(numbers);
    keywords.each(|unit, slot| {
        let row = row_of.get(slot as usize).copied().unwrap_or(usize::MAX);
        let number = numbers_of.get(unit);
        if row != usize::MAX && number != 0 {
            let stretch = firsts.partition_point(|first| *first <= number).saturating_sub(1);
            entries.push(((row * firsts.len() + stretch) as u32, doc_of.get(unit).copied().unwrap_or(0)));
        }
    });
    // Elements are in the order of their documents: a stable sort keeps that within a list.
    entries.sort_by_key(|(list, _)| *list);
    entries.dedup();
    Some(encode(&kept, &firsts, &entries))
}

/// Reads ascending units of a packed array, block by block.
struct Reader<'a> {
    packed: Packed<'a>,
    block: usize,
    values: Box<[u64; packed::BLOCK]>,
}

impl<'a> Reader<'a> {
    fn new(packed: &Packed<'a>) -> Reader<'a> {
        Reader { packed: *packed, block: usize::MAX, values: Box::new([0; packed::BLOCK]) }
    }

    fn get(&mut self, unit: usize) -> u64 {
        if unit / packed::BLOCK != self.block {
            self.block = unit / packed::BLOCK;
            self.values.fill(0);
            self.packed.block(self.block, &mut self.values);
        }
        self.values.get(unit % packed::BLOCK).copied().unwrap_or(0)
    }
}

/// The first slot of each stretch, ascending, such that all have about as many elements.
fn stretches(numbers: &Packed<'_>) -> Vec<u64> {
    let mut seen = Vec::with_capacity(numbers.len() / SAMPLED + 1);
    let mut present = 0usize;
    numbers.each(|_, slot| {
        if slot != 0 && present.is_multiple_of(SAMPLED) {
            seen.push(slot);
        }
        present += usize::from(slot != 0);
    });
    seen.sort_unstable();
    let mut firsts: Vec<u64> =
        (0..MOST_STRETCHES).filter_map(|n| seen.get(n * seen.len() / MOST_STRETCHES)).copied().collect();
    firsts.dedup();
    // Smaller numbers that no sample met belong to the first stretch.
    firsts.first_mut().into_iter().for_each(|first| *first = 1);
    firsts
}

fn encode(kept: &[u64], firsts: &[u64], entries: &[(u32, u32)]) -> Vec<u8> {
    let (mut starts, mut body) = (Vec::with_capacity(kept.len() * firsts.len() + 1), Vec::new());
    let mut rest = entries;
    for list in 0..kept.len() * firsts.len() {
        starts.push(body.len() as u64);
        let (these, others) = rest.split_at(rest.partition_point(|(of, _)| *of as usize <= list));
        let mut next = 0;
        for (_, doc) in these {
            varint::put(&mut body, u64::from(*doc) - next);
            next = u64::from(*doc) + 1;
        }
        rest = others;
    }
    starts.push(body.len() as u64);
    let mut out = Vec::with_capacity(body.len() + starts.len() * 4);
    for array in [kept, firsts, &starts] {
        let mut packed = Vec::new();
        packed::write(array, &mut packed);
        varint::put(&mut out, packed.len() as u64);
        out.extend_from_slice(&packed);
    }
    out.extend_from_slice(&body);
    out
}

/// Reads the section in place.
#[derive(Clone, Copy)]
pub(crate) struct Pairs<'a> {
    /// Slots of the keywords that have lists.
    kept: Packed<'a>,
    firsts: Packed<'a>,
    starts: Packed<'a>,
    body: &'a [u8],
}

impl<'a> Pairs<'a> {
    pub(crate) fn new(mut bytes: &'a [u8]) -> Result<Pairs<'a>> {
        let mut array = || {
            let len = varint::take(&mut bytes)? as usize;
            Packed::new(varint::take_bytes(&mut bytes, len)?)
        };
        let (kept, firsts, starts) = (array()?, array()?, array()?);
        let lists = kept.len().checked_mul(firsts.len()).and_then(|lists| lists.checked_add(1));
        if lists != Some(starts.len()) {
            let (kept, firsts, starts) = (kept.len(), firsts.len(), starts.len());
            return Err(Error::corrupted(format!("pairs: {kept} keywords, {firsts} stretches, {starts} list starts")));
        }
        Ok(Pairs { kept, firsts, starts, body: bytes })
    }

    /// The number that is paired with the keyword of a column.
    pub(crate) fn number_of(column: ColumnId) -> Option<FieldId> {
        PAIRS.into_iter().find(|(keyword, _)| *keyword == column.field).map(|(_, number)| number)
    }

    /// The lists of a keyword, as a row; `None` where it has none.
    pub(crate) fn row(&self, slot: u64) -> Option<usize> {
        let (mut low, mut high) = (0, self.kept.len());
        while low < high {
            let middle = (low + high) / 2;
            if self.kept.get(middle) < slot { low = middle + 1 } else { high = middle }
        }
        (low < self.kept.len() && self.kept.get(low) == slot).then_some(low)
    }

    /// Bytes of the lists that touch a range of numbers: about as many as there are documents, or up to twice.
    pub(crate) fn bytes(&self, row: usize, numbers: &RangeInclusive<u64>) -> usize {
        let touched = self.touched(numbers);
        let first = row * self.firsts.len();
        (self.starts.get(first + touched.end) as usize).saturating_sub(self.starts.get(first + touched.start) as usize)
    }

    fn touched(&self, numbers: &RangeInclusive<u64>) -> std::ops::Range<usize> {
        let stretch = |slot: u64| (0..self.firsts.len()).rev().find(|at| self.firsts.get(*at) <= slot).unwrap_or(0);
        if numbers.is_empty() {
            return 0..0;
        }
        stretch(*numbers.start())..stretch(*numbers.end()) + 1
    }

    /// Adds the documents with an element of a row and a number in a range: to `certain` those of stretches that are in
    /// the range as a whole, to `possible` those of the others.
    pub(crate) fn add(
        &self,
        row: usize,
        numbers: &RangeInclusive<u64>,
        certain: &mut UnitSet,
        possible: &mut UnitSet,
    ) -> Result<()> {
        for stretch in self.touched(numbers) {
            let first = self.firsts.get(stretch);
            let past = if stretch + 1 < self.firsts.len() { self.firsts.get(stretch + 1) } else { u64::MAX };
            // Where the last stretch ends is not known: a range without an upper end has all of it.
            let inside = *numbers.start() <= first && past.saturating_sub(1) <= *numbers.end();
            let set = if inside { &mut *certain } else { &mut *possible };
            let list = row * self.firsts.len() + stretch;
            let (from, to) = (self.starts.get(list) as usize, self.starts.get(list + 1) as usize);
            let bytes = self.body.get(from..to).ok_or_else(|| {
                Error::corrupted(format!("pairs: list {list} at {from}..{to} is outside {} bytes", self.body.len()))
            })?;
            varint::each_gap(bytes, |doc| set.insert(doc));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranges_equal_a_look_at_each_element() {
        // Three keywords, one of them rare; numbers with and without gaps; documents of none to four elements.
        let doc_of: Vec<u32> = (0..9000u32).flat_map(|doc| std::iter::repeat_n(doc, (doc * 7 % 5) as usize)).collect();
        let keyword = |unit: u64| if unit.is_multiple_of(97) { 3 } else { unit % 3 % 2 + 1 };
        for number in [|unit: u64| unit * 7919 % 1013, |unit| unit % 4, |unit| if unit % 11 == 0 { 5 } else { 0 }] {
            let units = doc_of.len() as u64;
            let (mut keywords, mut numbers) = (Vec::new(), Vec::new());
            packed::write(&(0..units).map(keyword).collect::<Vec<_>>(), &mut keywords);
            packed::write(&(0..units).map(number).collect::<Vec<_>>(), &mut numbers);
            let section = build(&Packed::new(&keywords).unwrap(), &Packed::new(&numbers).unwrap(), &doc_of).unwrap();
            let pairs = Pairs::new(&section).unwrap();
            assert!(pairs.row(3).is_none() && pairs.row(0).is_none() && pairs.row(9).is_none());
            for range in
                [1..=u64::MAX, 1..=3, 2..=900, 500..=500, 900..=u64::MAX, 2000..=u64::MAX, RangeInclusive::new(3, 2)]
            {
                let row = pairs.row(2).unwrap();
                let (mut certain, mut possible) = (UnitSet::new(0..9000), UnitSet::new(0..9000));
                pairs.add(row, &range, &mut certain, &mut possible).unwrap();
                let (certain, possible) = (certain.into_bitmap(), possible.into_bitmap());
                let fits = |unit: &u64| keyword(*unit) == 2 && number(*unit) != 0 && range.contains(&number(*unit));
                let expected: std::collections::BTreeSet<u32> =
                    (0..units).filter(fits).map(|unit| doc_of[unit as usize]).collect();
                assert!(certain.iter().all(|doc| expected.contains(&doc)), "{range:?}: certain and not there");
                assert!(
                    expected.iter().all(|doc| certain.contains(*doc) || possible.contains(*doc)),
                    "{range:?}: missed"
                );
                assert!(pairs.bytes(row, &range) as u64 >= certain.len().max(possible.len()), "{range:?}");
            }
        }
    }

    #[test]
    fn rare_keywords_have_no_section() {
        let (mut keywords, mut numbers) = (Vec::new(), Vec::new());
        packed::write(&[1; MIN_ELEMENTS - 1], &mut keywords);
        packed::write(&[1; MIN_ELEMENTS - 1], &mut numbers);
        let packed = |bytes| Packed::new(bytes).unwrap();
        assert!(build(&packed(&keywords), &packed(&numbers), &[0; MIN_ELEMENTS - 1]).is_none());
    }

    proptest! {
        #[test]
        fn any_bytes_are_harmless(bytes in proptest::collection::vec(any::<u8>(), 0..300), row in 0usize..9) {
            if let Ok(pairs) = Pairs::new(&bytes) {
                let _ = pairs.row(3);
                let (mut certain, mut possible) = (UnitSet::new(0..99), UnitSet::new(0..99));
                let _ = pairs.add(row, &(1..=u64::MAX), &mut certain, &mut possible);
                pairs.bytes(row, &(2..=3));
            }
        }
    }
}
