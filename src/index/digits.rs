//! Identifiers that are hexadecimal numbers of one length, as checksums are: two digits in a byte.
//!
//! One shape (letters' case, quotes, number of digits) is chosen for a column; values of another stand beside it as
//! they are. Layout: `docs/format.md`, "Digits".

use super::arena::{Arena, ArenaWriter};
use super::packed::{self, Packed};
use super::varint;
use crate::error::{Error, Result};
use data_encoding::{Encoding, HEXLOWER, HEXUPPER};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// More digits are not a checksum.
const MOST_DIGITS: usize = 128;
/// The letters are capitals.
const CAPITALS: u8 = 1;
/// The number stands in double quotes.
const QUOTED: u8 = 2;

/// How a number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Shape {
    digits: usize,
    flags: u8,
}

impl Shape {
    /// The shape of a value; `None` for values that are no such number, and those without a letter, which fit two.
    fn of(value: &[u8]) -> Option<Shape> {
        let bare = unquoted(value);
        let has = |from: u8, to: u8| bare.iter().any(|byte| (from..=to).contains(byte));
        let shape = Shape {
            digits: bare.len(),
            flags: if has(b'A', b'F') { CAPITALS } else { 0 } | if bare.len() < value.len() { QUOTED } else { 0 },
        };
        let is_one = shape.is_possible() && bare.iter().all(u8::is_ascii_hexdigit);
        (is_one && has(b'a', b'f') != has(b'A', b'F')).then_some(shape)
    }

    fn is_possible(self) -> bool {
        self.digits > 0
            && self.digits <= MOST_DIGITS
            && self.digits.is_multiple_of(2)
            && self.flags <= CAPITALS | QUOTED
    }

    fn encoding(self) -> Encoding {
        if self.flags & CAPITALS != 0 { HEXUPPER } else { HEXLOWER }
    }

    /// The number of a value of this shape.
    fn pack(self, value: &[u8]) -> Option<Vec<u8>> {
        let bare = unquoted(value);
        let fits = bare.len() == self.digits && (bare.len() < value.len()) == (self.flags & QUOTED != 0);
        self.encoding().decode(bare).ok().filter(|_| fits)
    }

    fn unpack(self, number: &[u8]) -> Vec<u8> {
        let quote: &[u8] = if self.flags & QUOTED != 0 { b"\"" } else { b"" };
        [quote, self.encoding().encode(number).as_bytes(), quote].concat()
    }
}

/// What stands between double quotes, or all of it.
fn unquoted(value: &[u8]) -> &[u8] {
    value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(value)
}

/// The section's bytes for the values of a column; `None` where fewer than three of four have one shape.
pub(crate) fn build(values: &Arena<'_>) -> Option<Vec<u8>> {
    let mut shapes: BTreeMap<Shape, usize> = BTreeMap::new();
    values.units(0..values.len()).filter_map(Shape::of).for_each(|shape| *shapes.entry(shape).or_default() += 1);
    let (shape, count) = shapes.into_iter().max_by_key(|(_, count)| *count)?;
    if count * 4 < values.len() * 3 {
        return None;
    }
    let mut numbers = Vec::with_capacity(values.len() * shape.digits / 2);
    let (mut others, mut texts) = (Vec::new(), ArenaWriter::new());
    for (unit, value) in values.units(0..values.len()).enumerate() {
        match shape.pack(value) {
            Some(number) => numbers.extend_from_slice(&number),
            None => {
                others.push(unit as u64);
                texts.push(value);
                numbers.resize(numbers.len() + shape.digits / 2, 0);
            }
        }
    }
    let mut out = vec![shape.flags];
    varint::put(&mut out, shape.digits as u64);
    varint::put(&mut out, values.len() as u64);
    let mut packed = Vec::new();
    packed::write(&others, &mut packed);
    for section in [packed, texts.finish()] {
        varint::put(&mut out, section.len() as u64);
        out.extend_from_slice(&section);
    }
    out.extend_from_slice(&numbers);
    Some(out)
}

/// Reads the section in place.
#[derive(Clone, Copy)]
pub(crate) struct Digits<'a> {
    shape: Shape,
    /// Units of another shape, or without a value, and their texts.
    others: Packed<'a>,
    texts: Arena<'a>,
    numbers: &'a [u8],
}

impl<'a> Digits<'a> {
    pub(crate) fn new(mut bytes: &'a [u8]) -> Result<Digits<'a>> {
        let flags = varint::take_bytes(&mut bytes, 1)?.first().copied().unwrap_or(0);
        let shape = Shape { flags, digits: varint::take(&mut bytes)? as usize };
        let units = varint::take(&mut bytes)? as usize;
        let len = varint::take(&mut bytes)? as usize;
        let others = Packed::new(varint::take_bytes(&mut bytes, len)?)?;
        let len = varint::take(&mut bytes)? as usize;
        let texts = Arena::new(varint::take_bytes(&mut bytes, len)?)?;
        let fits = others.len() == texts.len() && units.checked_mul(shape.digits / 2) == Some(bytes.len());
        if !shape.is_possible() || !fits {
            let (digits, len) = (shape.digits, bytes.len());
            return Err(Error::corrupted(format!("digits: {units} units of {digits} digits in {len} bytes")));
        }
        Ok(Digits { shape, others, texts, numbers: bytes })
    }

    /// The value of a unit, empty for none.
    pub(crate) fn get(&self, unit: usize) -> Cow<'a, [u8]> {
        let (mut low, mut high) = (0, self.others.len());
        while low < high {
            let middle = (low + high) / 2;
            if self.others.get(middle) < unit as u64 { low = middle + 1 } else { high = middle }
        }
        if low < self.others.len() && self.others.get(low) == unit as u64 {
            return Cow::Borrowed(self.texts.unit(low));
        }
        let width = self.shape.digits / 2;
        let start = unit.saturating_mul(width);
        self.numbers.get(start..start.saturating_add(width)).map_or(Cow::Borrowed(&[]), |n| self.shape.unpack(n).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(values: &[String]) -> bool {
        let mut writer = ArenaWriter::new();
        values.iter().for_each(|value| writer.push(value.as_bytes()));
        let bytes = writer.finish();
        let Some(section) = build(&Arena::new(&bytes).unwrap()) else { return false };
        let digits = Digits::new(&section).unwrap();
        for (unit, value) in values.iter().enumerate() {
            assert_eq!(digits.get(unit), value.as_bytes());
        }
        assert!(digits.get(values.len()).is_empty());
        true
    }

    proptest! {
        #[test]
        fn values_come_back(
            mut values in proptest::collection::vec("\"[0-9A-F]{4}\"", 1..200),
            others in proptest::collection::vec("(\"[0-9a-f]{4}\"|[0-9A-F]{4}|[0-9A-F]{6}|\"|\"\"|)", 0..60),
        ) {
            values.extend(others);
            values.sort_unstable();
            check(&values);
            let bare: Vec<String> = (0..values.len()).map(|unit| format!("{unit:04x}ab")).collect();
            let checked = check(&bare);
            prop_assert!(checked);
        }

        #[test]
        fn any_bytes_are_harmless(bytes in proptest::collection::vec(any::<u8>(), 0..200), unit in 0usize..300) {
            if let Ok(digits) = Digits::new(&bytes) {
                digits.get(unit);
            }
        }
    }

    #[test]
    fn shapes() {
        let of = |value: &str| Shape::of(value.as_bytes()).map(|shape| (shape.digits, shape.flags));
        assert_eq!(of("\"9F\""), Some((2, CAPITALS | QUOTED)));
        assert_eq!((of("9f"), of("9F")), (Some((2, 0)), Some((2, CAPITALS))));
        for other in ["", "\"\"", "\"", "99", "9fA", "aF", "9g", "abc", "9f-2"] {
            assert_eq!(of(other), None, "{other}");
        }
        let plain = |value: &str| (0..9).map(|n| format!("{value}{n}x")).collect::<Vec<_>>();
        assert!(!check(&plain("etag")) && !check(&[]));
    }
}
