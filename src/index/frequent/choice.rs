//! Which grams are kept, and how they are found in a text.

use super::{LONGEST, chars, ends};
use crate::index::arena::{Arena, BLOCK, EDGE};
use hashbrown::HashMap;

/// A gram is frequent if it is in one unit of this many.
const ONE_IN: usize = 96;
/// A single character is frequent if it is in one unit of this many: there are few, and each is a query.
const CHAR_ONE_IN: usize = 512;
/// One with which units begin is frequent in one unit of this many: there are few as well, and people type beginnings.
const FIRST_ONE_IN: usize = 256;
/// One block of this many is looked at to find out which grams are frequent: that those near the limit are missed or
/// taken in does no harm.
const SAMPLED: usize = 16;
/// Most grams kept: the writer holds a bit for each of them and each unit of a chunk, 8 KiB a gram.
const MOST: usize = 4096;

/// The grams to keep, in byte order. They are numbered from 1; 0 stands for none.
pub(super) struct Choice {
    pub(super) grams: Vec<Vec<u8>>,
    /// Numbers of the characters of one byte, and of the longer ones.
    bytes: Vec<u16>,
    characters: HashMap<Vec<u8>, u16>,
    children: Children,
}

/// Units that a gram was seen in: the last, counted from 1, and how many.
#[derive(Default)]
struct Seen {
    last: usize,
    units: usize,
}

impl Seen {
    fn note(&mut self, unit: usize) {
        self.units += usize::from(self.last != unit);
        self.last = unit;
    }
}

impl Choice {
    /// Looks at some blocks, first for characters, then for grams one character longer than those found.
    pub(super) fn of(arena: &Arena<'_>) -> Choice {
        let blocks = (0..arena.blocks()).step_by(SAMPLED);
        let units = || blocks.clone().flat_map(|block| arena.edged(block * BLOCK..(block + 1) * BLOCK));
        let sampled = units().count();
        let mut seen: HashMap<&[u8], Seen> = HashMap::new();
        for (number, unit) in (1..).zip(units()) {
            chars(unit).for_each(|c| seen.entry(c).or_default().note(number));
        }
        let frequent = |(c, seen): &(&[u8], Seen)| c.len() > 1 && seen.units * CHAR_ONE_IN >= sampled;
        let mut chosen: Vec<Vec<u8>> = seen.into_iter().filter(frequent).map(|(c, _)| c.to_vec()).collect();
        chosen.extend((0..0x80).chain([EDGE]).map(|byte| vec![byte]));
        let mut choice = Choice::new(chosen);
        for len in 2..=LONGEST {
            let mut seen: HashMap<u32, Seen> = HashMap::new();
            for (number, unit) in (1..).zip(units()) {
                choice.each_longer(unit, len, |pair| seen.entry(pair).or_default().note(number));
            }
            let texts = seen.into_iter().map(|(pair, seen)| (choice.text(pair), seen.units));
            let one_in = |gram: &[u8]| if gram.first() == Some(&EDGE) { FIRST_ONE_IN } else { ONE_IN };
            let frequent = texts.filter(|(gram, units)| units * one_in(gram) >= sampled);
            let mut longer: Vec<Vec<u8>> = frequent.map(|(gram, _)| gram).collect();
            longer.sort_unstable();
            longer.truncate(MOST.saturating_sub(choice.grams.len()));
            choice = Choice::new(choice.grams.into_iter().chain(longer).collect());
        }
        choice
    }

    fn new(mut grams: Vec<Vec<u8>>) -> Choice {
        grams.sort_unstable();
        let (mut bytes, mut characters) = (vec![0; 256], HashMap::new());
        let mut children = Children::new(grams.len());
        for (gram, number) in grams.iter().zip(1..) {
            match (gram.as_slice(), ends(gram)) {
                ([byte], _) => bytes.get_mut(usize::from(*byte)).into_iter().for_each(|slot| *slot = number),
                (_, ([], last, _)) => drop(characters.insert(last.to_vec(), number)),
                (_, (left, last, _)) => {
                    let number_of = |gram: &[u8]| grams.binary_search_by(|other| other.as_slice().cmp(gram));
                    let [left, last] = [left, last].map(|gram| number_of(gram).map_or(0, |at| at as u16 + 1));
                    children.insert(pair(left, last), number);
                }
            }
        }
        Choice { bytes, characters, children, grams }
    }

    /// The number of a gram.
    pub(super) fn number(&self, gram: &[u8]) -> Option<usize> {
        self.grams.binary_search_by(|other| other.as_slice().cmp(gram)).ok()
    }

    /// The gram of a pair.
    fn text(&self, pair: u32) -> Vec<u8> {
        let gram = |number: u32| (number as usize).checked_sub(1).and_then(|at| self.grams.get(at));
        [gram(pair >> 16), gram(pair & 0xFFFF)].into_iter().flatten().flatten().copied().collect()
    }

    #[inline]
    fn character(&self, c: &[u8]) -> u16 {
        match c {
            [byte] => self.bytes.get(usize::from(*byte)).copied().unwrap_or(0),
            longer => self.characters.get(longer).copied().unwrap_or(0),
        }
    }

    /// Calls `add` with the place, from 0, of every kept gram and the neighbours among `units` that have it; of one that
    /// is there twice, twice. Characters that a unit has in common with the one before it are not looked at again.
    pub(super) fn each<'t>(
        &self,
        units: impl Iterator<Item = &'t [u8]>,
        mut add: impl FnMut(usize, std::ops::Range<usize>),
    ) {
        let mut close = |place: &Place, end: usize| {
            let grams = place.grams.iter().take_while(|gram| **gram != 0);
            grams.for_each(|gram| add(usize::from(*gram) - 1, place.since..end));
        };
        let mut places: Vec<Place> = Vec::new();
        let (mut before, mut count): (&[u8], usize) = (&[], 0);
        for (at, unit) in units.enumerate() {
            let common = before.iter().zip(unit).take_while(|(a, b)| a == b).count();
            while let Some(place) = places.pop_if(|place| place.end > common) {
                close(&place, at);
            }
            let (mut grams, mut end) = places.last().map_or(([0; LONGEST], 0), |place| (place.grams, place.end));
            for c in chars(unit.get(end..).unwrap_or(&[])) {
                grams = self.next(&grams, c);
                end += c.len();
                places.push(Place { end, grams, since: at });
            }
            (before, count) = (unit, at + 1);
        }
        places.iter().for_each(|place| close(place, count));
    }

    /// Calls `each` with every gram of `len` characters, two at least, whose beginning and end are kept: as the pair of
    /// all but its last character, and that.
    fn each_longer(&self, text: &[u8], len: usize, mut each: impl FnMut(u32)) {
        let mut before = [0; LONGEST];
        for c in chars(text) {
            let grams = self.next(&before, c);
            let (last, left) = (grams.first().copied().unwrap_or(0), before.get(len - 2).copied().unwrap_or(0));
            if left != 0 && grams.get(len - 2).is_some_and(|right| *right != 0) {
                each(pair(left, last));
            }
            before = grams;
        }
    }

    /// The kept grams of one, two, ... characters that end with `c`, from those that end before it.
    #[inline]
    fn next(&self, before: &[u16; LONGEST], c: &[u8]) -> [u16; LONGEST] {
        let mut grams = [0; LONGEST];
        let [first, longer @ ..] = &mut grams;
        *first = self.character(c);
        for (place, left) in longer.iter_mut().zip(before) {
            // A gram whose end is not kept is not kept.
            if *first == 0 || *left == 0 {
                break;
            }
            *place = self.children.get(pair(*left, *first));
            if *place == 0 {
                break;
            }
        }
        grams
    }
}

/// A character of a unit: where it ends, the grams that end there, and the first of the neighbours that have it there.
struct Place {
    end: usize,
    grams: [u16; LONGEST],
    since: usize,
}

/// What a gram is found by: the number of all but its last character, and of that.
fn pair(left: u16, last: u16) -> u32 {
    u32::from(left) << 16 | u32::from(last)
}

/// Pairs -> numbers, by linear probing: looked up a hundred million times, so that hashing has to cost next to nothing.
struct Children {
    slots: Vec<(u32, u16)>,
    shift: u32,
}

impl Children {
    fn new(most: usize) -> Children {
        let bits = (most * 4).next_power_of_two().trailing_zeros();
        Children { slots: vec![(0, 0); 1 << bits], shift: 32 - bits }
    }

    /// The slots to try for a pair, in order.
    #[inline]
    fn probe(&self, pair: u32) -> usize {
        // Fibonacci hashing: 2^32 over the golden ratio.
        (pair.wrapping_mul(0x9E37_79B9) >> self.shift) as usize
    }

    fn insert(&mut self, pair: u32, number: u16) {
        let start = self.probe(pair);
        let slots = self.slots.len();
        let free =
            (0..slots).map(|step| (start + step) % slots).find(|at| self.slots.get(*at).is_some_and(|s| s.1 == 0));
        if let Some(slot) = free.and_then(|at| self.slots.get_mut(at)) {
            *slot = (pair, number);
        }
    }

    /// The number of a pair, 0 for none.
    #[inline]
    fn get(&self, pair: u32) -> u16 {
        let mut at = self.probe(pair);
        while let Some(&(found, number)) = self.slots.get(at) {
            if number == 0 || found == pair {
                return number;
            }
            at = (at + 1) % self.slots.len();
        }
        0
    }
}
