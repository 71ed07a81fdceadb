//! A searchable text column: an arena of folded units with the indexes that narrow a search in it.

use super::arena::{Arena, BLOCK, EDGE};
use super::grams::{Candidates, Grams};
use super::packed::Packed;
use super::text;
use super::words::Words;
use crate::error::Result;
use crate::model::Anchor;
use levenshtein_automata::{DFA, Distance};
use memchr::memmem;
use roaring::RoaringBitmap;
use std::ops::Range;

/// A text column.
pub(crate) struct TextColumn<'a> {
    pub(crate) arena: Arena<'a>,
    pub(crate) grams: Option<Grams<'a>>,
    pub(crate) words: Option<Words<'a>>,
    /// Bytes that each unit has in common with the one before, where that is stored.
    pub(crate) shared: Option<Packed<'a>>,
}

impl TextColumn<'_> {
    /// The units of `range` that contain `pattern`, ascending. `tick` is called now and then and may end the search.
    pub(crate) fn containing(
        &self,
        pattern: &str,
        anchor: Anchor,
        range: Range<usize>,
        tick: &mut dyn FnMut() -> Result<()>,
    ) -> Result<Vec<u32>> {
        let range = range.start..range.end.min(self.arena.len());
        if pattern.is_empty() && anchor != Anchor::Whole {
            return Ok((range.start as u32..range.end as u32).collect());
        }
        let needle = anchored(pattern, anchor);
        let blocks = range.start / BLOCK..range.end.div_ceil(BLOCK);
        let mut scan = Scan::new(self, pattern, anchor, range);
        match self.grams.map_or(Ok(Candidates::All), |g| g.candidates(&needle))? {
            Candidates::All => {
                // In portions, so that a long scan can be ended.
                for from in blocks.clone().step_by(1024) {
                    tick()?;
                    scan.blocks(from, (from + 1024).min(blocks.end));
                }
            }
            Candidates::Blocks(list) => {
                for (count, &block) in list.iter().filter(|b| blocks.contains(&(**b as usize))).enumerate() {
                    if count.is_multiple_of(1024) {
                        tick()?;
                    }
                    scan.blocks(block as usize, block as usize + 1);
                }
            }
        }
        Ok(scan.found)
    }

    /// An upper bound of the units that contain `pattern`, from statistics alone.
    pub(crate) fn estimate(&self, pattern: &str, anchor: Anchor) -> Result<usize> {
        let blocks = self.grams.map_or(Ok(self.arena.blocks()), |g| g.estimate(&anchored(pattern, anchor)))?;
        Ok(blocks * BLOCK)
    }

    /// The units that hold a word within the automaton's distance.
    pub(crate) fn near(&self, automaton: &DFA) -> Result<RoaringBitmap> {
        if let Some(words) = &self.words {
            return words.units(Near(automaton));
        }
        let mut found = RoaringBitmap::new();
        for (unit, bytes) in self.arena.units(0..self.arena.len()).enumerate() {
            if Self::holds_near(bytes, automaton) {
                found.insert(unit as u32);
            }
        }
        Ok(found)
    }

    /// Whether a word of `bytes` is within the automaton's distance.
    pub(crate) fn holds_near(bytes: &[u8], automaton: &DFA) -> bool {
        std::str::from_utf8(bytes).is_ok_and(|unit| text::words(unit).any(|word| is_near(automaton, word)))
    }
}

fn is_near(automaton: &DFA, word: &str) -> bool {
    let mut state = automaton.initial_state();
    for &byte in word.as_bytes() {
        state = automaton.transition(state, byte);
        if state == levenshtein_automata::SINK_STATE {
            return false;
        }
    }
    matches!(automaton.distance(state), Distance::Exact(_))
}

/// The Levenshtein automaton in the form that `fst` drives.
struct Near<'a>(&'a DFA);

impl fst::Automaton for Near<'_> {
    type State = u32;

    fn start(&self) -> u32 {
        self.0.initial_state()
    }

    fn is_match(&self, state: &u32) -> bool {
        matches!(self.0.distance(*state), Distance::Exact(_))
    }

    fn can_match(&self, state: &u32) -> bool {
        *state != levenshtein_automata::SINK_STATE
    }

    fn accept(&self, state: &u32, byte: u8) -> u32 {
        self.0.transition(*state, byte)
    }
}

/// The pattern with the edges that it is anchored to: what its trigrams are taken from.
fn anchored(pattern: &str, anchor: Anchor) -> Vec<u8> {
    let mut needle = Vec::with_capacity(pattern.len() + 2);
    if anchor.at_start() {
        needle.push(EDGE);
    }
    needle.extend_from_slice(pattern.as_bytes());
    if anchor.at_end() {
        needle.push(EDGE);
    }
    needle
}

/// A search through the text of an arena.
struct Scan<'a, 'n> {
    arena: Arena<'a>,
    shared: Option<Packed<'a>>,
    finder: memmem::Finder<'n>,
    anchor: Anchor,
    range: Range<usize>,
    /// Units before this one are decided.
    next: usize,
    found: Vec<u32>,
}

impl<'a, 'n> Scan<'a, 'n> {
    fn new(column: &TextColumn<'a>, pattern: &'n str, anchor: Anchor, range: Range<usize>) -> Scan<'a, 'n> {
        let finder = memmem::Finder::new(pattern.as_bytes());
        let shared = column.shared.filter(|_| anchor == Anchor::None);
        Scan { arena: column.arena, shared, finder, anchor, next: range.start, range, found: Vec::new() }
    }

    /// Whether a match stands where the anchor wants it.
    fn fits(&self, text: &[u8], from: usize, to: usize) -> bool {
        let edge = |at: Option<usize>| at.and_then(|at| text.get(at)) == Some(&EDGE);
        (!self.anchor.at_start() || edge(from.checked_sub(1))) && (!self.anchor.at_end() || edge(Some(to)))
    }

    fn blocks(&mut self, from: usize, to: usize) {
        let text = self.arena.text_up_to(to);
        let mut unit = self.next.max(from * BLOCK);
        if unit >= (to * BLOCK).min(self.range.end) {
            return;
        }
        // `unit` is the unit of `at`; its match may be `at` itself or, if empty, the edge before it.
        let mut at = self.arena.unit_start(unit);
        let mut find_from = at;
        while let Some(hit) = text.get(find_from..).and_then(|rest| self.finder.find(rest)) {
            let (start, end) = (find_from + hit, find_from + hit + self.finder.needle().len());
            unit += count_edges(text.get(at..start).unwrap_or(&[]));
            (at, find_from) = (start, start + 1);
            if unit >= self.range.end {
                return;
            }
            // Several hits in one unit follow each other.
            if self.found.last() == Some(&(unit as u32)) || !self.fits(text, start, end) {
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
    fn resume(&self, text: &[u8], unit: usize, mut at: usize) -> usize {
        // Finding a unit's start passes half a block on average.
        if self.next - unit > BLOCK / 2 {
            return self.arena.unit_start(self.next);
        }
        for _ in unit..self.next {
            let rest = text.get(at..).unwrap_or(&[]);
            at += memchr::memchr(EDGE, rest).map_or(rest.len(), |edge| edge + 1);
        }
        at
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

#[cfg(test)]
mod tests {
    use super::super::arena::ArenaWriter;
    use super::super::{grams, words};
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn equals_a_scan(units in proptest::collection::vec("[ab]{0,3}(\u{6771})?[ab/]{0,4}", 0..400), pattern in "[ab/]{0,3}\u{6771}?", from in 0usize..100) {
            let mut writer = ArenaWriter::new();
            units.iter().for_each(|u| writer.push(u.as_bytes()));
            let bytes = writer.finish();
            let arena = Arena::new(&bytes).unwrap();
            let section = grams::build(&arena);
            let range = from..units.len().saturating_sub(from / 2).max(from);
            for grams in [None, Some(Grams::new(&section).unwrap())] {
                let column = TextColumn { arena, grams, words: None, shared: None };
                for (anchor, matches) in [
                    (Anchor::None, (|u: &str, p: &str| u.contains(p)) as fn(&str, &str) -> bool),
                    (Anchor::Start, |u, p| u.starts_with(p)),
                    (Anchor::End, |u, p| u.ends_with(p)),
                    (Anchor::Whole, |u, p| u == p),
                ] {
                    let found = column.containing(&pattern, anchor, range.clone(), &mut || Ok(())).unwrap();
                    let expected: Vec<u32> = (0..units.len()).filter(|at| range.contains(at) && matches(&units[*at], &pattern)).map(|at| at as u32).collect();
                    prop_assert_eq!(found, expected, "{:?} {:?}", anchor, pattern);
                }
            }
        }

        #[test]
        fn shared_prefixes_change_nothing(units in proptest::collection::btree_set("[ab]{0,6}/", 1..300), pattern in "[ab/]{1,3}", from in 0usize..50) {
            let units: Vec<String> = units.into_iter().collect();
            let mut writer = ArenaWriter::new();
            units.iter().for_each(|u| writer.push(u.as_bytes()));
            let bytes = writer.finish();
            let arena = Arena::new(&bytes).unwrap();
            let common = |pair: &[String]| pair[0].bytes().zip(pair[1].bytes()).take_while(|(a, b)| a == b).count() as u64;
            let lengths: Vec<u64> = std::iter::once(0).chain(units.windows(2).map(common)).collect();
            let mut packed = Vec::new();
            super::super::packed::write(&lengths, &mut packed);
            let section = grams::build(&arena);
            for grams in [None, Some(Grams::new(&section).unwrap())] {
                let column = TextColumn { arena, grams, words: None, shared: Some(Packed::new(&packed).unwrap()) };
                let found = column.containing(&pattern, Anchor::None, from..units.len(), &mut || Ok(())).unwrap();
                let expected: Vec<u32> = (from..units.len()).filter(|at| units[*at].contains(&pattern)).map(|at| at as u32).collect();
                prop_assert_eq!(found, expected);
            }
        }

        #[test]
        fn near_words_equal_brute_force(units in proptest::collection::vec("[abc]{1,6}( [abc]{1,6})?", 1..60), word in "[abc]{1,6}", distance in 0u8..3) {
            let mut writer = ArenaWriter::new();
            units.iter().for_each(|u| writer.push(u.as_bytes()));
            let bytes = writer.finish();
            let arena = Arena::new(&bytes).unwrap();
            let section = words::build(&arena).unwrap();
            let automaton = levenshtein_automata::LevenshteinAutomatonBuilder::new(distance, false).build_dfa(&word);
            for words in [None, Some(Words::new(&section).unwrap())] {
                let found = TextColumn { arena, grams: None, words, shared: None }.near(&automaton).unwrap();
                for (at, unit) in units.iter().enumerate() {
                    let expected = unit.split(' ').any(|w| levenshtein(w, &word) <= usize::from(distance));
                    prop_assert_eq!(found.contains(at as u32), expected, "{} {}", unit, word);
                }
            }
        }
    }

    fn levenshtein(a: &str, b: &str) -> usize {
        let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
        let mut row: Vec<usize> = (0..=b.len()).collect();
        for (i, x) in a.iter().enumerate() {
            let mut diagonal = row[0];
            row[0] = i + 1;
            for (j, y) in b.iter().enumerate() {
                let next = (diagonal + usize::from(x != y)).min(row[j] + 1).min(row[j + 1] + 1);
                diagonal = row[j + 1];
                row[j + 1] = next;
            }
        }
        row[b.len()]
    }
}
