//! TIFF directories (TIFF 6.0, section 2; BigTIFF; the TIFF block of EXIF 2.32, 4.6).

use crate::extract::{Input, Parsed};

/// Numbers kept of one value: longer ones are tables, not facts.
const NUMBERS: u64 = 256;

/// A TIFF header: where offsets count from, and how numbers are written.
#[derive(Debug, Clone, Copy)]
pub struct Tiff {
    base: u64,
    little: bool,
    big_tiff: bool,
    /// Offset of the first directory, from the header's start.
    pub first: u64,
}

/// One entry of a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// What the value means.
    pub tag: u16,
    /// How the value is written (TIFF 6.0, page 15).
    pub kind: u16,
    /// Number of values.
    pub count: u64,
    /// Where the value is, in bytes from the start of the file.
    pub at: u64,
}

/// A directory: its entries and the offset of the next one, 0 for none.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    /// The entries in file order.
    pub entries: Vec<Entry>,
    /// Offset of the next directory in the chain.
    pub next: u64,
}

/// A value in one of four forms.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// ASCII and UTF-8: bytes with whatever follows the terminator.
    Text(Vec<u8>),
    /// BYTE and UNDEFINED.
    Bytes(Vec<u8>),
    /// Whole numbers.
    Whole(Vec<i64>),
    /// Fractions.
    Ratio(Vec<(i64, i64)>),
    /// Floating-point numbers.
    Real(Vec<f64>),
}

impl Values {
    /// The first number, if it is a whole one.
    pub fn whole(&self) -> Option<i64> {
        match self {
            Values::Whole(numbers) => numbers.first().copied(),
            Values::Bytes(bytes) => bytes.first().map(|byte| i64::from(*byte)),
            _ => None,
        }
    }
}

impl Entry {
    /// Size of one value of this kind; `None` for kinds that no specification defines.
    fn unit(&self) -> Option<u64> {
        match self.kind {
            1 | 2 | 6 | 7 | 129 => Some(1),
            3 | 8 => Some(2),
            4 | 9 | 11 | 13 => Some(4),
            5 | 10 | 12 | 16..=18 => Some(8),
            _ => None,
        }
    }

    /// Length of the value in bytes.
    pub fn size(&self) -> u64 {
        self.unit().unwrap_or(0).saturating_mul(self.count)
    }
}

impl Tiff {
    /// Reads the header at the cursor.
    pub fn open(input: &mut Input<'_>) -> Parsed<Tiff> {
        let base = input.position();
        let mark: [u8; 2] = input.array("byte order")?;
        let little = match &mark {
            b"II" => true,
            b"MM" => false,
            other => return Err(input.malformed_at(base, format!("expected byte order II or MM, got {other:?}"))),
        };
        let mut tiff = Tiff { base, little, big_tiff: false, first: 0 };
        match tiff.u16(input, "TIFF number")? {
            // 42; and the numbers of Olympus ("RO", "RS") and Panasonic (0x55) raw files.
            42 | 0x4F52 | 0x5352 | 0x55 => tiff.first = u64::from(tiff.u32(input, "first directory")?),
            43 => {
                tiff.big_tiff = true;
                input.skip(4, "offset size")?;
                tiff.first = tiff.u64(input, "first directory")?;
            }
            other => return Err(input.malformed_at(base, format!("expected the TIFF number 42 or 43, got {other}"))),
        }
        Ok(tiff)
    }

    /// A TIFF structure without a header of its own: offsets count from `base`.
    pub fn headless(base: u64, little: bool) -> Tiff {
        Tiff { base, little, big_tiff: false, first: 0 }
    }

    fn u16(&self, input: &mut Input<'_>, what: &str) -> Parsed<u16> {
        if self.little { input.u16_le(what) } else { input.u16_be(what) }
    }

    fn u32(&self, input: &mut Input<'_>, what: &str) -> Parsed<u32> {
        if self.little { input.u32_le(what) } else { input.u32_be(what) }
    }

    fn u64(&self, input: &mut Input<'_>, what: &str) -> Parsed<u64> {
        if self.little { input.u64_le(what) } else { input.u64_be(what) }
    }

    fn place(&self, offset: u64) -> u64 {
        self.base.saturating_add(offset)
    }

    /// Whether numbers are little-endian, as text in UTF-16 then is too.
    pub fn is_little(&self) -> bool {
        self.little
    }

    /// Where the file offset `offset` of this TIFF lies in the whole file.
    pub fn absolute(&self, offset: u64) -> u64 {
        self.place(offset)
    }

    /// Reads the directory at `offset`. A directory that claims more entries than its part holds gives those it holds.
    pub fn directory(&self, input: &mut Input<'_>, offset: u64) -> Parsed<Directory> {
        input.entry()?;
        input.seek(self.place(offset), "directory")?;
        let (count, size) = if self.big_tiff {
            (self.u64(input, "number of entries")?, 20)
        } else {
            (u64::from(self.u16(input, "number of entries")?), 12)
        };
        let mut found = Directory::default();
        for _ in 0..count {
            if input.remaining() < size {
                return Ok(found);
            }
            found.entries.push(self.entry(input)?);
        }
        let link = if self.big_tiff { 8 } else { 4 };
        if input.remaining() >= link {
            found.next = self.offset(input)?;
        }
        Ok(found)
    }

    fn offset(&self, input: &mut Input<'_>) -> Parsed<u64> {
        if self.big_tiff { self.u64(input, "offset") } else { Ok(u64::from(self.u32(input, "offset")?)) }
    }

    fn entry(&self, input: &mut Input<'_>) -> Parsed<Entry> {
        input.entry()?;
        let tag = self.u16(input, "tag")?;
        let kind = self.u16(input, "type")?;
        let count = self.offset(input)?;
        let here = input.position();
        let mut entry = Entry { tag, kind, count, at: here };
        let link = self.offset(input)?;
        let inline = if self.big_tiff { 8 } else { 4 };
        if entry.size() > inline {
            entry.at = self.place(link);
        }
        Ok(entry)
    }

    /// Reads the value of an entry; long ones are cut to what may be kept.
    pub fn value(&self, input: &mut Input<'_>, entry: &Entry) -> Parsed<Values> {
        let Some(unit) = entry.unit() else {
            return Err(input.malformed_at(entry.at, format!("tag {:#06x} has unknown type {}", entry.tag, entry.kind)));
        };
        input.seek(entry.at, "value")?;
        if unit == 1 && entry.kind != 6 {
            let most = u64::try_from(input.limits().text).unwrap_or(u64::MAX);
            let bytes = input.take(entry.count.min(most), "value")?;
            return Ok(if matches!(entry.kind, 2 | 129) { Values::Text(bytes) } else { Values::Bytes(bytes) });
        }
        let count = entry.count.min(NUMBERS);
        if input.remaining() < count.saturating_mul(unit) {
            return Err(input.malformed(format!("tag {:#06x} claims {} values", entry.tag, entry.count)));
        }
        match entry.kind {
            5 | 10 => self.ratios(input, entry.kind, count),
            11 | 12 => self.reals(input, entry.kind, count),
            kind => self.wholes(input, kind, count),
        }
    }

    fn wholes(&self, input: &mut Input<'_>, kind: u16, count: u64) -> Parsed<Values> {
        let mut numbers = Vec::new();
        for _ in 0..count {
            numbers.push(match kind {
                6 => i64::from(i8::from_le_bytes(input.array("value")?)),
                3 => i64::from(self.u16(input, "value")?),
                8 => i64::from(self.u16(input, "value")?.cast_signed()),
                9 => i64::from(self.u32(input, "value")?.cast_signed()),
                16..=18 => i64::try_from(self.u64(input, "value")?).unwrap_or(i64::MAX),
                _ => i64::from(self.u32(input, "value")?),
            });
        }
        Ok(Values::Whole(numbers))
    }

    fn ratios(&self, input: &mut Input<'_>, kind: u16, count: u64) -> Parsed<Values> {
        let mut numbers = Vec::new();
        for _ in 0..count {
            let (over, under) = (self.u32(input, "numerator")?, self.u32(input, "denominator")?);
            numbers.push(match kind {
                5 => (i64::from(over), i64::from(under)),
                _ => (i64::from(over.cast_signed()), i64::from(under.cast_signed())),
            });
        }
        Ok(Values::Ratio(numbers))
    }

    fn reals(&self, input: &mut Input<'_>, kind: u16, count: u64) -> Parsed<Values> {
        let mut numbers = Vec::new();
        for _ in 0..count {
            numbers.push(match kind {
                11 => f64::from(f32::from_bits(self.u32(input, "value")?)),
                _ => f64::from_bits(self.u64(input, "value")?),
            });
        }
        Ok(Values::Real(numbers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::Limits;

    fn first(bytes: &[u8]) -> Parsed<Vec<(u16, Values)>> {
        let data = bytes.to_vec();
        let mut input = Input::new(&data, &Limits::default());
        let tiff = Tiff::open(&mut input)?;
        let directory = tiff.directory(&mut input, tiff.first)?;
        directory.entries.iter().map(|e| Ok((e.tag, tiff.value(&mut input, e)?))).collect()
    }

    #[test]
    fn both_byte_orders_inline_and_linked_values() {
        let little = b"II\x2A\0\x08\0\0\0\x02\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\x1A\x01\x05\0\x01\0\0\0\x26\0\0\0\0\0\0\0\x48\0\0\0\x01\0\0\0";
        let big = b"MM\0\x2A\0\0\0\x08\0\x02\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\x01\x1A\0\x05\0\0\0\x01\0\0\0\x26\0\0\0\0\0\0\0\x48\0\0\0\x01";
        let want = vec![(0x112, Values::Whole(vec![6])), (0x11A, Values::Ratio(vec![(72, 1)]))];
        assert_eq!(first(little).unwrap(), want);
        assert_eq!(first(big).unwrap(), want);
    }

    #[test]
    fn big_tiff_has_wide_offsets() {
        let mut bytes = b"II\x2B\0\x08\0\0\0\x10\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0".to_vec();
        bytes.extend(b"\0\x01\x04\0\x01\0\0\0\0\0\0\0\x00\x05\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
        assert_eq!(first(&bytes).unwrap(), [(256, Values::Whole(vec![1280]))]);
    }

    #[test]
    fn claims_beyond_the_file_are_errors_and_short_directories_give_what_they_hold() {
        let huge = b"II\x2A\0\x08\0\0\0\x01\0\x0E\x01\x02\0\xFF\xFF\xFF\x7F\x10\0\0\0\0\0\0\0";
        assert!(first(huge).is_err());
        let short = b"II\x2A\0\x08\0\0\0\xFF\xFF\x12\x01\x03\0\x01\0\0\0\x06\0\0\0";
        assert_eq!(first(short).unwrap().len(), 1);
        assert!(first(b"IM\x2A\0\x08\0\0\0").is_err());
        assert!(first(b"II\x2A\0\xF0\0\0\0").is_err());
    }
}
