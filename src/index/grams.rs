//! Byte trigrams of an arena -> the blocks that contain them: narrows a substring search to a few blocks.
//!
//! Grams include the edges between units, so anchored patterns narrow too. The method only narrows; the text
//! decides. (The idea of posting lists over blocks of sorted paths is plocate's.) Layout: `docs/format.md`, "Grams".

use super::arena::Arena;
use super::packed::{self, Packed};
use super::varint;
use crate::error::{Error, Result};

/// Arenas with fewer bytes are scanned: that costs less than looking anything up.
pub(crate) const MIN_TEXT: usize = 512 << 10;
/// Candidate lists longer than this share of all blocks (in percent) narrow too little to be worth decoding.
const WORTHLESS_PERCENT: usize = 60;

/// A pattern of a megabyte would look up a million grams: a few hundred narrow as well.
const MOST_GRAMS: usize = 256;

/// The section's bytes for an arena.
pub(crate) fn build(arena: &Arena<'_>) -> Vec<u8> {
    let mut found = Collector::new();
    for block in 0..arena.blocks() {
        found.add(block as u32, arena.block_text(block, block + 1));
    }
    found.encode(arena.blocks())
}

struct Collector {
    /// First two bytes -> third byte -> number of the trigram + 1, 0 for none yet.
    numbers: Vec<Option<Box<[u32; 256]>>>,
    grams: Vec<u32>,
    last_block: Vec<u32>,
    counts: Vec<u32>,
    /// Gram numbers in block order, and where each block's end.
    pairs: Vec<u32>,
    block_ends: Vec<usize>,
}

impl Collector {
    fn new() -> Collector {
        let numbers = vec![None; 1 << 16];
        Collector { numbers, grams: vec![], last_block: vec![], counts: vec![], pairs: vec![], block_ends: vec![] }
    }

    fn add(&mut self, block: u32, text: &[u8]) {
        for gram in grams_of(text) {
            let Some(leaf) = self.numbers.get_mut(gram as usize >> 8) else { continue };
            let leaf = leaf.get_or_insert_with(|| Box::new([0; 256]));
            let Some(slot) = leaf.get_mut(gram as usize & 0xFF) else { continue };
            if *slot == 0 {
                self.grams.push(gram);
                self.last_block.push(u32::MAX);
                self.counts.push(0);
                *slot = self.grams.len() as u32;
            }
            let number = *slot - 1;
            let (Some(last), Some(count)) =
                (self.last_block.get_mut(number as usize), self.counts.get_mut(number as usize))
            else {
                continue;
            };
            if *last != block {
                *last = block;
                *count += 1;
                self.pairs.push(number);
            }
        }
        self.block_ends.push(self.pairs.len());
    }

    /// Counting sort of the pairs by gram, then one list per gram in gram order.
    fn encode(self, blocks: usize) -> Vec<u8> {
        drop(self.numbers);
        let mut next: Vec<usize> = Vec::with_capacity(self.counts.len());
        let mut total = 0;
        for &count in &self.counts {
            next.push(total);
            total += count as usize;
        }
        let starts = next.clone();
        let mut lists = vec![0u32; total];
        let mut from = 0;
        for (block, &to) in self.block_ends.iter().enumerate() {
            for &number in self.pairs.get(from..to).unwrap_or(&[]) {
                if let Some(slot) = next.get_mut(number as usize) {
                    if let Some(place) = lists.get_mut(*slot) {
                        *place = block as u32;
                    }
                    *slot += 1;
                }
            }
            from = to;
        }
        let mut order: Vec<(u32, usize)> = self.grams.iter().copied().zip(0..).collect();
        order.sort_unstable();
        let (mut keys, mut offsets, mut body) = (Vec::new(), Vec::new(), Vec::new());
        for (gram, number) in order {
            keys.push(u64::from(gram));
            offsets.push(body.len() as u64);
            let range = starts.get(number).copied().unwrap_or(0)..next.get(number).copied().unwrap_or(0);
            encode_list(lists.get(range).unwrap_or(&[]), blocks, &mut body);
        }
        offsets.push(body.len() as u64);
        let mut out = Vec::with_capacity(body.len() + keys.len() * 6);
        for array in [keys, offsets] {
            let mut packed = Vec::new();
            packed::write(&array, &mut packed);
            varint::put(&mut out, packed.len() as u64);
            out.extend_from_slice(&packed);
        }
        varint::put(&mut out, blocks as u64);
        out.extend_from_slice(&body);
        out
    }
}

/// Differences, or a plain bit set where that is smaller.
fn encode_list(list: &[u32], blocks: usize, out: &mut Vec<u8>) {
    let mut deltas = Vec::with_capacity(list.len() + 8);
    let mut last = 0;
    for &block in list {
        varint::put(&mut deltas, u64::from(block - last));
        last = block;
    }
    let set_bytes = blocks.div_ceil(8);
    if deltas.len() <= set_bytes {
        varint::put(out, (list.len() as u64) << 1);
        out.extend_from_slice(&deltas);
        return;
    }
    varint::put(out, (list.len() as u64) << 1 | 1);
    let mut set = vec![0u8; set_bytes];
    for &block in list {
        if let Some(byte) = set.get_mut(block as usize / 8) {
            *byte |= 1 << (block % 8);
        }
    }
    out.extend_from_slice(&set);
}

/// Every trigram of `text`, as a 24-bit number.
fn grams_of(text: &[u8]) -> impl Iterator<Item = u32> + '_ {
    let mut gram = match text {
        [a, b, ..] => u32::from(*a) << 8 | u32::from(*b),
        _ => 0,
    };
    text.iter().skip(2).map(move |&byte| {
        gram = (gram << 8 | u32::from(byte)) & 0xFF_FFFF;
        gram
    })
}

/// Reads the section in place.
#[derive(Clone, Copy)]
pub(crate) struct Grams<'a> {
    keys: Packed<'a>,
    offsets: Packed<'a>,
    blocks: usize,
    body: &'a [u8],
}

/// What a pattern's grams say about where it can be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Candidates {
    /// Anywhere: read everything.
    All,
    /// Only in these blocks, ascending.
    Blocks(Vec<u32>),
}

impl<'a> Grams<'a> {
    pub(crate) fn new(mut bytes: &'a [u8]) -> Result<Grams<'a>> {
        let len = varint::take(&mut bytes)? as usize;
        let keys = Packed::new(varint::take_bytes(&mut bytes, len)?)?;
        let len = varint::take(&mut bytes)? as usize;
        let offsets = Packed::new(varint::take_bytes(&mut bytes, len)?)?;
        if offsets.len() != keys.len() + 1 {
            return Err(Error::corrupted(format!("grams: {} keys, {} offsets", keys.len(), offsets.len())));
        }
        let blocks = varint::take(&mut bytes)? as usize;
        Ok(Grams { keys, offsets, blocks, body: bytes })
    }

    /// Number of blocks of the text.
    pub(crate) fn blocks(&self) -> usize {
        self.blocks
    }

    /// Position of the first gram that is not less.
    fn at_least(&self, gram: u64) -> usize {
        let (mut low, mut high) = (0, self.keys.len());
        while low < high {
            let middle = (low + high) / 2;
            if self.keys.get(middle) < gram { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// Position of a gram among the keys.
    fn find(&self, gram: u32) -> Option<usize> {
        let at = self.at_least(u64::from(gram));
        (at < self.keys.len() && self.keys.get(at) == u64::from(gram)).then_some(at)
    }

    /// The blocks with a gram that begins with these two bytes, ascending.
    pub(crate) fn beginning(&self, [a, b]: [u8; 2]) -> Result<Vec<u32>> {
        let first = u64::from(a) << 16 | u64::from(b) << 8;
        let mut blocks = Vec::new();
        for at in self.at_least(first)..self.at_least(first + 0x100) {
            blocks.append(&mut self.decode(at)?);
        }
        blocks.sort_unstable();
        blocks.dedup();
        Ok(blocks)
    }

    fn list(&self, at: usize) -> Result<(usize, bool, &'a [u8])> {
        let range = self.offsets.get(at) as usize..self.offsets.get(at + 1) as usize;
        let mut bytes =
            self.body.get(range.clone()).ok_or_else(|| Error::corrupted(format!("grams: list {at} at {range:?}")))?;
        let head = varint::take(&mut bytes)?;
        Ok(((head >> 1) as usize, head & 1 == 1, bytes))
    }

    /// The blocks that can contain `pattern`.
    pub(crate) fn candidates(&self, pattern: &[u8]) -> Result<Candidates> {
        let mut grams: Vec<u32> = grams_of(pattern).collect();
        if grams.is_empty() {
            return Ok(Candidates::All);
        }
        grams.truncate(MOST_GRAMS);
        grams.sort_unstable();
        grams.dedup();
        let mut lists = Vec::with_capacity(grams.len());
        for gram in grams {
            match self.find(gram) {
                Some(at) => lists.push((self.list(at)?.0, at)),
                None => return Ok(Candidates::Blocks(Vec::new())),
            }
        }
        lists.sort_unstable();
        let mut lists = lists.into_iter();
        let Some((count, first)) = lists.next() else { return Ok(Candidates::All) };
        if count * 100 > self.blocks * WORTHLESS_PERCENT {
            return Ok(Candidates::All);
        }
        let mut blocks = self.decode(first)?;
        for (_, at) in lists {
            // Eight blocks are read faster than another list is decoded.
            if blocks.len() <= 8 {
                break;
            }
            self.intersect(at, &mut blocks)?;
        }
        Ok(Candidates::Blocks(blocks))
    }

    /// Most blocks that can contain `pattern`.
    pub(crate) fn estimate(&self, pattern: &[u8]) -> Result<usize> {
        let mut least = self.blocks;
        for gram in grams_of(pattern).take(MOST_GRAMS) {
            let Some(at) = self.find(gram) else { return Ok(0) };
            least = least.min(self.list(at)?.0);
        }
        Ok(least)
    }

    fn decode(&self, at: usize) -> Result<Vec<u32>> {
        let (count, is_set, mut bytes) = self.list(at)?;
        let mut blocks = Vec::with_capacity(count.min(self.blocks));
        if is_set {
            for (index, &byte) in bytes.iter().enumerate() {
                let mut byte = byte;
                while byte != 0 {
                    blocks.push(index as u32 * 8 + byte.trailing_zeros());
                    byte &= byte - 1;
                }
            }
            return Ok(blocks);
        }
        let mut block = 0u32;
        for _ in 0..count {
            block = block.wrapping_add(varint::take(&mut bytes)? as u32);
            blocks.push(block);
        }
        Ok(blocks)
    }

    fn intersect(&self, at: usize, blocks: &mut Vec<u32>) -> Result<()> {
        let (_, is_set, bytes) = self.list(at)?;
        if is_set {
            blocks.retain(|&b| bytes.get(b as usize / 8).is_some_and(|byte| byte >> (b % 8) & 1 == 1));
            return Ok(());
        }
        let other = self.decode(at)?;
        let mut rest = other.as_slice();
        blocks.retain(|&b| {
            while let [first, more @ ..] = rest {
                if *first >= b {
                    return *first == b;
                }
                rest = more;
            }
            false
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::arena::ArenaWriter;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn candidates_miss_nothing(units in proptest::collection::vec("[abc]{0,6}", 0..600), pattern in "[abc]{0,5}") {
            let mut writer = ArenaWriter::new();
            units.iter().for_each(|u| writer.push(u.as_bytes()));
            let bytes = writer.finish();
            let arena = Arena::new(&bytes).unwrap();
            let section = build(&arena);
            let grams = Grams::new(&section).unwrap();
            if let Candidates::Blocks(blocks) = grams.candidates(pattern.as_bytes()).unwrap() {
                prop_assert!(blocks.is_sorted_by(|a, b| a < b));
                for (at, unit) in units.iter().enumerate() {
                    let block = (at / super::super::arena::BLOCK) as u32;
                    prop_assert!(!unit.contains(&pattern) || blocks.contains(&block));
                }
            }
        }
    }
}
