//! The documents of a numeric column in the order of its values: the first of a sorted page, and the documents of a
//! range, are found without looking at the others.
//!
//! Layout: `docs/format.md`, "Order".

use super::numbers::NumberColumn;
use super::packed::{self, Packed};
use crate::error::{Error, Result};
use std::ops::Range;

/// Columns of fewer units are read quickly enough as they are.
const MIN_UNITS: usize = 64 << 10;
/// Of so many units one at least has a value.
const PRESENT_ONE_IN: usize = 2;
/// A column in which each value is that of more documents is not much ordered by them.
const MOST_PER_VALUE: usize = 64;

/// The section's bytes; `None` for a column that is better read as it is.
pub(crate) fn build(column: &NumberColumn<'_>) -> Option<Vec<u8>> {
    let slots = column.slots();
    if slots.len() < MIN_UNITS {
        return None;
    }
    let mut rows: Vec<(u64, u32)> = Vec::new();
    slots.each(|unit, slot| {
        if slot != 0 {
            rows.push((slot, unit as u32));
        }
    });
    if rows.len() * PRESENT_ONE_IN < slots.len() {
        return None;
    }
    rows.sort_unstable();
    let distinct = rows.chunk_by(|a, b| a.0 == b.0).count();
    if distinct * MOST_PER_VALUE < rows.len() {
        return None;
    }
    let units: Vec<u64> = rows.into_iter().map(|(_, unit)| u64::from(unit)).collect();
    let mut out = Vec::new();
    packed::write(&units, &mut out);
    Some(out)
}

/// Reads the section in place.
#[derive(Clone, Copy)]
pub(crate) struct Order<'a> {
    docs: Packed<'a>,
    column: NumberColumn<'a>,
}

impl<'a> Order<'a> {
    /// Of the documents with a value in `column`.
    pub(crate) fn new(bytes: &'a [u8], column: NumberColumn<'a>) -> Result<Order<'a>> {
        let docs = Packed::new(bytes)?;
        if docs.len() > column.slots().len() {
            let (docs, units) = (docs.len(), column.slots().len());
            return Err(Error::corrupted(format!("order: {docs} documents of a column of {units}")));
        }
        Ok(Order { docs, column })
    }

    /// The column whose values it follows.
    pub(crate) fn column(&self) -> NumberColumn<'a> {
        self.column
    }

    /// Number of documents with a value.
    pub(crate) fn len(&self) -> usize {
        self.docs.len()
    }

    /// The document at a place: by value, those of one value by their numbers.
    #[inline]
    pub(crate) fn doc(&self, at: usize) -> u32 {
        self.docs.get(at) as u32
    }

    /// The places of the documents whose slots are `from` to `to`, both included.
    pub(crate) fn range(&self, from: u64, to: u64) -> Range<usize> {
        let first = self.first_place(from);
        first..to.checked_add(1).map_or(self.len(), |past| self.first_place(past)).max(first)
    }

    /// The first place whose slot is at least `slot`.
    fn first_place(&self, slot: u64) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = (low + high) / 2;
            if self.column.slot(self.doc(middle) as usize) < slot { low = middle + 1 } else { high = middle }
        }
        low
    }
}

#[cfg(test)]
mod tests {
    use super::super::numbers::{NO_INT, Numbers, write};
    use super::*;

    fn column(values: impl Iterator<Item = i64>) -> Vec<u8> {
        write(&Numbers::Int(values.collect()))
    }

    #[test]
    fn places_equal_a_sort() {
        let value = |n: i64| if n % 5 == 0 { NO_INT } else { n * 7919 % 50_021 };
        let units = MIN_UNITS as i64 + 100;
        let bytes = column((0..units).map(value));
        let numbers = NumberColumn::new(&bytes).unwrap();
        let section = build(&numbers).unwrap();
        let order = Order::new(&section, numbers).unwrap();
        let mut expected: Vec<(i64, i64)> = (0..units).map(|n| (value(n), n)).filter(|(v, _)| *v != NO_INT).collect();
        expected.sort_unstable();
        assert_eq!(order.len(), expected.len());
        assert!((0..order.len()).all(|at| i64::from(order.doc(at)) == expected[at].1));
        for (from, to) in [(0, 0), (7, 7), (100, 40_000), (49_000, 60_000), (-5, 80_000), (9, 3)] {
            let slot = |v: i64| (v + 1).max(0) as u64;
            let first = expected.partition_point(|(v, _)| *v < from);
            let past = expected.partition_point(|(v, _)| *v <= to).max(first);
            let slots = numbers.slot_at_most(expected[0].0);
            assert_eq!(slots, (1, true), "the smallest value is slot 1");
            let base = expected[0].0;
            assert_eq!(order.range(slot(from - base), slot(to - base)), first..past, "{from} to {to}");
        }
    }

    #[test]
    fn some_columns_have_none() {
        let few = column(0..MIN_UNITS as i64 - 1);
        let same = column((0..MIN_UNITS as i64).map(|n| n % 1000));
        let rare = column((0..MIN_UNITS as i64).map(|n| if n % 3 == 0 { n } else { NO_INT }));
        for bytes in [few, same, rare] {
            assert!(build(&NumberColumn::new(&bytes).unwrap()).is_none());
        }
    }
}
