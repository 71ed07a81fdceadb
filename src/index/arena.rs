//! A sequence of texts ("units") laid end to end, searchable as one piece of memory.
//!
//! Every unit is preceded and followed by the byte 0xFF, which UTF-8 never contains: a pattern without it cannot
//! match across units, and a pattern that begins or ends with it is anchored to a unit's edge. Units are grouped
//! into blocks of [`BLOCK`]; only block starts are stored. Layout: `docs/format.md`, "Text arena".

use super::packed::{self, Packed};
use super::varint;
use crate::error::{Error, Result};

/// Units per block.
pub(crate) const BLOCK: usize = 64;
/// Units are numbered in 32 bits, with room to round up.
const MOST_UNITS: usize = 1 << 31;
/// The byte between units.
pub(crate) const EDGE: u8 = 0xFF;

/// Collects units in order.
pub(crate) struct ArenaWriter {
    text: Vec<u8>,
    starts: Vec<u64>,
    units: usize,
}

impl ArenaWriter {
    pub(crate) fn new() -> ArenaWriter {
        ArenaWriter { text: vec![EDGE], starts: Vec::new(), units: 0 }
    }

    /// Appends one unit.
    pub(crate) fn push(&mut self, unit: &[u8]) {
        if self.units.is_multiple_of(BLOCK) {
            self.starts.push(self.text.len() as u64);
        }
        self.text.extend_from_slice(unit);
        self.text.push(EDGE);
        self.units += 1;
    }

    /// Appends empty units until there are `units`.
    pub(crate) fn pad(&mut self, units: usize) {
        while self.units < units {
            self.push(b"");
        }
    }

    /// The section's bytes.
    pub(crate) fn finish(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.text.len() + self.starts.len() * 4 + 64);
        let mut starts = self.starts;
        starts.push(self.text.len() as u64);
        let mut packed = Vec::new();
        packed::write(&starts, &mut packed);
        varint::put(&mut out, self.units as u64);
        varint::put(&mut out, packed.len() as u64);
        out.extend_from_slice(&packed);
        out.extend_from_slice(&self.text);
        out
    }
}

/// Reads an arena in place.
#[derive(Clone, Copy)]
pub(crate) struct Arena<'a> {
    units: usize,
    starts: Packed<'a>,
    text: &'a [u8],
}

impl<'a> Arena<'a> {
    pub(crate) fn new(mut bytes: &'a [u8]) -> Result<Arena<'a>> {
        let units = varint::take(&mut bytes)? as usize;
        let len = varint::take(&mut bytes)? as usize;
        let starts = Packed::new(varint::take_bytes(&mut bytes, len)?)?;
        // A unit has at least its edge, so no more units are believed than there are bytes.
        let fits = starts.len() == units.div_ceil(BLOCK) + 1 && units < bytes.len().min(MOST_UNITS);
        if !fits || bytes.first() != Some(&EDGE) {
            let (starts, text) = (starts.len(), bytes.len());
            let wrong = format!("text arena: {units} units do not fit {starts} block starts and {text} bytes");
            return Err(Error::corrupted(wrong));
        }
        Ok(Arena { units, starts, text: bytes })
    }

    /// Number of units.
    pub(crate) fn len(&self) -> usize {
        self.units
    }

    /// Number of blocks.
    pub(crate) fn blocks(&self) -> usize {
        self.units.div_ceil(BLOCK)
    }

    /// Bytes of all units with their edges.
    pub(crate) fn text_len(&self) -> usize {
        self.text.len()
    }

    /// The text of blocks `from..to`, from the edge before the first unit to the edge after the last.
    pub(crate) fn block_text(&self, from: usize, to: usize) -> &'a [u8] {
        let start = (self.starts.get(from) as usize).saturating_sub(1);
        self.text.get(start..self.starts.get(to) as usize).unwrap_or(&[])
    }

    /// The text from its beginning to the edge after the last unit of block `to - 1`.
    pub(crate) fn text_up_to(&self, to: usize) -> &'a [u8] {
        self.text.get(..self.starts.get(to) as usize).unwrap_or(&[])
    }

    /// Position in the text of the first byte of `unit`.
    pub(crate) fn unit_start(&self, unit: usize) -> usize {
        past_edges(self.text, self.starts.get(unit / BLOCK) as usize, unit % BLOCK)
    }

    /// One unit; empty past the end.
    pub(crate) fn unit(&self, unit: usize) -> &'a [u8] {
        if unit >= self.units {
            return &[];
        }
        let rest = self.text.get(self.unit_start(unit)..).unwrap_or(&[]);
        rest.get(..memchr::memchr(EDGE, rest).unwrap_or(0)).unwrap_or(&[])
    }

    /// The text of the units of `range`, without the edge before the first, and where in the arena's text it begins.
    pub(crate) fn text_of(&self, range: std::ops::Range<usize>) -> (usize, &'a [u8]) {
        let place = |unit: usize| if unit < self.units { self.unit_start(unit) } else { self.text.len() };
        let (start, end) = (place(range.start), place(range.end));
        (start, self.text.get(start..end).unwrap_or(&[]))
    }

    /// The unit that a place in the text belongs to.
    pub(crate) fn unit_at(&self, place: usize) -> usize {
        let (mut low, mut high) = (0, self.blocks());
        while low + 1 < high {
            let middle = (low + high) / 2;
            if self.starts.get(middle) as usize <= place { low = middle } else { high = middle }
        }
        let before = self.text.get(self.starts.get(low) as usize..place).unwrap_or(&[]);
        low * BLOCK + memchr::memchr_iter(EDGE, before).count()
    }

    /// To visit units in ascending order.
    pub(crate) fn visit(&self) -> Visit<'a> {
        Visit { arena: *self, next: 0, at: 0 }
    }

    /// The units of `range`, in order.
    pub(crate) fn units(&self, range: std::ops::Range<usize>) -> Units<'a> {
        let end = range.end.min(self.units);
        let start = range.start.min(end);
        let rest = if start < end { self.text.get(self.unit_start(start)..).unwrap_or(&[]) } else { &[] };
        Units { left: end - start, rest }
    }

    /// The units of `range`, in order, each with the edges before and after it.
    pub(crate) fn edged(&self, range: std::ops::Range<usize>) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let end = range.end.min(self.units);
        let left = end.saturating_sub(range.start);
        let start = if left > 0 { self.unit_start(range.start).saturating_sub(1) } else { self.text.len() };
        let mut rest = self.text.get(start..).unwrap_or(&[]);
        std::iter::from_fn(move || {
            let edge = memchr::memchr(EDGE, rest.get(1..)?)? + 1;
            let unit = rest.get(..=edge)?;
            rest = rest.get(edge..)?;
            Some(unit)
        })
        .take(left)
    }

    /// Where `text` is, or would be, among sorted units.
    pub(crate) fn search_sorted(&self, text: &[u8]) -> Result<usize, usize> {
        let (mut low, mut high) = (0, self.blocks());
        while low < high {
            let middle = (low + high) / 2;
            if self.unit(middle * BLOCK) <= text { low = middle + 1 } else { high = middle }
        }
        let first = low.saturating_sub(1) * BLOCK;
        for (at, unit) in self.units(first..first + BLOCK).enumerate() {
            match unit.cmp(text) {
                std::cmp::Ordering::Equal => return Ok(first + at),
                std::cmp::Ordering::Greater => return Err(first + at),
                std::cmp::Ordering::Less => {}
            }
        }
        Err((first + BLOCK).min(self.units))
    }
}

/// Visits units in ascending order, skipping from one to the next without starting over.
pub(crate) struct Visit<'a> {
    arena: Arena<'a>,
    next: usize,
    at: usize,
}

impl<'a> Visit<'a> {
    /// The unit `unit`, which may not be before the one visited last.
    pub(crate) fn unit(&mut self, unit: usize) -> &'a [u8] {
        let text = self.arena.text;
        if unit / BLOCK != self.next / BLOCK || self.at == 0 || unit < self.next {
            self.at = self.arena.starts.get(unit / BLOCK) as usize;
            self.next = unit / BLOCK * BLOCK;
        }
        self.at = past_edges(text, self.at, unit - self.next);
        self.next = unit;
        let rest = text.get(self.at..).unwrap_or(&[]);
        rest.get(..memchr::memchr(EDGE, rest).unwrap_or(0)).unwrap_or(&[])
    }
}

/// The place behind the next `count` edges from `at` on.
#[inline]
pub(crate) fn past_edges(text: &[u8], mut at: usize, mut count: usize) -> usize {
    /// Bytes whose edges are counted at once, which costs less than finding each.
    const CHUNK: usize = 64;
    while count > 0
        && let Some(chunk) = text.get(at..at + CHUNK)
    {
        let edges = usize::from(chunk.iter().fold(0u8, |n, b| n + u8::from(*b == EDGE)));
        if edges >= count {
            break;
        }
        (at, count) = (at + CHUNK, count - edges);
    }
    for _ in 0..count {
        let rest = text.get(at..).unwrap_or(&[]);
        at += memchr::memchr(EDGE, rest).map_or(rest.len(), |edge| edge + 1);
    }
    at
}

/// Iterator over consecutive units.
pub(crate) struct Units<'a> {
    left: usize,
    rest: &'a [u8],
}

impl<'a> Iterator for Units<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        let end = memchr::memchr(EDGE, self.rest).unwrap_or(self.rest.len());
        let unit = self.rest.get(..end)?;
        self.rest = self.rest.get(end + 1..).unwrap_or(&[]);
        Some(unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_come_back() {
        let mut texts: Vec<String> = (0..200).map(|i| format!("{:03}{}", i, "x".repeat(i % 7))).collect();
        texts.insert(0, String::new());
        let mut writer = ArenaWriter::new();
        texts.iter().for_each(|t| writer.push(t.as_bytes()));
        let bytes = writer.finish();
        let arena = Arena::new(&bytes).unwrap();
        assert_eq!(arena.len(), 201);
        for (at, text) in texts.iter().enumerate() {
            assert_eq!(arena.unit(at), text.as_bytes());
            assert_eq!(arena.search_sorted(text.as_bytes()), Ok(at));
        }
        let mut visit = arena.visit();
        for at in [0, 0, 1, 5, 63, 64, 64, 190, 200] {
            assert_eq!(visit.unit(at), texts[at].as_bytes());
        }
        assert_eq!(arena.search_sorted(b"099y"), Err(101));
        assert_eq!(arena.search_sorted(b"zzz"), Err(201));
        assert_eq!(arena.units(60..140).count(), 80);
        assert_eq!(arena.units(130..140).next(), Some(texts[130].as_bytes()));
        for at in [0, 1, 63, 64, 130, 200] {
            let (start, text) = arena.text_of(at..at + 1);
            assert_eq!((arena.unit_at(start), text), (at, [texts[at].as_bytes(), &[EDGE]].concat().as_slice()));
        }
        let edged: Vec<&[u8]> = arena.edged(60..400).collect();
        assert_eq!((edged.len(), edged[4]), (141, [&[EDGE], texts[64].as_bytes(), &[EDGE]].concat().as_slice()));
        assert!(arena.block_text(0, arena.blocks()).iter().filter(|b| **b == EDGE).count() == 202);
    }
}
