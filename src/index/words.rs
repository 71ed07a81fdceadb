//! Words of an arena: an FST term dictionary, and which units hold each word. Serves typo-tolerant matching.
//!
//! Layout: `docs/format.md`, "Words".

use super::arena::Arena;
use super::postings::{Postings, PostingsWriter};
use super::text::{self, MAX_TYPO_CHARS};
use super::varint;
use crate::error::{Error, ErrorKind, Result};
use fst::{Automaton, IntoStreamer, Streamer};
use std::collections::HashMap;

/// Arenas with fewer units are searched word by word.
pub(crate) const MIN_UNITS: usize = 32 << 10;
/// Longest word kept, in bytes: the longest tolerant pattern plus two edits, at four bytes a character.
const MAX_WORD_BYTES: usize = (MAX_TYPO_CHARS + 2) * 4;

/// The section's bytes for an arena of folded text.
pub(crate) fn build(arena: &Arena<'_>) -> Result<Vec<u8>> {
    let mut numbers: HashMap<&[u8], u32> = HashMap::new();
    let mut pairs: Vec<u64> = Vec::new();
    for (unit, bytes) in arena.units(0..arena.len()).enumerate() {
        let Ok(unit_text) = std::str::from_utf8(bytes) else { continue };
        for word in text::words(unit_text).filter(|w| w.len() <= MAX_WORD_BYTES) {
            let next = numbers.len() as u32;
            let number = *numbers.entry(word.as_bytes()).or_insert(next);
            pairs.push(u64::from(number) << 32 | unit as u64);
        }
    }
    let mut words: Vec<(&[u8], u32)> = numbers.into_iter().collect();
    words.sort_unstable();
    // Renumber by dictionary order, so that sorting the pairs yields the lists in ordinal order.
    let mut ordinal_of = vec![0u32; words.len()];
    let mut dictionary = fst::MapBuilder::memory();
    for (ordinal, (word, number)) in words.iter().enumerate() {
        dictionary.insert(word, ordinal as u64).map_err(internal)?;
        if let Some(slot) = ordinal_of.get_mut(*number as usize) {
            *slot = ordinal as u32;
        }
    }
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
    let dictionary = dictionary.into_inner().map_err(internal)?;
    let mut out = Vec::new();
    varint::put(&mut out, dictionary.len() as u64);
    out.extend_from_slice(&dictionary);
    out.extend_from_slice(&postings.finish());
    Ok(out)
}

fn internal(error: fst::Error) -> Error {
    Error::new(ErrorKind::Internal, format!("word dictionary: {error}"))
}

/// Reads the section in place.
pub(crate) struct Words<'a> {
    dictionary: fst::Map<&'a [u8]>,
    postings: Postings<'a>,
}

impl<'a> Words<'a> {
    /// IMPORTANT: only for bytes whose checksum was verified; `fst` panics on flipped ones.
    pub(crate) fn new(mut bytes: &'a [u8]) -> Result<Words<'a>> {
        let len = varint::take(&mut bytes)? as usize;
        let dictionary = fst::Map::new(varint::take_bytes(&mut bytes, len)?)
            .map_err(|e| Error::corrupted(format!("word dictionary: {e}")))?;
        let postings = Postings::new(bytes)?;
        if dictionary.len() != postings.len() {
            let (words, lists) = (dictionary.len(), postings.len());
            return Err(Error::corrupted(format!("word dictionary: {words} words, {lists} lists")));
        }
        Ok(Words { dictionary, postings })
    }

    /// The units that hold a word which `automaton` accepts.
    pub(crate) fn units(&self, automaton: impl Automaton) -> Result<roaring::RoaringBitmap> {
        let mut ordinals = Vec::new();
        let mut stream = self.dictionary.search(automaton).into_stream();
        while let Some((_, ordinal)) = stream.next() {
            ordinals.push(ordinal as usize);
        }
        self.postings.union(ordinals)
    }
}
