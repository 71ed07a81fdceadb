//! Reads the text of an arena for a pattern: what is left to do where no index knows the answer.

use super::arena::{Arena, BLOCK, EDGE, past_edges};
use super::packed::Packed;
use super::text_column::TextColumn;
use crate::model::Anchor;
use memchr::memmem;
use std::ops::Range;

/// A search through the text of an arena.
pub(crate) struct Scan<'a, 'n> {
    arena: Arena<'a>,
    shared: Option<Packed<'a>>,
    finder: memmem::Finder<'n>,
    /// 1 if the needle begins with an edge, else 0.
    edge: usize,
    range: Range<usize>,
    /// Units before this one are decided.
    next: usize,
    /// Units that match, ascending.
    pub(crate) found: Vec<u32>,
}

impl<'a, 'n> Scan<'a, 'n> {
    /// For a pattern with the edges that it is anchored to.
    pub(crate) fn new(column: &TextColumn<'a>, needle: &'n [u8], anchor: Anchor, range: Range<usize>) -> Scan<'a, 'n> {
        let finder = memmem::Finder::new(needle);
        let shared = column.shared.filter(|_| anchor == Anchor::None);
        let edge = usize::from(anchor.at_start());
        Scan { arena: column.arena, shared, finder, edge, next: range.start, range, found: Vec::new() }
    }

    /// Searches the blocks `from..to`, which may not begin before those searched last.
    pub(crate) fn blocks(&mut self, from: usize, to: usize) {
        let text = self.arena.text_up_to(to);
        let mut unit = self.next.max(from * BLOCK);
        if unit >= (to * BLOCK).min(self.range.end) {
            return;
        }
        // `unit` is the unit of `at`; the edge before it may be the needle's first.
        let mut at = self.arena.unit_start(unit);
        let mut find_from = at.saturating_sub(self.edge);
        while let Some(hit) = text.get(find_from..).and_then(|rest| self.finder.find(rest)) {
            let (start, end) = (find_from + hit + self.edge, find_from + hit + self.finder.needle().len());
            unit += count_edges(text.get(at..start).unwrap_or(&[]));
            (at, find_from) = (start, find_from + hit + 1);
            if unit >= self.range.end {
                return;
            }
            // Several hits in one unit follow each other: where there are two there may be many.
            if self.found.last() == Some(&(unit as u32)) {
                let rest = text.get(start..).unwrap_or(&[]);
                find_from = (start + memchr::memchr(EDGE, rest).unwrap_or(rest.len())).max(find_from);
                continue;
            }
            self.found.push(unit as u32);
            if self.extend(text, unit, start, end) {
                if self.next >= to * BLOCK {
                    return;
                }
                at = self.resume(text, unit, end);
                unit = self.next;
                find_from = at;
            }
        }
    }

    /// Where the unit `next` begins, from a place in `unit`.
    fn resume(&self, text: &[u8], unit: usize, at: usize) -> usize {
        // Finding a unit's start passes half a block on average.
        if self.next - unit > BLOCK / 2 {
            return self.arena.unit_start(self.next);
        }
        past_edges(text, at, self.next - unit)
    }

    /// Units after `unit` that share the matched text with it match too: adds them without reading them.
    fn extend(&mut self, text: &[u8], unit: usize, start: usize, end: usize) -> bool {
        let Some(shared) = self.shared else { return false };
        let before = memchr::memrchr(EDGE, text.get(..start).unwrap_or(&[])).unwrap_or(0);
        let matched = (end - before - 1) as u64;
        self.next = unit + 1;
        while self.next < self.range.end && shared.get(self.next) >= matched {
            self.found.push(self.next as u32);
            self.next += 1;
        }
        self.next > unit + 1
    }
}

/// Number of edges in `text`. Hits are often near each other: short stretches are counted without a call.
#[inline]
fn count_edges(text: &[u8]) -> usize {
    if text.len() > 512 {
        return memchr::memchr_iter(EDGE, text).count();
    }
    // Bytes as counters: 255 of them cannot overflow one, and sums of bytes are what compilers vectorise best.
    text.chunks(255).map(|chunk| usize::from(chunk.iter().fold(0u8, |n, b| n + u8::from(*b == EDGE)))).sum()
}
