//! Keyword columns: one string or none per unit, with the documents of each distinct value.
//!
//! Values are a sorted dictionary and an ordinal per unit; identifiers (checksums, version numbers) stand plainly in
//! unit order. Layout: `docs/format.md`, "Keywords".

use super::arena::{Arena, ArenaWriter};
use super::digits::Digits;
use super::packed::{self, Packed};
use super::postings::{Postings, PostingsWriter};
use super::text::fold;
use crate::error::{Error, Result};
use hashbrown::{DefaultHashBuilder, HashTable};
use std::borrow::Cow;
use std::hash::BuildHasher;

/// Values of a column: distinct strings in order of appearance, and for each unit the number of its string + 1 (0 for
/// none).
#[derive(Default)]
pub(crate) struct Keywords {
    text: Vec<u8>,
    ends: Vec<usize>,
    pub(crate) units: Vec<u32>,
    numbers: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Keywords {
    /// Appends a unit's value.
    pub(crate) fn push(&mut self, value: Option<&[u8]>) {
        let number = value.map_or(0, |v| self.number(v));
        self.units.push(number);
    }

    /// Appends units without a value until there are `units`.
    pub(crate) fn pad(&mut self, units: usize) {
        self.units.resize(units.max(self.units.len()), 0);
    }

    /// Number of distinct strings.
    fn distinct(&self) -> usize {
        self.ends.len()
    }

    fn get(&self, at: usize) -> &[u8] {
        string(&self.text, &self.ends, at)
    }

    /// The number to store for a string.
    pub(crate) fn number(&mut self, value: &[u8]) -> u32 {
        let Keywords { text, ends, numbers, hasher, .. } = self;
        let hash = hasher.hash_one(value);
        if let Some(number) = numbers.find(hash, |n| string(text, ends, *n as usize - 1) == value) {
            return *number;
        }
        text.extend_from_slice(value);
        ends.push(text.len());
        let number = ends.len() as u32;
        numbers.insert_unique(hash, number, |n| hasher.hash_one(string(text, ends, *n as usize - 1)));
        number
    }
}

/// The string number `at` of strings laid end to end.
fn string<'a>(text: &'a [u8], ends: &[usize], at: usize) -> &'a [u8] {
    let start = at.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0);
    ends.get(at).and_then(|end| text.get(start..*end)).unwrap_or(&[])
}

/// The sections of one keyword column.
pub(crate) struct KeySections {
    pub(crate) dictionary: Vec<u8>,
    /// Folded dictionary, where it differs and the field is searched.
    pub(crate) folded: Option<Vec<u8>>,
    pub(crate) ordinals: Vec<u8>,
    pub(crate) postings: Vec<u8>,
}

/// Encodes a column with a dictionary. `doc_of` gives the document of each unit, ascending.
pub(crate) fn write(mut keywords: Keywords, doc_of: impl Fn(usize) -> u32, searched: bool) -> Result<KeySections> {
    let mut units = std::mem::take(&mut keywords.units);
    let distinct = keywords.distinct();
    let mut order: Vec<(&[u8], usize)> = (0..distinct).map(|at| (keywords.get(at), at)).collect();
    order.sort_unstable();
    let mut ordinal_of = vec![0u32; distinct];
    let (mut dictionary, mut folded, mut differs) = (ArenaWriter::new(), ArenaWriter::new(), false);
    for (ordinal, (value, number)) in order.iter().enumerate() {
        dictionary.push(value);
        if let Some(slot) = ordinal_of.get_mut(*number) {
            *slot = ordinal as u32 + 1;
        }
        if searched {
            let text = fold(std::str::from_utf8(value).unwrap_or(""));
            differs |= text.as_bytes() != *value;
            folded.push(text.as_bytes());
        }
    }
    for unit in &mut units {
        *unit = (*unit as usize).checked_sub(1).and_then(|at| ordinal_of.get(at)).copied().unwrap_or(0);
    }
    let mut ordinals = Vec::new();
    packed::write(&units.iter().map(|n| u64::from(*n)).collect::<Vec<_>>(), &mut ordinals);
    Ok(KeySections {
        dictionary: dictionary.finish(),
        folded: (searched && differs).then(|| folded.finish()),
        ordinals,
        postings: postings(&units, distinct, doc_of)?,
    })
}

/// Counting sort of (ordinal, document), documents without repetition.
fn postings(units: &[u32], ordinals: usize, doc_of: impl Fn(usize) -> u32) -> Result<Vec<u8>> {
    let mut ends = vec![0usize; ordinals + 1];
    for &unit in units {
        if let Some(count) = ends.get_mut(unit as usize) {
            *count += 1;
        }
    }
    let mut total = 0;
    if let Some(missing) = ends.first_mut() {
        *missing = 0;
    }
    for end in &mut ends {
        (total, *end) = (total + *end, total);
    }
    let mut docs = vec![0u32; total];
    for (at, &unit) in units.iter().enumerate().filter(|(_, unit)| **unit != 0) {
        if let Some(end) = ends.get_mut(unit as usize) {
            if let Some(slot) = docs.get_mut(*end) {
                *slot = doc_of(at);
            }
            *end += 1;
        }
    }
    let mut writer = PostingsWriter::default();
    let mut list = Vec::new();
    for (start, end) in ends.iter().zip(ends.iter().skip(1)) {
        list.clear();
        list.extend_from_slice(docs.get(*start..*end).unwrap_or(&[]));
        list.dedup();
        writer.push(&list)?;
    }
    Ok(writer.finish())
}

/// Reads a keyword column in place.
#[derive(Clone, Copy)]
pub(crate) enum KeyColumn<'a> {
    /// Sorted distinct values.
    Dictionary {
        /// The values; unit = ordinal.
        values: Arena<'a>,
        /// The values folded, where folding changes any.
        folded: Arena<'a>,
        /// Ordinal + 1 per unit, 0 for none.
        ordinals: Packed<'a>,
        /// Documents of each ordinal.
        postings: Postings<'a>,
    },
    /// One value per unit.
    Plain(Plain<'a>),
}

/// The values of an identifier column, empty for none.
#[derive(Clone, Copy)]
pub(crate) enum Plain<'a> {
    /// As they are.
    Texts(Arena<'a>),
    /// Hexadecimal numbers.
    Digits(Digits<'a>),
}

impl<'a> Plain<'a> {
    /// The value of a unit.
    pub(crate) fn get(&self, unit: usize) -> Cow<'a, [u8]> {
        match self {
            Plain::Texts(texts) => Cow::Borrowed(texts.unit(unit)),
            Plain::Digits(digits) => digits.get(unit),
        }
    }
}

impl<'a> KeyColumn<'a> {
    /// From the sections that are there: dictionary, folded, ordinals, postings, plain, digits.
    pub(crate) fn new(sections: [Option<&'a [u8]>; 6]) -> Result<Option<KeyColumn<'a>>> {
        match sections {
            [_, _, _, _, Some(plain), _] => Ok(Some(KeyColumn::Plain(Plain::Texts(Arena::new(plain)?)))),
            [_, _, _, _, None, Some(digits)] => Ok(Some(KeyColumn::Plain(Plain::Digits(Digits::new(digits)?)))),
            [Some(dictionary), folded, Some(ordinals), Some(postings), None, None] => {
                let values = Arena::new(dictionary)?;
                let folded = folded.map_or(Ok(values), Arena::new)?;
                let postings = Postings::new(postings)?;
                if folded.len() != values.len() || postings.len() != values.len() {
                    let (words, lists) = (values.len(), postings.len());
                    return Err(Error::corrupted(format!("keywords: {words} values, {lists} postings")));
                }
                Ok(Some(KeyColumn::Dictionary { values, folded, ordinals: Packed::new(ordinals)?, postings }))
            }
            [None, None, None, None, None, None] => Ok(None),
            _ => Err(Error::corrupted("keywords: a column lacks one of its sections")),
        }
    }

    /// Ordinal + 1 of each unit, for columns with a dictionary.
    pub(crate) fn ordinals(&self) -> Option<Packed<'a>> {
        if let KeyColumn::Dictionary { ordinals, .. } = self { Some(*ordinals) } else { None }
    }

    /// The value of a unit.
    pub(crate) fn get(&self, unit: usize) -> Option<Cow<'a, [u8]>> {
        match self {
            KeyColumn::Plain(values) => Some(values.get(unit)).filter(|v| !v.is_empty()),
            KeyColumn::Dictionary { values, ordinals, .. } => {
                ordinals.get(unit).checked_sub(1).map(|ordinal| Cow::Borrowed(values.unit(ordinal as usize)))
            }
        }
    }
}

/// Copies values of a dictionary column into another, looking each distinct value up once.
pub(crate) struct Copier<'a> {
    values: Arena<'a>,
    ordinals: Packed<'a>,
    /// Number in the output of each ordinal, 0 while unknown.
    numbers: Vec<u32>,
}

impl<'a> Copier<'a> {
    /// `None` for a column without a dictionary.
    pub(crate) fn new(column: &KeyColumn<'a>) -> Option<Copier<'a>> {
        let KeyColumn::Dictionary { values, ordinals, .. } = column else { return None };
        Some(Copier { values: *values, ordinals: *ordinals, numbers: vec![0; values.len()] })
    }

    /// Appends the values of `units` to `out`.
    pub(crate) fn append(&mut self, units: impl Iterator<Item = usize>, out: &mut Keywords) {
        for unit in units {
            let ordinal = (self.ordinals.get(unit) as usize).checked_sub(1);
            let number = ordinal.and_then(|at| Some((at, self.numbers.get_mut(at)?))).map(|(at, number)| {
                if *number == 0 {
                    *number = out.number(self.values.unit(at));
                }
                *number
            });
            out.units.push(number.unwrap_or(0));
        }
    }
}
