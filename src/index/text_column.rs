//! A searchable text column: an arena of folded units with the indexes that narrow a search in it.

use super::arena::{Arena, BLOCK, EDGE};
use super::frequent::Frequent;
use super::grams::{Candidates, Grams};
use super::packed::Packed;
use super::scan::Scan;
use super::text;
use super::typo::Typo;
use super::unit_set::{UnitSet, bitmap_of};
use super::words::Words;
use crate::error::Result;
use crate::model::Anchor;
use roaring::RoaringBitmap;
use std::ops::Range;

/// Blocks that are searched between two looks at the clock.
const PORTION: usize = 1024;
/// About the time that a set of units, a block, and its text take: bytes a nanosecond.
const SET_NS: u64 = 50_000;
const BLOCK_NS: u64 = 100;
const BYTES_EACH_NS: u64 = 8;
/// So few blocks are read faster than lists of units.
const FEW_BLOCKS: usize = 256;
/// More parts of a pattern hardly rule out a unit that these did not.
const MOST_PARTS: usize = 3;

/// A text column.
pub(crate) struct TextColumn<'a> {
    pub(crate) arena: Arena<'a>,
    pub(crate) grams: Option<Grams<'a>>,
    pub(crate) words: Option<Words<'a>>,
    pub(crate) frequent: Option<Frequent<'a>>,
    /// Bytes that each unit has in common with the one before, where that is stored.
    pub(crate) shared: Option<Packed<'a>>,
}

impl TextColumn<'_> {
    /// The units of `range` that contain `pattern`; where `within` is given, only those of it have to be found, others
    /// may be. `tick` is called now and then and may end the search.
    pub(crate) fn containing(
        &self,
        pattern: &str,
        anchor: Anchor,
        range: Range<usize>,
        within: Option<&RoaringBitmap>,
        tick: &mut dyn FnMut() -> Result<()>,
    ) -> Result<RoaringBitmap> {
        let range = range.start.min(self.arena.len())..range.end.min(self.arena.len());
        if range.is_empty() {
            return Ok(RoaringBitmap::new());
        }
        if pattern.is_empty() && anchor != Anchor::Whole {
            return Ok((range.start as u32..range.end as u32).collect());
        }
        let blocks = range.start / BLOCK..range.end.div_ceil(BLOCK);
        let needle = anchored(pattern, anchor);
        let mut scan = Scan::new(self, &needle, anchor, range.clone());
        let narrowed = self.narrow(&needle, &range)?;
        match (narrowed, within) {
            (Narrowed::Exactly(units), _) => return Ok(units.into_bitmap()),
            (Narrowed::Anywhere, Some(within)) => {
                for (count, block) in blocks_of(within).filter(|block| blocks.contains(block)).enumerate() {
                    if count.is_multiple_of(PORTION) {
                        tick()?;
                    }
                    scan.blocks(block, block + 1);
                }
            }
            (Narrowed::Anywhere, None) => {
                // In portions, so that a long scan can be ended.
                for from in blocks.clone().step_by(PORTION) {
                    tick()?;
                    scan.blocks(from, (from + PORTION).min(blocks.end));
                }
            }
            (Narrowed::Blocks(mut list), within) => {
                if let Some(within) = within {
                    list = of_both(list.into_iter(), blocks_of(within).map(|block| block as u32));
                }
                for (count, &block) in list.iter().filter(|b| blocks.contains(&(**b as usize))).enumerate() {
                    if count.is_multiple_of(PORTION) {
                        tick()?;
                    }
                    scan.blocks(block as usize, block as usize + 1);
                }
            }
        }
        Ok(bitmap_of(&scan.found, range))
    }

    /// What the indexes know about where a pattern, with its edges, can be.
    fn narrow(&self, needle: &[u8], range: &Range<usize>) -> Result<Narrowed> {
        if let Some(frequent) = &self.frequent
            && let Some(at) = frequent.find(needle)
        {
            let mut units = UnitSet::new(range.clone());
            frequent.add(at, &mut units)?;
            return Ok(Narrowed::Exactly(units));
        }
        let candidates = match (&self.grams, needle) {
            (None, _) => Candidates::All,
            // Grams of a block end with its last edge: they cover what follows two bytes, unless these are its end.
            (Some(grams), [a, b]) if *b != EDGE => Candidates::Blocks(grams.beginning([*a, *b])?),
            (Some(grams), needle) => grams.candidates(needle)?,
        };
        match (candidates, &self.frequent) {
            (Candidates::Blocks(blocks), _) if blocks.len() <= FEW_BLOCKS => Ok(Narrowed::Blocks(blocks)),
            (Candidates::Blocks(blocks), None) => Ok(Narrowed::Blocks(blocks)),
            (Candidates::All, None) => Ok(Narrowed::Anywhere),
            (candidates, Some(frequent)) => by_parts(frequent, needle, candidates, range),
        }
    }

    /// An upper bound of the units that contain `pattern`, from statistics alone.
    pub(crate) fn estimate(&self, pattern: &str, anchor: Anchor) -> Result<usize> {
        let needle = anchored(pattern, anchor);
        let known = self.frequent.and_then(|frequent| frequent.most(&needle));
        let blocks = self.grams.map_or(Ok(self.arena.blocks()), |g| g.estimate(&needle))?;
        Ok((blocks * BLOCK).min(known.unwrap_or(usize::MAX)))
    }

    /// About the time that a search takes in which at most so many units matter.
    pub(crate) fn cost_ns(&self, pattern: &str, anchor: Anchor, most: u64) -> Result<u64> {
        let needle = anchored(pattern, anchor);
        if let Some(units) = self.frequent.and_then(|frequent| frequent.exactly(&needle)) {
            return Ok(SET_NS + units as u64);
        }
        let known = self.frequent.and_then(|frequent| frequent.most(&needle)).unwrap_or(usize::MAX);
        let blocks = self.grams.map_or(Ok(self.arena.blocks()), |g| g.estimate(&needle))?.min(known) as u64;
        let bytes = (self.arena.text_len() / self.arena.blocks().max(1)) as u64;
        Ok(SET_NS + blocks.min(most) * (BLOCK_NS + bytes / BYTES_EACH_NS))
    }

    /// The units that hold a word near another.
    pub(crate) fn near(&self, typo: &Typo) -> Result<RoaringBitmap> {
        if let Some(words) = &self.words {
            return words.units(typo);
        }
        let mut found = RoaringBitmap::new();
        for (unit, bytes) in self.arena.units(0..self.arena.len()).enumerate() {
            if Self::holds_near(bytes, typo) {
                found.insert(unit as u32);
            }
        }
        Ok(found)
    }

    /// Whether a word of `bytes` is near another.
    pub(crate) fn holds_near(bytes: &[u8], typo: &Typo) -> bool {
        std::str::from_utf8(bytes).is_ok_and(|unit| text::words(unit).any(|word| typo.accepts(word.as_bytes())))
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

/// Narrows by the units that contain the rarest frequent parts of a pattern.
fn by_parts(frequent: &Frequent<'_>, needle: &[u8], candidates: Candidates, range: &Range<usize>) -> Result<Narrowed> {
    let mut both: Option<UnitSet> = None;
    for (_, part) in frequent.parts(needle).into_iter().take(MOST_PARTS) {
        let mut units = UnitSet::new(range.clone());
        frequent.add(part, &mut units)?;
        match &mut both {
            None => both = Some(units),
            Some(both) => both.intersect(&units),
        }
    }
    let groups = both.iter().flat_map(UnitSet::groups).map(|group| group as u32);
    Ok(match (candidates, &both) {
        (Candidates::All, None) => Narrowed::Anywhere,
        (Candidates::Blocks(blocks), None) => Narrowed::Blocks(blocks),
        (Candidates::All, Some(_)) => Narrowed::Blocks(groups.collect()),
        (Candidates::Blocks(blocks), Some(_)) => Narrowed::Blocks(of_both(groups, blocks.into_iter())),
    })
}

/// What is in both of two ascending lists.
fn of_both(one: impl Iterator<Item = u32>, other: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut rest = other.peekable();
    let is_there = |item: &u32| {
        while rest.next_if(|other| other < item).is_some() {}
        rest.peek() == Some(item)
    };
    one.filter(is_there).collect()
}

/// The blocks that some units are in, ascending.
fn blocks_of(units: &RoaringBitmap) -> impl Iterator<Item = usize> {
    let mut units = units.iter();
    std::iter::from_fn(move || {
        let block = units.next()? as usize / BLOCK;
        units.advance_to(u32::try_from((block + 1) * BLOCK).unwrap_or(u32::MAX));
        Some(block)
    })
}

/// What the indexes know about where a pattern can be.
enum Narrowed {
    /// These units contain it, and no others.
    Exactly(UnitSet),
    /// Only units of these blocks, ascending, can contain it.
    Blocks(Vec<u32>),
    /// Any unit can.
    Anywhere,
}

#[cfg(test)]
mod tests {
    use super::super::arena::ArenaWriter;
    use super::super::{frequent, grams, words};
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
            let lists = frequent::build(&arena).unwrap();
            let frequent = Some(Frequent::new(&lists).unwrap());
            let grams = Some(Grams::new(&section).unwrap());
            for (grams, frequent) in [(None, None), (grams, None), (grams, frequent)] {
                let column = TextColumn { arena, grams, words: None, frequent, shared: None };
                for (anchor, matches) in [
                    (Anchor::None, (|u: &str, p: &str| u.contains(p)) as fn(&str, &str) -> bool),
                    (Anchor::Start, |u, p| u.starts_with(p)),
                    (Anchor::End, |u, p| u.ends_with(p)),
                    (Anchor::Whole, |u, p| u == p),
                ] {
                    let found = column.containing(&pattern, anchor, range.clone(), None, &mut || Ok(())).unwrap();
                    let within: RoaringBitmap = (from as u32 / 3..units.len() as u32).step_by(90).collect();
                    let of_some = column.containing(&pattern, anchor, range.clone(), Some(&within), &mut || Ok(())).unwrap();
                    prop_assert_eq!(&of_some & &within, &found & &within);
                    prop_assert!(of_some.is_subset(&found));
                    let expected: Vec<u32> = (0..units.len()).filter(|at| range.contains(at) && matches(&units[*at], &pattern)).map(|at| at as u32).collect();
                    prop_assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{:?} {:?}", anchor, pattern);
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
                let column = TextColumn { arena, grams, words: None, frequent: None, shared: Some(Packed::new(&packed).unwrap()) };
                let found = column.containing(&pattern, Anchor::None, from..units.len(), None, &mut || Ok(())).unwrap();
                let expected: Vec<u32> = (from..units.len()).filter(|at| units[*at].contains(&pattern)).map(|at| at as u32).collect();
                prop_assert_eq!(found.iter().collect::<Vec<_>>(), expected);
            }
        }

        #[test]
        fn near_words_equal_brute_force(
            units in proptest::collection::vec("[abc\u{e9}]{1,9}( [abc]{1,6})?", 1..300),
            word in "[abc\u{e9}]{1,9}",
            distance in 1u8..3,
        ) {
            let mut writer = ArenaWriter::new();
            units.iter().for_each(|u| writer.push(u.as_bytes()));
            let bytes = writer.finish();
            let arena = Arena::new(&bytes).unwrap();
            let section = words::build(&arena).unwrap();
            let typo = Typo::new(&word, distance);
            for words in [None, Some(Words::new(&section).unwrap())] {
                let found = TextColumn { arena, grams: None, words, frequent: None, shared: None }.near(&typo).unwrap();
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
