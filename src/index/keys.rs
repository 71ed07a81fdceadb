//! Keyword columns: one string or none per unit, with the documents of each distinct value.
//!
//! Values that repeat are a sorted dictionary and an ordinal per unit; values that are nearly all different and never
//! searched (checksums, tags of versions) stand plainly in unit order. Layout: `docs/format.md`, "Keywords".

use super::arena::{Arena, ArenaWriter};
use super::packed::{self, Packed};
use super::postings::{Postings, PostingsWriter};
use super::text::fold;
use crate::error::{Error, Result};
use std::collections::HashMap;

/// Values of a column: distinct strings in any order, and for each unit the number of its string + 1 (0 for none).
#[derive(Default)]
pub(crate) struct Keywords {
    pub(crate) distinct: Vec<Vec<u8>>,
    pub(crate) units: Vec<u32>,
    numbers: HashMap<Vec<u8>, u32>,
}

impl Keywords {
    /// Appends a unit's value.
    pub(crate) fn push(&mut self, value: Option<&[u8]>) {
        let number = value.map_or(0, |v| self.number(v));
        self.units.push(number);
    }

    /// The number to store for a string.
    pub(crate) fn number(&mut self, value: &[u8]) -> u32 {
        if let Some(&number) = self.numbers.get(value) {
            return number;
        }
        self.distinct.push(value.to_vec());
        let number = self.distinct.len() as u32;
        self.numbers.insert(value.to_vec(), number);
        number
    }
}

/// The sections of one keyword column; which are there depends on the values.
#[derive(Default)]
pub(crate) struct KeySections {
    pub(crate) dictionary: Option<Vec<u8>>,
    /// Folded dictionary, where it differs and the field is searched.
    pub(crate) folded: Option<Vec<u8>>,
    pub(crate) ordinals: Option<Vec<u8>>,
    pub(crate) postings: Option<Vec<u8>>,
    pub(crate) plain: Option<Vec<u8>>,
}

/// Encodes a column. `doc_of` gives the document of each unit, ascending; `searched` columns always get a dictionary.
pub(crate) fn write(keywords: Keywords, doc_of: impl Fn(usize) -> u32, searched: bool) -> Result<KeySections> {
    let Keywords { distinct, mut units, .. } = keywords;
    let present = units.iter().filter(|n| **n != 0).count();
    if !searched && distinct.len() > 16 && distinct.len() * 10 > present * 6 {
        let mut plain = ArenaWriter::new();
        for &number in &units {
            plain.push((number as usize).checked_sub(1).and_then(|at| distinct.get(at)).map_or(&[], Vec::as_slice));
        }
        return Ok(KeySections { plain: Some(plain.finish()), ..KeySections::default() });
    }
    let mut order: Vec<(&[u8], usize)> = distinct.iter().map(Vec::as_slice).zip(0..).collect();
    order.sort_unstable();
    let mut ordinal_of = vec![0u32; distinct.len()];
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
        dictionary: Some(dictionary.finish()),
        folded: (searched && differs).then(|| folded.finish()),
        ordinals: Some(ordinals),
        postings: Some(postings(&units, distinct.len(), doc_of)?),
        plain: None,
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
    /// One value per unit, empty for none.
    Plain(Arena<'a>),
}

impl<'a> KeyColumn<'a> {
    /// From the sections that are there: dictionary, folded, ordinals, postings, plain.
    pub(crate) fn new(sections: [Option<&'a [u8]>; 5]) -> Result<Option<KeyColumn<'a>>> {
        match sections {
            [_, _, _, _, Some(plain)] => Ok(Some(KeyColumn::Plain(Arena::new(plain)?))),
            [Some(dictionary), folded, Some(ordinals), Some(postings), None] => {
                let values = Arena::new(dictionary)?;
                let folded = folded.map_or(Ok(values), Arena::new)?;
                let postings = Postings::new(postings)?;
                if folded.len() != values.len() || postings.len() != values.len() {
                    let (words, lists) = (values.len(), postings.len());
                    return Err(Error::corrupted(format!("keywords: {words} values, {lists} postings")));
                }
                Ok(Some(KeyColumn::Dictionary { values, folded, ordinals: Packed::new(ordinals)?, postings }))
            }
            [None, None, None, None, None] => Ok(None),
            _ => Err(Error::corrupted("keywords: a column lacks one of its sections")),
        }
    }

    /// Ordinal + 1 of each unit, for columns with a dictionary.
    pub(crate) fn ordinals(&self) -> Option<Packed<'a>> {
        if let KeyColumn::Dictionary { ordinals, .. } = self { Some(*ordinals) } else { None }
    }

    /// The value of a unit.
    pub(crate) fn get(&self, unit: usize) -> Option<&'a [u8]> {
        match self {
            KeyColumn::Plain(values) => Some(values.unit(unit)).filter(|v| !v.is_empty()),
            KeyColumn::Dictionary { values, ordinals, .. } => {
                ordinals.get(unit).checked_sub(1).map(|ordinal| values.unit(ordinal as usize))
            }
        }
    }
}

/// Copies values of one column into another, looking each distinct value up once.
pub(crate) struct Copier<'a> {
    column: KeyColumn<'a>,
    /// Number in the output of each ordinal, 0 while unknown.
    numbers: Vec<u32>,
}

impl<'a> Copier<'a> {
    pub(crate) fn new(column: KeyColumn<'a>) -> Copier<'a> {
        let ordinals = if let KeyColumn::Dictionary { values, .. } = &column { values.len() } else { 0 };
        Copier { column, numbers: vec![0; ordinals] }
    }

    /// Appends the values of `units` to `out`.
    pub(crate) fn append(&mut self, units: impl Iterator<Item = usize>, out: &mut Keywords) {
        match &self.column {
            KeyColumn::Plain(_) => units.for_each(|unit| out.push(self.column.get(unit))),
            KeyColumn::Dictionary { values, ordinals, .. } => {
                for unit in units {
                    let ordinal = (ordinals.get(unit) as usize).checked_sub(1);
                    let number = ordinal.and_then(|at| Some((at, self.numbers.get_mut(at)?))).map(|(at, number)| {
                        if *number == 0 {
                            *number = out.number(values.unit(at));
                        }
                        *number
                    });
                    out.units.push(number.unwrap_or(0));
                }
            }
        }
    }
}
