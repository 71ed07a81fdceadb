//! Writes the lists of the chosen grams, chunk by chunk.

use super::choice::Choice;
use super::{CHUNK, Form, ends};
use crate::error::{Error, ErrorKind, Result};
use crate::index::arena::Arena;
use crate::index::unit_set::set_bits;
use crate::index::{packed, varint};
use std::ops::Range;

/// Exceptions take several lists to read: they have to be this many times shorter than any other form.
const WORTH: usize = 2;

/// The section's bytes for an arena.
pub(crate) fn build(arena: &Arena<'_>) -> Result<Vec<u8>> {
    let choice = Choice::of(arena);
    let mut lists = Lists::new(&choice, arena.len().min(CHUNK).div_ceil(64));
    let mut starts = Vec::with_capacity(arena.len().div_ceil(CHUNK) * choice.grams.len() + 1);
    for from in (0..arena.len()).step_by(CHUNK) {
        let units = from..arena.len().min(from + CHUNK);
        choice.each(arena.edged(units.clone()), |gram, units| lists.add(gram, units));
        for gram in 0..choice.grams.len() {
            starts.push(lists.body.len() as u64);
            lists.write(gram, units.len());
        }
        lists.bits.fill(0);
    }
    starts.push(lists.body.len() as u64);
    let (mut text, mut text_starts) = (Vec::new(), Vec::new());
    for gram in &choice.grams {
        text_starts.push(text.len() as u64);
        text.extend_from_slice(gram);
    }
    text_starts.push(text.len() as u64);
    let mut out = Vec::with_capacity(lists.body.len() + starts.len() * 4 + text.len() * 2);
    varint::put(&mut out, arena.len() as u64);
    for array in [&text_starts, &lists.totals, &starts] {
        let mut packed = Vec::new();
        packed::write(array, &mut packed);
        varint::put(&mut out, packed.len() as u64);
        out.extend_from_slice(&packed);
    }
    for part in [&text, &dictionary(&choice.grams)?] {
        varint::put(&mut out, part.len() as u64);
        out.extend_from_slice(part);
    }
    out.extend_from_slice(&lists.body);
    Ok(out)
}

/// A finite state transducer from each gram to its place.
fn dictionary(grams: &[Vec<u8>]) -> Result<Vec<u8>> {
    let refused = |e| Error::new(ErrorKind::Internal, format!("frequent grams: no dictionary: {e}"));
    let mut terms = fst::MapBuilder::memory();
    for (place, gram) in (0..).zip(grams) {
        terms.insert(gram, place).map_err(refused)?;
    }
    terms.into_inner().map_err(refused)
}

/// The units of every gram in one chunk, and what was written of the chunks before.
struct Lists {
    /// The grams that each gram begins and ends with, none for those of one character.
    parents: Vec<Option<(usize, usize)>>,
    /// Words of 64 bits for the units of a chunk.
    words: usize,
    /// A bit for each gram and unit of the chunk.
    bits: Vec<u64>,
    totals: Vec<u64>,
    body: Vec<u8>,
}

impl Lists {
    fn new(choice: &Choice, words: usize) -> Lists {
        let parents = choice.grams.iter().map(|gram| {
            let (left, _, right) = ends(gram);
            choice.number(left).zip(choice.number(right))
        });
        let count = choice.grams.len();
        Lists {
            parents: parents.collect(),
            words,
            bits: vec![0; count * words],
            totals: vec![0; count],
            body: Vec::new(),
        }
    }

    #[inline]
    fn add(&mut self, gram: usize, units: Range<usize>) {
        let first = gram * self.words * 64;
        set_bits(&mut self.bits, first + units.start..first + units.end);
    }

    fn words(&self, gram: usize, units: usize) -> &[u64] {
        let start = gram * self.words;
        self.bits.get(start..start + units.div_ceil(64)).unwrap_or(&[])
    }

    /// Writes the list of a gram in its smallest form, nothing for no unit.
    fn write(&mut self, gram: usize, units: usize) {
        let words = self.words(gram, units);
        let count: usize = words.iter().map(|word| word.count_ones() as usize).sum();
        if count == 0 {
            return;
        }
        let room = units.div_ceil(8);
        let mut best: Option<(Form, Vec<u8>)> = None;
        let mut least = room;
        let mut try_form = |form: Form, worth: usize, list: Option<Vec<u8>>| {
            if let Some(list) = list.filter(|list| list.len() * worth < least) {
                least = list.len();
                best = Some((form, list));
            }
        };
        if count < room {
            try_form(Form::Units, 1, differences(words.iter().copied(), room));
        }
        if units - count < room {
            let past = (64 - units % 64) % 64;
            let last = words.len() - 1;
            let others = |(at, word): (usize, &u64)| if at == last { !word << past >> past } else { !word };
            try_form(Form::Others, 1, differences(words.iter().enumerate().map(others), room));
        }
        if let Some((left, right)) = self.parents.get(gram).copied().flatten() {
            let both = self.words(left, units).iter().zip(self.words(right, units)).map(|(left, right)| left & right);
            let exceptions = both.zip(words).map(|(both, word)| both & !word);
            try_form(Form::Exceptions, WORTH, differences(exceptions, count.min(room) / WORTH));
        }
        let bits = || words.iter().flat_map(|word| word.to_le_bytes()).take(room).collect();
        let (form, list) = best.unwrap_or_else(|| (Form::Bits, bits()));
        self.body.push(form as u8);
        self.body.extend_from_slice(&list);
        if let Some(total) = self.totals.get_mut(gram) {
            *total += count as u64;
        }
    }
}

/// The units of bits: each as its distance to the unit that could be next. `None` if that takes more than `room` bytes.
fn differences(words: impl Iterator<Item = u64>, room: usize) -> Option<Vec<u8>> {
    let (mut out, mut next) = (Vec::new(), 0);
    for (first, mut word) in (0..).step_by(64).zip(words) {
        while word != 0 {
            let unit = first + u64::from(word.trailing_zeros());
            varint::put(&mut out, unit - next);
            next = unit + 1;
            word &= word - 1;
        }
        if out.len() > room {
            return None;
        }
    }
    Some(out)
}
