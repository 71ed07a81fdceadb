//! Passing over columns: which units have a slot in a set.

use crate::error::{Error, ErrorKind, Result};
use crate::index::{PACKED_BLOCK, Packed};
use crate::query::guard::Context;
use roaring::RoaringBitmap;
use std::ops::Range;

/// Slots, which are ordered as the values are; 0, no value, is never among them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Slots {
    /// From the first to the second, both included; none where the first is greater.
    Range(u64, u64),
    /// These, ascending.
    List(Vec<u64>),
}

impl Slots {
    pub(crate) const NONE: Slots = Slots::Range(1, 0);

    /// Whether no slot is among them.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Slots::Range(from, to) => from > to,
            Slots::List(list) => list.is_empty(),
        }
    }

    #[inline]
    pub(crate) fn contains(&self, slot: u64) -> bool {
        match self {
            Slots::Range(from, to) => (*from..=*to).contains(&slot),
            Slots::List(list) => list.binary_search(&slot).is_ok(),
        }
    }

    /// Leaves those that are among `other` too.
    pub(crate) fn intersect(&mut self, other: &Slots) {
        let both = match (&*self, other) {
            (Slots::Range(a, b), Slots::Range(c, d)) => Slots::Range(*a.max(c), *b.min(d)),
            (Slots::List(list), range) | (range, Slots::List(list)) => {
                Slots::List(list.iter().copied().filter(|slot| range.contains(*slot)).collect())
            }
        };
        *self = both;
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u64 {
        match self {
            Slots::Range(from, to) if from > to => 0,
            Slots::Range(from, to) => (to - from).saturating_add(1),
            Slots::List(list) => list.len() as u64,
        }
    }

    /// The smallest range that holds them all.
    pub(crate) fn bounds(&self) -> (u64, u64) {
        match self {
            Slots::Range(from, to) => (*from, *to),
            Slots::List(list) => (list.first().copied().unwrap_or(1), list.last().copied().unwrap_or(0)),
        }
    }

    /// Each of them.
    pub(crate) fn iter(&self) -> Box<dyn Iterator<Item = u64> + '_> {
        match self {
            Slots::Range(from, to) => Box::new(*from..=*to),
            Slots::List(list) => Box::new(list.iter().copied()),
        }
    }
}

/// About how many units have a slot among `wanted`, from the bounds of blocks: values are taken to be spread evenly.
pub(crate) fn estimate(column: Packed<'_>, wanted: &Slots) -> u64 {
    let (from, to) = wanted.bounds();
    let mut units = 0.0;
    for at in (0..column.len()).step_by(PACKED_BLOCK) {
        let (least, most) = column.block_bounds(at);
        let (low, high) = (least.max(from), most.min(to));
        if low <= high {
            let share = (high - low) as f64 + 1.0;
            units += share / ((most - least) as f64 + 1.0) * (column.len() - at).min(PACKED_BLOCK) as f64;
        }
    }
    if let Slots::List(list) = wanted {
        units *= list.len() as f64 / ((to.saturating_sub(from)) as f64 + 1.0);
    }
    units.ceil() as u64
}

/// The units of `range` with a slot among `wanted`, ascending, in stretches of neighbours.
pub(crate) fn units(
    column: Packed<'_>,
    wanted: &Slots,
    range: Range<usize>,
    context: &Context<'_>,
    mut each: impl FnMut(Range<usize>) -> Result<()>,
) -> Result<()> {
    let (from, to) = wanted.bounds();
    let end = range.end.min(column.len());
    let mut room = [0; PACKED_BLOCK];
    let mut at = range.start;
    while at < end {
        context.tick()?;
        let stop = ((at / PACKED_BLOCK + 1) * PACKED_BLOCK).min(end);
        let (least, most) = column.block_bounds(at);
        if most < from || least > to {
            at = stop;
            continue;
        }
        if matches!(wanted, Slots::Range(..)) && from <= least && most <= to {
            each(at..stop)?;
            at = stop;
            continue;
        }
        let first = at / PACKED_BLOCK * PACKED_BLOCK;
        let values = column.block(at / PACKED_BLOCK, &mut room);
        let every = matches!(wanted, Slots::Range(..));
        for (value, unit) in values.get(at - first..stop - first).unwrap_or(&[]).iter().zip(at..) {
            if (from..=to).contains(value) && (every || wanted.contains(*value)) {
                each(unit..unit + 1)?;
            }
        }
        at = stop;
    }
    Ok(())
}

/// Collects ascending documents.
#[derive(Default)]
pub(crate) struct Gather {
    docs: RoaringBitmap,
    pending: Vec<u32>,
}

impl Gather {
    /// Adds a document greater than those before.
    #[inline]
    pub(crate) fn push(&mut self, doc: u32) {
        self.pending.push(doc);
    }

    fn flush(&mut self) -> Result<()> {
        let unordered = |e| Error::new(ErrorKind::Internal, format!("a filter found documents out of order: {e}"));
        if !self.pending.is_empty() {
            self.docs |= RoaringBitmap::from_sorted_iter(self.pending.drain(..)).map_err(unordered)?;
        }
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Result<RoaringBitmap> {
        self.flush()?;
        Ok(self.docs)
    }
}
