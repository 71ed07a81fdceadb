//! Reads frequent grams in place.

use super::{CHUNK, Form, LONGEST, chars, ends};
use crate::error::{Error, Result};
use crate::index::packed::Packed;
use crate::index::unit_set::UnitSet;
use crate::index::varint;
use std::ops::Range;

/// The section.
#[derive(Clone, Copy)]
pub(crate) struct Frequent<'a> {
    units: usize,
    text_starts: Packed<'a>,
    totals: Packed<'a>,
    starts: Packed<'a>,
    text: &'a [u8],
    /// Each gram's place, as a finite state transducer.
    terms: &'a [u8],
    body: &'a [u8],
}

impl<'a> Frequent<'a> {
    pub(crate) fn new(mut bytes: &'a [u8]) -> Result<Frequent<'a>> {
        let units = varint::take(&mut bytes)? as usize;
        let mut array = || {
            let len = varint::take(&mut bytes)? as usize;
            Packed::new(varint::take_bytes(&mut bytes, len)?)
        };
        let (text_starts, totals, starts) = (array()?, array()?, array()?);
        let len = varint::take(&mut bytes)? as usize;
        let text = varint::take_bytes(&mut bytes, len)?;
        let len = varint::take(&mut bytes)? as usize;
        let terms = varint::take_bytes(&mut bytes, len)?;
        fst::raw::Fst::new(terms).map_err(|e| Error::corrupted(format!("frequent grams: their dictionary: {e}")))?;
        let grams = totals.len();
        let lists = grams.checked_mul(units.div_ceil(CHUNK)).and_then(|lists| lists.checked_add(1));
        if text_starts.len() != grams + 1 || lists != Some(starts.len()) {
            let lists = starts.len();
            return Err(Error::corrupted(format!("frequent grams: {grams} grams of {units} units, {lists} lists")));
        }
        Ok(Frequent { units, text_starts, totals, starts, text, terms, body: bytes })
    }

    /// Number of units.
    pub(crate) fn len(&self) -> usize {
        self.units
    }

    fn gram(&self, at: usize) -> &'a [u8] {
        self.text.get(self.text_starts.get(at) as usize..self.text_starts.get(at + 1) as usize).unwrap_or(&[])
    }

    /// The place of a gram.
    pub(crate) fn find(&self, gram: &[u8]) -> Option<usize> {
        if gram.is_empty() || chars(gram).nth(LONGEST).is_some() {
            return None;
        }
        let place = fst::raw::Fst::new(self.terms).ok()?.get(gram)?.value() as usize;
        (place < self.totals.len()).then_some(place)
    }

    /// The longest grams that a pattern consists of, rarest first, each with the number of its units.
    pub(crate) fn parts(&self, pattern: &[u8]) -> Vec<(usize, usize)> {
        let Ok(terms) = fst::raw::Fst::new(self.terms) else { return Vec::new() };
        let mut parts = Vec::new();
        let (mut start, mut reached) = (0, 0);
        for c in chars(pattern) {
            let rest = pattern.get(start..).unwrap_or(&[]);
            // One that ends where the one before does is a part of it.
            if let Some((len, at)) = self.longest(&terms, rest).filter(|(len, _)| start + len > reached) {
                reached = start + len;
                parts.push((self.totals.get(at) as usize, at));
            }
            start += c.len();
        }
        parts.sort_unstable();
        parts.dedup();
        parts
    }

    /// Length and place of the longest gram that `text` begins with: one walk, since what a gram begins with is kept.
    fn longest(&self, terms: &fst::raw::Fst<&[u8]>, text: &[u8]) -> Option<(usize, usize)> {
        let (mut node, mut output) = (terms.root(), fst::raw::Output::zero());
        let (mut len, mut found) = (0, None);
        for c in chars(text).take(LONGEST) {
            for byte in c {
                let Some(input) = node.find_input(*byte) else { return found };
                let transition = node.transition(input);
                output = output.cat(transition.out);
                node = terms.node(transition.addr);
            }
            len += c.len();
            let place = output.cat(node.final_output()).value() as usize;
            if node.is_final() && place < self.totals.len() {
                found = Some((len, place));
            }
        }
        found
    }

    /// Number of units that contain a pattern, if it is kept.
    pub(crate) fn exactly(&self, pattern: &[u8]) -> Option<usize> {
        self.find(pattern).map(|at| self.totals.get(at) as usize)
    }

    /// Most units that can contain a pattern, if anything is known of it.
    pub(crate) fn most(&self, pattern: &[u8]) -> Option<usize> {
        self.parts(pattern).first().map(|(units, _)| *units)
    }

    /// Adds those units of the set's range that contain the gram at a place.
    pub(crate) fn add(&self, at: usize, set: &mut UnitSet) -> Result<()> {
        let range = set.range();
        for chunk in range.start / CHUNK..range.end.min(self.units).div_ceil(CHUNK) {
            let units = range.start.max(chunk * CHUNK)..range.end.min((chunk + 1) * CHUNK);
            Chunk { frequent: self, chunk, units, known: Vec::new() }.add(at, set)?;
        }
        Ok(())
    }
}

/// The lists of one chunk.
struct Chunk<'a, 'f> {
    frequent: &'f Frequent<'a>,
    chunk: usize,
    /// Those of its units that matter.
    units: Range<usize>,
    /// Sets of grams that others were read through.
    known: Vec<(usize, UnitSet)>,
}

impl Chunk<'_, '_> {
    fn add(&mut self, at: usize, set: &mut UnitSet) -> Result<()> {
        let Frequent { starts, body, totals, .. } = self.frequent;
        let list = self.chunk * totals.len() + at;
        let (from, to) = (starts.get(list) as usize, starts.get(list + 1) as usize);
        let wrong = |what: &str| Error::corrupted(format!("frequent grams: list {list}, {from}..{to}: {what}"));
        let Some((form, bytes)) = body.get(from..to).ok_or_else(|| wrong("outside the section"))?.split_first() else {
            return Ok(());
        };
        let first = self.chunk * CHUNK;
        const FORMS: [Form; 4] = [Form::Units, Form::Others, Form::Exceptions, Form::Bits];
        match FORMS.into_iter().find(|known| *known as u8 == *form) {
            Some(Form::Units) => varint::each_gap(bytes, |unit| set.insert(first.wrapping_add(unit))),
            Some(Form::Others) => {
                set.insert_range(first..first + CHUNK);
                varint::each_gap(bytes, |unit| set.remove(first.wrapping_add(unit)));
            }
            Some(Form::Bits) => set.insert_bits(first, bytes.get(..CHUNK / 8).unwrap_or(bytes)),
            Some(Form::Exceptions) => {
                let (left, _, right) = ends(self.frequent.gram(at));
                let mut both = self.known(left)?;
                both.intersect(&self.known(right)?);
                varint::each_gap(bytes, |unit| both.remove(first.wrapping_add(unit)));
                set.unite(&both);
            }
            None => return Err(wrong("not in a form of this version")),
        }
        Ok(())
    }

    /// The units of a shorter gram that another one is read through.
    fn known(&mut self, gram: &[u8]) -> Result<UnitSet> {
        let at = self.frequent.find(gram).ok_or_else(|| Error::corrupted("frequent grams: exceptions of nothing"))?;
        if let Some((_, units)) = self.known.iter().find(|(known, _)| *known == at) {
            return Ok(units.clone());
        }
        let mut units = UnitSet::new(self.units.clone());
        self.add(at, &mut units)?;
        self.known.push((at, units.clone()));
        Ok(units)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::arena::{Arena, ArenaWriter, EDGE};
    use proptest::prelude::*;

    /// Units that contain the gram, edges included, by looking at each.
    fn naive(units: &[String], gram: &[u8]) -> Vec<u32> {
        let holds = |unit: &String| {
            let edged = [&[EDGE], unit.as_bytes(), &[EDGE]].concat();
            edged.windows(gram.len()).any(|window| window == gram)
        };
        (0..).zip(units).filter(|(_, unit)| holds(unit)).map(|(at, _)| at).collect()
    }

    /// Every list of the units' grams is what a scan finds; returns how many there are.
    fn check(units: &[String], ranges: &[Range<usize>]) -> usize {
        let mut writer = ArenaWriter::new();
        units.iter().for_each(|u| writer.push(u.as_bytes()));
        let bytes = writer.finish();
        let section = super::super::build(&Arena::new(&bytes).unwrap()).unwrap();
        let frequent = Frequent::new(&section).unwrap();
        assert!(frequent.find(b"a").is_some() && frequent.find(b"").is_none());
        for at in 0..frequent.totals.len() {
            let gram = frequent.gram(at);
            assert_eq!(frequent.find(gram), Some(at));
            let expected = naive(units, gram);
            assert_eq!(frequent.totals.get(at) as usize, expected.len(), "{gram:?}");
            for range in ranges {
                let mut set = UnitSet::new(range.clone());
                frequent.add(at, &mut set).unwrap();
                let inside = expected.iter().copied().filter(|unit| range.contains(&(*unit as usize)));
                assert_eq!(set.into_bitmap().iter().collect::<Vec<_>>(), inside.collect::<Vec<_>>(), "{gram:?}");
            }
        }
        frequent.totals.len()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn lists_equal_a_scan(units in proptest::collection::vec("[ab]{0,3}(\u{6771}|\u{e9}|\u{1f600})?[ab/]{0,2}", 1..200), from in 0usize..100) {
            let len = units.len();
            check(&units, &[0..len, from.min(len)..(len - len / 4).max(from.min(len))]);
        }

        #[test]
        fn any_bytes_are_harmless(bytes in proptest::collection::vec(any::<u8>(), 0..300), at in 0usize..9) {
            if let Ok(frequent) = Frequent::new(&bytes) {
                let _ = frequent.add(at, &mut UnitSet::new(0..200_000));
            }
        }
    }

    #[test]
    fn lists_pass_from_chunk_to_chunk() {
        let unit = |n: usize| format!("{}{}", if n.is_multiple_of(9) { "" } else { "xyz" }, n / 7 % 300);
        let units: Vec<String> = (0..CHUNK * 2 + 777).map(unit).collect();
        let grams = check(&units, &[0..units.len(), CHUNK - 5..CHUNK + 5, CHUNK + 1..units.len()]);
        assert!(grams > 150, "longer grams are kept: {grams}");
    }
}
