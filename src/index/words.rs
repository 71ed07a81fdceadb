//! Words of an arena, and which units hold each. Serves typo-tolerant matching.
//!
//! Words are sorted by length, then by bytes, and are themselves an arena: those near a word are few lengths, and a
//! part of it stands in each of them unchanged, so they are found by reading that text for the parts.
//! Layout: `docs/format.md`, "Words".

use super::arena::{Arena, ArenaWriter, EDGE};
use super::packed::{self, Packed};
use super::postings::{Postings, PostingsWriter};
use super::text::{self, MAX_TYPO_CHARS};
use super::typo::Typo;
use super::varint;
use crate::error::{Error, Result};
use hashbrown::HashMap;
use memchr::memmem;
use std::ops::Range;

/// Arenas with fewer units are searched word by word.
pub(crate) const MIN_UNITS: usize = 32 << 10;
/// Longest word kept, in characters: the longest tolerant pattern plus two edits.
const MAX_WORD_CHARS: usize = MAX_TYPO_CHARS + 2;
/// So few words are compared one by one.
const FEW: usize = 64;

/// The section's bytes for an arena of folded text.
pub(crate) fn build(arena: &Arena<'_>) -> Result<Vec<u8>> {
    let mut numbers: HashMap<&str, u32> = HashMap::new();
    let mut pairs: Vec<u64> = Vec::new();
    for (unit, bytes) in arena.units(0..arena.len()).enumerate() {
        let Ok(unit_text) = std::str::from_utf8(bytes) else { continue };
        for word in text::words(unit_text) {
            if word.len() > MAX_WORD_CHARS && word.chars().count() > MAX_WORD_CHARS {
                continue;
            }
            let next = numbers.len() as u32;
            let number = *numbers.entry(word).or_insert(next);
            pairs.push(u64::from(number) << 32 | unit as u64);
        }
    }
    let mut words: Vec<(usize, &str, u32)> =
        numbers.into_iter().map(|(word, number)| (word.chars().count(), word, number)).collect();
    words.sort_unstable();
    // Renumber by this order, so that sorting the pairs yields the lists in the order of the words.
    let mut ordinal_of = vec![0u32; words.len()];
    let mut dictionary = ArenaWriter::new();
    for (ordinal, (_, word, number)) in words.iter().enumerate() {
        dictionary.push(word.as_bytes());
        if let Some(slot) = ordinal_of.get_mut(*number as usize) {
            *slot = ordinal as u32;
        }
    }
    let lengths: Vec<u64> =
        (0..=MAX_WORD_CHARS + 1).map(|chars| words.partition_point(|(len, _, _)| *len < chars) as u64).collect();
    let mut out = Vec::new();
    let mut packed = Vec::new();
    packed::write(&lengths, &mut packed);
    for section in [packed, dictionary.finish()] {
        varint::put(&mut out, section.len() as u64);
        out.extend_from_slice(&section);
    }
    out.extend_from_slice(&postings(pairs, &ordinal_of)?);
    Ok(out)
}

/// The units of each word from pairs of its first number and a unit.
fn postings(mut pairs: Vec<u64>, ordinal_of: &[u32]) -> Result<Vec<u8>> {
    for pair in &mut pairs {
        let ordinal = ordinal_of.get((*pair >> 32) as usize).copied().unwrap_or(0);
        *pair = u64::from(ordinal) << 32 | (*pair & 0xFFFF_FFFF);
    }
    pairs.sort_unstable();
    pairs.dedup();
    let mut postings = PostingsWriter::default();
    let mut list = Vec::new();
    for same in pairs.chunk_by(|a, b| a >> 32 == b >> 32) {
        list.clear();
        list.extend(same.iter().map(|pair| *pair as u32));
        postings.push(&list)?;
    }
    Ok(postings.finish())
}

/// Reads the section in place.
#[derive(Clone, Copy)]
pub(crate) struct Words<'a> {
    /// First word of at least so many characters.
    lengths: Packed<'a>,
    words: Arena<'a>,
    postings: Postings<'a>,
}

impl<'a> Words<'a> {
    pub(crate) fn new(mut bytes: &'a [u8]) -> Result<Words<'a>> {
        let len = varint::take(&mut bytes)? as usize;
        let lengths = Packed::new(varint::take_bytes(&mut bytes, len)?)?;
        let len = varint::take(&mut bytes)? as usize;
        let words = Arena::new(varint::take_bytes(&mut bytes, len)?)?;
        let postings = Postings::new(bytes)?;
        if words.len() != postings.len() || lengths.len() != MAX_WORD_CHARS + 2 {
            let (words, lists) = (words.len(), postings.len());
            return Err(Error::corrupted(format!("words: {words} of them, {lists} lists of units")));
        }
        Ok(Words { lengths, words, postings })
    }

    /// The units that hold a word near another.
    pub(crate) fn units(&self, typo: &Typo) -> Result<roaring::RoaringBitmap> {
        let (least, most) = typo.lengths();
        let first = |chars: usize| self.lengths.get(chars.min(MAX_WORD_CHARS + 1)) as usize;
        let range = first(least)..first(most + 1).min(self.words.len());
        let pieces = typo.pieces();
        let mut near = Vec::new();
        if pieces.is_empty() || range.len() <= FEW {
            let words = range.clone().zip(self.words.units(range));
            near.extend(words.filter(|(_, word)| typo.accepts(word)).map(|(ordinal, _)| ordinal));
        } else {
            pieces.iter().for_each(|(at, piece)| self.with_piece(typo, *at, piece, &range, &mut near));
            near.sort_unstable();
            near.dedup();
        }
        self.postings.union(near)
    }

    /// Adds the near words of a range in which a piece stands about where it does in the word.
    fn with_piece(&self, typo: &Typo, at: usize, piece: &str, range: &Range<usize>, near: &mut Vec<usize>) {
        let (base, text) = self.words.text_of(range.clone());
        let finder = memmem::Finder::new(piece);
        let mut from = 0;
        while let Some(hit) = text.get(from..).and_then(|rest| finder.find(rest)) {
            let hit = from + hit;
            // Hits may overlap.
            from = hit + 1;
            let (before, rest) = text.split_at_checked(hit).unwrap_or_default();
            let start = memchr::memrchr(EDGE, before).map_or(0, |edge| edge + 1);
            // The bytes that continue a character are those from 0x80 to 0xBF.
            let head = before.get(start..).unwrap_or(&[]);
            let chars = head.iter().filter(|byte| (**byte as i8) >= -0x40).count();
            if chars.abs_diff(at) > typo.distance() {
                continue;
            }
            let end = hit + memchr::memchr(EDGE, rest).unwrap_or(rest.len());
            if text.get(start..end).is_some_and(|word| typo.accepts(word)) {
                near.push(self.words.unit_at(base + start));
            }
        }
    }
}
